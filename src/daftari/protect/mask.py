"""
Masks: what is left of a value for those who may not see it whole, in Python and in SQL alike.

A masked value is text, whatever its field's type. Null stays null: a mask hides what a value is, not whether
there is one. The stars are as many for every value, so that its length is hidden too.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from daftari.contract.model import Field, LogicalType, Mask

#: What stands for a value of which nothing is shown.
HIDDEN = "***"
_STARS = "*****"
#: A shorter text would be half told by its last three characters.
_SHORTEST_TOLD = 6
_OF_TEXT = frozenset({LogicalType.STRING, LogicalType.INTEGER})
_OF_TIME = frozenset({LogicalType.DATE, LogicalType.TIMESTAMP})


def mask_of(field: Field) -> Mask:
    """Return the mask of *field*: the one that its contract names where it fits the field's type, else full."""
    wanted = field.protection.mask or Mask.FULL
    fitting = _OF_TIME if wanted is Mask.YEAR else _OF_TEXT
    return wanted if field.logical_type in fitting else Mask.FULL


def mask_in_sql(field: Field) -> Mask:
    """Return what SQL makes of *field*: of a sealed one it has the sealed form, which tells nothing in parts."""
    return Mask.FULL if field.protection.sealed else mask_of(field)


def masked(mask: Mask, value: object) -> str | None:
    """Return what *mask* leaves of *value*: of a text, a whole number, or a date or instant."""
    if value is None:
        return None
    match mask:
        case Mask.LAST3:
            text = str(value)
            return _STARS + (text[-3:] if len(text) >= _SHORTEST_TOLD else "")
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
    """Return what the mask of *field* leaves of *column*, which is quoted already, as SQL."""
    text = f"{column}::text"
    match mask_in_sql(field):
        case Mask.LAST3:
            return (
                f"case when length({text}) >= {_SHORTEST_TOLD} then '{_STARS}' || right({text}, 3) "
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
