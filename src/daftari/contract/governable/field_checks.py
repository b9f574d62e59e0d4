"""What a field needs before its column can be created and its values judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from daftari.contract.governable.findings import ContractFinding
from daftari.contract.governable.patterns import UnportablePattern, portable
from daftari.contract.governable.physical_types import ALLOWED, is_physical_type, serves
from daftari.contract.model import Classification, Field, LogicalType, Options
from daftari.contract.reader.odcs_schema import one_of

#: PostgreSQL's limit for a value of an enum.
_LONGEST_VALUE_BYTES = 63

_BOUNDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
}
_READ: dict[LogicalType, tuple[Callable[[str], Any], str]] = {
    LogicalType.DATE: (date.fromisoformat, "a date as YYYY-MM-DD"),
    LogicalType.TIME: (time.fromisoformat, "a time as HH:MM:SS"),
    LogicalType.TIMESTAMP: (datetime.fromisoformat, "a timestamp as YYYY-MM-DDTHH:MM:SS+03:00"),
}


def field_findings(field: Field) -> Iterator[ContractFinding]:
    """Yield why *field* cannot be enforced."""
    yield from _physical_type(field)
    yield from _bounds(field)
    yield from _text_options(field)
    yield from _allowed(field)
    if field.classification is not None and not isinstance(field.classification, Classification):
        expected = one_of(field.classification, list(Classification))
        yield ContractFinding("classification", repr(field.classification), expected, field=field)
    if (field.protection.revealable or field.protection.lookup) and not field.protection.sealed:
        yield ContractFinding(
            "daftari.protection", "revealable or lookup", "sealed: true as well", field=field
        )
    if field.protection.sealed and field.unique and not field.protection.lookup:
        expected = "lookup: true as well: its blind index keeps it unique"
        yield ContractFinding("daftari.protection", "sealed and unique", expected, field=field)
    yield from _reading(field)
    if field.protection.sealed and field.is_key:
        expected = "a key that is not sealed: others refer to it"
        yield ContractFinding("daftari.protection", "sealed", expected, field=field)


def _reading(field: Field) -> Iterator[ContractFinding]:
    if field.case_insensitive and (
        not field.unique or field.is_key or field.protection.sealed or not _is_text(field)
    ):
        expected = "a text that is unique, and neither a key nor sealed"
        yield ContractFinding("daftari.caseInsensitive", "true", expected, field=field)
    if (field.digits_only or field.width) and not _is_text(field):
        name = "daftari.digitsOnly" if field.digits_only else "daftari.width"
        yield ContractFinding(name, f"of {field.logical_type.value}", "logicalType: string", field=field)


def _is_text(field: Field) -> bool:
    return field.logical_type is LogicalType.STRING and field.physical_type != "uuid"


def _physical_type(field: Field) -> Iterator[ContractFinding]:
    physical = field.physical_type
    if physical is None:
        return
    if not is_physical_type(physical):
        yield ContractFinding("physicalType", repr(physical), f"one of {ALLOWED}", field=field)
    elif not serves(physical, field.logical_type):
        expected = f"a type for logicalType {field.logical_type.value}"
        yield ContractFinding("physicalType", repr(physical), expected, field=field)


def _bounds(field: Field) -> Iterator[ContractFinding]:
    bounds: dict[str, Any] = {}
    for name, attribute in _BOUNDS.items():
        stated = getattr(field.options, attribute)
        if stated is None:
            continue
        try:
            bounds[name] = _bound(field.logical_type, stated)
        except ValueError as error:
            yield ContractFinding(f"logicalTypeOptions.{name}", repr(str(stated)), str(error), field=field)
    for low, high, may_meet in (
        ("minimum", "maximum", True),
        ("exclusiveMinimum", "exclusiveMaximum", False),
        ("minimum", "exclusiveMaximum", False),
        ("exclusiveMinimum", "maximum", False),
    ):
        if low in bounds and high in bounds and not _leaves_room(bounds[low], bounds[high], may_meet):
            found = f"{low} {getattr(field.options, _BOUNDS[low])}"
            expected = (
                f"{'at most' if may_meet else 'less than'} {high} {getattr(field.options, _BOUNDS[high])}"
            )
            yield ContractFinding("logicalTypeOptions", found, expected, field=field)


def _bound(kind: LogicalType, stated: Decimal | str) -> Any:
    """
    Return the bound *stated* as a value that can be compared.

    Raises:
        ValueError: it is not a bound of this *kind*; the message says what is expected.
    """
    if kind not in _READ:
        if isinstance(stated, Decimal):
            return stated
        raise ValueError("a number")
    read, expected = _READ[kind]
    try:
        bound = read(str(stated))
    except ValueError:
        raise ValueError(expected) from None
    if isinstance(bound, datetime) and bound.tzinfo is None:
        raise ValueError(f"{expected}, with its zone")
    return bound


def _leaves_room(low: Any, high: Any, may_meet: bool) -> bool:
    return bool(low <= high if may_meet else low < high)


def _text_options(field: Field) -> Iterator[ContractFinding]:
    options = field.options
    if field.logical_type is LogicalType.BOOLEAN and options != Options():
        yield ContractFinding("logicalTypeOptions", "options", "none: a boolean has no bounds", field=field)
    least, most = options.min_length, options.max_length
    if least is not None and most is not None and least > most:
        yield ContractFinding(
            "logicalTypeOptions.minLength", str(least), f"at most maxLength {most}", field=field
        )
    if options.pattern is not None:
        try:
            portable(options.pattern)
        except UnportablePattern as error:
            expected = "a regular expression that means the same to PostgreSQL and Rust"
            yield ContractFinding("logicalTypeOptions.pattern", str(error), expected, field=field)


def _allowed(field: Field) -> Iterator[ContractFinding]:
    if not field.allowed:
        return
    place = "quality.validValues"
    if field.logical_type is not LogicalType.STRING or field.physical_type not in (None, "text"):
        found = field.physical_type or field.logical_type.value
        yield ContractFinding(
            place, f"values of a {found}", "text: a closed set becomes an enum type", field=field
        )
    if len(set(field.allowed)) < len(field.allowed):
        yield ContractFinding(place, "a value twice", "each value once", field=field)
    for value in field.allowed:
        if not 0 < len(value.encode()) <= _LONGEST_VALUE_BYTES or value != value.strip():
            expected = f"1 to {_LONGEST_VALUE_BYTES} bytes, without space before or after"
            yield ContractFinding(place, repr(value), expected, field=field)
