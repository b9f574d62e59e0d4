"""Values of JSON as they were sent: numbers keep their digits, and a value that no field may hold says why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any, cast

from daftari.rows.intake.block import IS_ARRAY, IS_OBJECT

#: The most characters of a number that is written out from its exponent; a longer one stays as it was sent.
_MOST_DIGITS = 400
#: The most of a number inside an object or array: PostgreSQL stores those as numeric.
_MOST_INSIDE = 1000
_PLAIN = re.compile(r"[-.0-9]+")
_EXPONENT = re.compile(r"-?\d*\.?\d*[eE]([+-]?\d+)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNWANTED = re.compile("[\ud800-\udfff\0]")
#: How surrogateescape decodes the bytes 80 to FF.
_FIRST_ESCAPED, _LAST_ESCAPED, _ESCAPED_BASE = "\udc80", "\udcff", 0xDC00


class Digits(str):
    """The digits of a number."""

    __slots__ = ()


class Faulty(str):
    """The text of a value that no field may hold."""

    reason: str  #: follows the field's name, as the reason of a rule does
    is_not_json: bool  #: whether JSON does not have it

    def __new__(cls, text: str, reason: str, *, is_not_json: bool = False) -> Faulty:
        made = super().__new__(cls, text)
        made.reason, made.is_not_json = reason, is_not_json
        return made


class Ambiguous(dict[str, Any]):
    """An object that has a name twice: which value counts is unknown."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Ambiguous(found)


def _fraction(text: str) -> Digits:
    return Digits(text if "e" not in text and "E" not in text else _without_exponent(text))


def _without_exponent(text: str) -> str:
    """Write a number without its exponent, unless that takes more than a few hundred digits."""
    found = _EXPONENT.fullmatch(text)
    exponent = found[1] if found else "0"
    if len(exponent) > 4 or abs(int(exponent)) + len(text) > _MOST_DIGITS:
        return text
    return f"{Decimal(text):f}"


def _constant(name: str) -> Faulty:
    return Faulty(name, f"is {name}, which JSON does not have", is_not_json=True)


#: Raises json.JSONDecodeError and RecursionError. Nothing passes through a float, or an int.
DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_int=Digits, parse_constant=_constant
)


def is_suspect(text: str) -> bool:
    """Whether values in the JSON *text* may hold what `without_unwanted` takes out. Cheap."""
    return "\\ud" in text or "\\uD" in text or "\\u0000" in text


def without_unwanted(value: Any, raw: str) -> Any:
    """
    Return *value*, decoded from *raw*, with every text that is not valid Unicode as `Faulty`.

    Names are only made printable: an unknown column is no fault.
    """
    match value:
        case str():
            return _checked(value, raw)
        case dict():
            kind = type(value)
            return kind({_printable(name): without_unwanted(one, raw) for name, one in value.items()})
        case list():
            return [without_unwanted(one, raw) for one in value]
        case _:
            return value


def _checked(text: str, raw: str) -> str:
    found = _SURROGATE.search(text)
    if found is None:
        return text
    lone, shown = found[0], _SURROGATE.sub(_shown, text)
    if _FIRST_ESCAPED <= lone <= _LAST_ESCAPED and lone in raw:
        return Faulty(shown, f"is not valid UTF-8 (byte {ord(lone) - _ESCAPED_BASE:02X})")
    return Faulty(shown, f"is not valid text (U+{ord(lone):04X} alone)")


def _shown(found: re.Match[str]) -> str:
    return f"\u2039U+{ord(found[0]):04X}\u203a"


def _printable(name: str) -> str:
    return _UNWANTED.sub(_shown, name)


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The values of one column as the cells of a block."""

    texts: Sequence[str | None]
    reasons: Sequence[str | None] | None  #: why a cell cannot be read, by row; None: every cell can


_TEXTS = {str, Digits, type(None)}


def json_cells(values: Iterable[Any]) -> Cells:
    """Return *values* as text: objects and arrays as JSON, numbers with their digits."""
    values = list(values)
    if {*map(type, values)} <= _TEXTS:
        return Cells(texts=cast("list[str | None]", values), reasons=None)
    found = [_cell(value) for value in values]
    reasons = [reason for _, reason in found]
    return Cells(texts=[text for text, _ in found], reasons=reasons if any(reasons) else None)


def number_marks(values: Sequence[Any]) -> list[bool] | None:
    """Return which of *values* are numbers of JSON; None if none is."""
    return [type(value) is Digits for value in values] if Digits in {*map(type, values)} else None


def _cell(value: Any) -> tuple[str | None, str | None]:
    match value:
        case Faulty():
            return value, value.reason
        case dict() | list():
            faults: list[str] = []
            text = written(value, faults)
            return text, faults[0] if faults else IS_OBJECT if isinstance(value, dict) else IS_ARRAY
        case _:
            return plain_text(value), None


def is_document(text: str, kind: type) -> bool:
    """
    Whether PostgreSQL accepts *text* as jsonb of this *kind*.

    JSON can spell NUL and half a character; jsonb cannot.
    """
    try:
        document = DECODER.decode(text)
        faults: list[str] = []
        whole = written(without_unwanted(document, text), faults)
        return isinstance(document, kind) and not faults and "\\u0000" not in whole
    except (ValueError, RecursionError):
        return False


def plain_text(value: Any) -> str | None:
    """Return a value that is neither an object nor an array as the text that a file would hold."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case date() | time():  # of YAML; includes datetime
            return value.isoformat()
        case Decimal():
            return _without_exponent(str(value))
        case _:
            return json.dumps(value, ensure_ascii=False)


def written(value: Any, faults: list[str]) -> str:
    """Write *value* as JSON, with its original digits; add to *faults* why it is not valid inside."""
    match value:
        case dict():
            if isinstance(value, Ambiguous):
                faults.append("holds an object that has a name twice")
            inside = (
                f"{json.dumps(name, ensure_ascii=False)}: {written(one, faults)}"
                for name, one in value.items()
            )
            return "{" + ", ".join(inside) + "}"
        case list():
            return "[" + ", ".join(written(one, faults) for one in value) + "]"
        case None:
            return "null"
        case str():
            return _written_text(value, faults)
        case _:
            return plain_text(value) or ""


def _written_text(value: str, faults: list[str]) -> str:
    if isinstance(value, Digits):
        if len(value) > _MOST_INSIDE or not _PLAIN.fullmatch(value):
            faults.append(f"holds a number of more than {_MOST_INSIDE:,} digits")
        return str(value)
    if isinstance(value, Faulty):
        faults.append(f"holds a value that {value.reason}")
    return json.dumps(value, ensure_ascii=False)
