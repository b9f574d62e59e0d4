"""
Masks: the part of a value that a masked cell shows, the same in Python and in SQL.

A masked value is text, whatever its field's type. Null stays null: a mask hides a value, not whether it exists.
The number of stars is fixed, so that the length is hidden too.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from daftari.contract.model import Field, LogicalType, Mask

#: A fully masked value.
HIDDEN = "***"
_STARS = "*****"
#: Of a shorter text, the last three characters would reveal half.
_SHORTEST_SHOWN = 6
_OF_TEXT = frozenset({LogicalType.STRING, LogicalType.INTEGER})
_OF_TIME = frozenset({LogicalType.DATE, LogicalType.TIMESTAMP})


def mask_of(field: Field) -> Mask:
    """Return the mask of *field*: the contract's if it fits the field's type, else full."""
    wanted = field.protection.mask or Mask.FULL
    fitting = _OF_TIME if wanted is Mask.YEAR else _OF_TEXT
    return wanted if field.logical_type in fitting else Mask.FULL


def mask_in_sql(field: Field) -> Mask:
    """Return the mask of *field* in SQL: always full for a sealed field, of which SQL has only the sealed bytes."""
    return Mask.FULL if field.protection.sealed else mask_of(field)


def masked(mask: Mask, value: object) -> str | None:
    """Return *value*, a text, whole number, date or timestamp, masked by *mask*."""
    if value is None:
        return None
    match mask:
        case Mask.LAST3:
            text = str(value)
            return _STARS + (text[-3:] if len(text) >= _SHORTEST_SHOWN else "")
        case Mask.INITIAL:
            return re.sub("([^ ])[^ ]*", r"\1.", str(value))
        case Mask.EMAIL:
            name, at, domain = str(value).partition("@")
            is_address = bool(name and at and domain) and "@" not in domain
            return f"{name[0]}{HIDDEN}@{domain}" if is_address else HIDDEN
        case Mask.YEAR if isinstance(value, datetime):
            return str(value.astimezone(UTC).year)
        case Mask.YEAR if isinstance(value, date):
            return str(value.year)
    return HIDDEN


def sql(field: Field, column: str) -> str:
    """Return *column*, already quoted, masked by the mask of *field*, as SQL."""
    text = f"{column}::text"
    match mask_in_sql(field):
        case Mask.LAST3:
            return (
                f"case when length({text}) >= {_SHORTEST_SHOWN} then '{_STARS}' || right({text}, 3) "
                f"when {column} is not null then '{_STARS}' end"
            )
        case Mask.INITIAL:
            return rf"regexp_replace({text}, '([^ ])[^ ]*', '\1.', 'g')"
        case Mask.EMAIL:
            return (
                f"case when {text} ~ '^[^@]+@[^@]+$' "
                f"then left({text}, 1) || '{HIDDEN}' || substring({text} from '@[^@]+$') "
                f"when {column} is not null then '{HIDDEN}' end"
            )
        case Mask.YEAR:
            day = f"{column} at time zone 'UTC'" if field.logical_type is LogicalType.TIMESTAMP else column
            return f"extract(year from {day})::text"
    return f"case when {column} is not null then '{HIDDEN}' end"
