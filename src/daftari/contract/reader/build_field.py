"""Build a field from a property of an ODCS object."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from daftari.contract.governable.patterns import UnportablePattern, portable
from daftari.contract.governable.physical_types import logical_type_of
from daftari.contract.model import Classification, Field, LogicalType, Options, Protection
from daftari.contract.reader.build_quality import build_quality, closed_set
from daftari.contract.reader.document import Document, Number, Path
from daftari.contract.reader.extensions import OfProperty, read_extensions
from daftari.errors import Fault

#: ODCS options that a table cannot enforce.
_UNHELD_OPTIONS = {
    "maxProperties",
    "minProperties",
    "required",
    "maxItems",
    "minItems",
    "uniqueItems",
    "timezone",
    "defaultTimezone",
}


def build_field(document: Document, path: Path) -> tuple[Field, list[Fault], list[Fault]]:
    """Return the field at *path*, the faults in its `daftari.*` properties, and the reservations."""
    item = _at(document, path)
    stated, _, faults = read_extensions(document, path, item, OfProperty)
    name = item["name"]
    quality = tuple(build_quality(entry, of=name) for entry in item.get("quality") or ())
    field = Field(
        name=name,
        logical_type=_logical_type(item),
        physical_type=item.get("physicalType"),
        business_name=item.get("businessName"),
        description=item.get("description") or "",
        required=bool(item.get("required")),
        unique=bool(item.get("unique")),
        key_position=_key_position(item, path),
        classification=_classification(item.get("classification")),
        critical=bool(item.get("criticalDataElement")),
        options=_options(item.get("logicalTypeOptions") or {}),
        allowed=closed_set(quality),
        quality=quality,
        protection=Protection(**stated.protection.model_dump()),
        case_insensitive=stated.case_insensitive,
        digits_only=stated.digits_only,
        width=stated.width,
        renamed_from=stated.renamed_from,
        examples=tuple(_exact(value) for value in item.get("examples") or ()),
        line=document.line(path),
    )
    return field, faults, _reservations(document, path, item)


def _at(document: Document, path: Path) -> dict[str, Any]:
    at: Any = document.root
    for step in path:
        at = at[step]
    return dict(at)


def _logical_type(item: dict[str, Any]) -> LogicalType:
    """Return the stated logical type, else that of the physical type, else text, which holds anything."""
    if item.get("logicalType"):
        return LogicalType(item["logicalType"])
    return logical_type_of(str(item.get("physicalType") or "")) or LogicalType.STRING


def _classification(stated: str | None) -> Classification | str | None:
    try:
        return None if stated is None else Classification(stated)
    except ValueError:
        return stated


def _key_position(item: dict[str, Any], path: Path) -> int | None:
    if not item.get("primaryKey"):
        return None
    position = item.get("primaryKeyPosition")
    # ODCS: -1 means not stated; then the order of the properties counts.
    return position if isinstance(position, int) and position > 0 else int(path[-1]) + 1


def _options(stated: dict[str, Any]) -> Options:
    minimum, above = _bound(stated, "minimum", "exclusiveMinimum")
    maximum, below = _bound(stated, "maximum", "exclusiveMaximum")
    multiple = _exact(stated.get("multipleOf"))
    return Options(
        minimum=minimum,
        maximum=maximum,
        exclusive_minimum=above,
        exclusive_maximum=below,
        multiple_of=multiple if isinstance(multiple, Decimal) else None,
        min_length=_whole(stated.get("minLength")),
        max_length=_whole(stated.get("maxLength")),
        pattern=_pattern(stated.get("pattern")),
        format=stated.get("format"),
    )


def _pattern(stated: str | None) -> str | None:
    """Return the portable form; a pattern without one stays as it is, for `governable` to refuse."""
    try:
        return None if stated is None else portable(stated)
    except UnportablePattern:
        return stated


def _bound(stated: dict[str, Any], inclusive: str, exclusive: str) -> tuple[Any, Any]:
    """Return the inclusive and the exclusive bound. In ODCS 3.0 the latter is a flag of the former."""
    if stated.get(exclusive) is True:
        return None, _exact(stated.get(inclusive))
    bound = stated.get(exclusive)
    return _exact(stated.get(inclusive)), None if isinstance(bound, bool) else _exact(bound)


def _exact(value: Any) -> Any:
    if isinstance(value, Number):
        return value.exact
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _reservations(document: Document, path: Path, item: dict[str, Any]) -> list[Fault]:
    name = item["name"]
    found = []
    if item.get("physicalName") not in (None, name):
        wanted = f"the same as the name, {name!r}, which names the column"
        found.append(document.fault((*path, "physicalName"), repr(item["physicalName"]), wanted))
    found += [
        document.fault((*path, "logicalTypeOptions", option), option, "an option that a table can enforce")
        for option in item.get("logicalTypeOptions") or {}
        if option in _UNHELD_OPTIONS
    ]
    found += [
        document.fault((*path, part), part, "a flat field: nested fields are not judged")
        for part in ("properties", "items")
        if item.get(part)
    ]
    return found


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
