"""The class of a field's change. The tables list every attribute of a field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from daftari.contract.compatibility.changes import (
    ChangeKind,
    Comparison,
    ContractChange,
    always,
    describes_only,
    either,
    moved,
    nothing,
)
from daftari.contract.model import Classification, Field, LogicalType, Mask, Options, Protection

_ADDITIVE, _BREAKING, _EXPOSURE = ChangeKind.ADDITIVE, ChangeKind.BREAKING, ChangeKind.EXPOSURE

_STRICTER = "rows accepted until now may be rejected"
_LOOSER = "rows accepted until now are still accepted"

#: Each type holds every value of the types before it.
_WIDENING = (("smallint", "integer", "bigint", "numeric"), ("varchar", "text"))
_DEFAULT_TYPES = {
    LogicalType.STRING: "text",
    LogicalType.INTEGER: "bigint",
    LogicalType.NUMBER: "numeric",
    LogicalType.TIMESTAMP: "timestamptz",
    LogicalType.OBJECT: "jsonb",
    LogicalType.ARRAY: "jsonb",
}


def field_changes(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    """Yield the changes from *old* to *new*, one field of the dataset at *place*."""
    for compare in OF_FIELD.values():
        yield from compare(old, new, f"{place}.{new.name}")


def type_of_field(field: Field) -> str:
    """Return the PostgreSQL type of *field*: its physical type, else the one of its logical type."""
    return field.physical_type or _DEFAULT_TYPES.get(field.logical_type, field.logical_type.value)


def _physical_type(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    before, after = type_of_field(old), type_of_field(new)
    if old.logical_type is not new.logical_type or before == after:
        return
    wider = _is_wider(before, after)
    yield ContractChange(
        kind=_ADDITIVE if wider else _BREAKING,
        place=place,
        what=moved("type", before, after),
        reason=_LOOSER if wider else "existing values may not fit, or may change",
    )


def _is_wider(before: str, after: str) -> bool:
    old_name, old_size = _parts(before)
    new_name, new_size = _parts(after)
    if old_name == new_name == "numeric":
        return _numeric_is_wider(old_size, new_size)
    if old_name == new_name:
        return not new_size or (bool(old_size) and old_size[0] <= new_size[0])
    for family in _WIDENING:
        if old_name in family and new_name in family and not new_size:
            return family.index(old_name) < family.index(new_name)
    return False


def _numeric_is_wider(old: list[int], new: list[int]) -> bool:
    """Whether *new* has at least as many digits before and after the point, or no limit."""
    if not new:
        return True
    return bool(old) and new[1] >= old[1] and new[0] - new[1] >= old[0] - old[1]


def _parts(physical: str) -> tuple[str, list[int]]:
    return physical.split("(")[0], [int(number) for number in re.findall(r"\d+", physical)]


def _required(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    if old.required == new.required:
        return
    reason = (
        "rows without a value may exist or arrive"
        if new.required
        else "readers may get null, which was impossible before"
    )
    what = moved("required", old.required, new.required)
    yield ContractChange(kind=_BREAKING, place=place, what=what, reason=reason)


def _unique(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    if old.unique != new.unique:
        kind, reason = (_BREAKING, _STRICTER) if new.unique else (_ADDITIVE, _LOOSER)
        yield ContractChange(
            kind=kind, place=place, what=moved("unique", old.unique, new.unique), reason=reason
        )


def _case_insensitive(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    if old.case_insensitive != new.case_insensitive:
        kind, reason = (_BREAKING, _STRICTER) if new.case_insensitive else (_ADDITIVE, _LOOSER)
        what = moved("caseInsensitive", old.case_insensitive, new.case_insensitive)
        yield ContractChange(kind=kind, place=place, what=what, reason=reason)


_READ_OTHERWISE = "existing values stay as they are, and the same text may now be another value"


def _digits_only(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    if old.digits_only != new.digits_only:
        what = moved("digitsOnly", old.digits_only, new.digits_only)
        yield ContractChange(kind=_BREAKING, place=place, what=what, reason=_READ_OTHERWISE)


def _width(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    if old.width != new.width:
        what = moved("width", old.width, new.width)
        yield ContractChange(kind=_BREAKING, place=place, what=what, reason=_READ_OTHERWISE)


def _classification(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    if old.classification == new.classification:
        return
    lower = _rank(new.classification) < _rank(old.classification)
    yield ContractChange(
        kind=_EXPOSURE if lower else _ADDITIVE,
        place=place,
        what=moved("classification", old.classification, new.classification),
        reason="the field is less protected than before"
        if lower
        else "the field is protected at least as much",
    )


def _rank(classification: Classification | str | None) -> int:
    """Return the rank of a classification: a missing one counts as internal, an unknown one as the highest."""
    ranks = list(Classification)
    known = classification or Classification.INTERNAL
    return ranks.index(known) if isinstance(known, Classification) else len(ranks)


def _allowed(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    gone = [value for value in old.allowed if value not in new.allowed]
    added = [value for value in new.allowed if value not in old.allowed]
    if new.allowed and (gone or not old.allowed):
        what = f"closed set: removed {', '.join(gone)}" if gone else "closed set added"
        yield ContractChange(kind=_BREAKING, place=place, what=what, reason=_STRICTER)
    elif gone:
        yield ContractChange(kind=_ADDITIVE, place=place, what="closed set removed", reason=_LOOSER)
    if added and old.allowed:
        what = f"closed set: added {', '.join(added)}"
        yield ContractChange(kind=_ADDITIVE, place=place, what=what, reason=_LOOSER)
    if old.allowed != new.allowed and not gone and not added:
        reason = "the same values are allowed; the type keeps its order"
        yield ContractChange(kind=_ADDITIVE, place=place, what="closed set: order changed", reason=reason)


def quality_changes(old: Any, new: Any, place: str) -> Iterator[ContractChange]:
    """Checks reject no row, so any change to them is additive."""
    before, after = ({check.name: check for check in side.quality} for side in (old, new))
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            verb = "removed" if name not in after else "added" if name not in before else "changed"
            reason = "a check rejects no row; it only stops a publication"
            yield ContractChange(kind=_ADDITIVE, place=place, what=f"check {name} {verb}", reason=reason)


def _options(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    if old.logical_type is new.logical_type:  # bounds of different types cannot be compared
        for compare in OF_OPTIONS.values():
            yield from compare(old.options, new.options, place)


def _protection(old: Field, new: Field, place: str) -> Iterator[ContractChange]:
    for compare in OF_PROTECTION.values():
        yield from compare(old.protection, new.protection, place)


def _switch(attribute: str, on: tuple[ChangeKind, str], off: tuple[ChangeKind, str]) -> Comparison:
    def compare(old: Protection, new: Protection, place: str) -> Iterator[ContractChange]:
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            kind, reason = on if after else off
            yield ContractChange(kind=kind, place=place, what=moved(attribute, before, after), reason=reason)

    return compare


def _mask(old: Protection, new: Protection, place: str) -> Iterator[ContractChange]:
    if old.mask == new.mask:
        return
    kind, reason = _EXPOSURE, "different parts of the value are shown"
    if new.mask == Mask.FULL:
        kind, reason = _ADDITIVE, "the value is not shown more than before"
    yield ContractChange(kind=kind, place=place, what=moved("mask", old.mask, new.mask), reason=reason)


def _at_most(before: Any, after: Any) -> bool:
    return _comes_before(after, before)


def _at_least(before: Any, after: Any) -> bool:
    return _comes_before(before, after)


def _comes_before(low: Any, high: Any) -> bool:
    """Whether *low* is at most *high*: two numbers, or two texts of a date, a time or a timestamp."""
    try:
        return bool(datetime.fromisoformat(low) <= datetime.fromisoformat(high))
    except (TypeError, ValueError):  # numbers; times; or values without an order, which count as not looser
        return type(low) is type(high) and bool(low <= high)


def _never(_before: Any, _after: Any) -> bool:
    return False


OF_OPTIONS: dict[str, Comparison] = {
    "minimum": either("minimum", _at_most, stricter=_STRICTER, looser=_LOOSER),
    "maximum": either("maximum", _at_least, stricter=_STRICTER, looser=_LOOSER),
    "exclusive_minimum": either("exclusive_minimum", _at_most, stricter=_STRICTER, looser=_LOOSER),
    "exclusive_maximum": either("exclusive_maximum", _at_least, stricter=_STRICTER, looser=_LOOSER),
    "multiple_of": either("multiple_of", lambda a, b: bool(a % b == 0), stricter=_STRICTER, looser=_LOOSER),
    "min_length": either("min_length", _at_most, stricter=_STRICTER, looser=_LOOSER),
    "max_length": either("max_length", _at_least, stricter=_STRICTER, looser=_LOOSER),
    "pattern": either("pattern", _never, stricter=_STRICTER, looser=_LOOSER),
    "format": either("format", _never, stricter=_STRICTER, looser=_LOOSER),
}

OF_PROTECTION: dict[str, Comparison] = {
    "sealed": _switch(
        "sealed",
        (_BREAKING, "readers get a sealed value instead of plain text"),
        (_EXPOSURE, "its values are plain text for every reader, and in backups"),
    ),
    "revealable": _switch(
        "revealable",
        (_EXPOSURE, "sessions with a key may open it in SQL"),
        (_BREAKING, "SQL that opens it fails"),
    ),
    "lookup": _switch(
        "lookup",
        (_EXPOSURE, "equal values can be recognised without opening them"),
        (_BREAKING, "searching for a value fails"),
    ),
    "mask": _mask,
}

OF_FIELD: dict[str, Comparison] = {
    "name": nothing,  # identifies the field
    "logical_type": always(
        "logical_type", _BREAKING, "existing values may not fit, and readers get another type"
    ),
    "physical_type": _physical_type,
    "business_name": describes_only("business_name"),
    "description": describes_only("description"),
    "required": _required,
    "unique": _unique,
    "key_position": always("key_position", _BREAKING, "another key identifies the rows"),
    "classification": _classification,
    "critical": always("critical", _ADDITIVE, "it enforces nothing by itself"),
    "options": _options,
    "allowed": _allowed,
    "quality": quality_changes,
    "protection": _protection,
    "case_insensitive": _case_insensitive,
    "digits_only": _digits_only,
    "width": _width,
    "renamed_from": nothing,  # compared where fields are matched by name
    "examples": describes_only("examples"),
    "line": nothing,
}

#: A test compares each table with the attributes of its class.
TABLES: dict[type, dict[str, Comparison]] = {Field: OF_FIELD, Options: OF_OPTIONS, Protection: OF_PROTECTION}
