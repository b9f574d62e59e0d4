"""
The `daftari.*` custom properties, for what ODCS does not cover.

The classes below are the complete list; docs/reference/contract.md explains each, and a test
compares the two. Custom properties of other vendors are ignored.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from daftari.contract.model import Conflict, DatasetKind, Mask, Operation, PartitionPeriod, RuleTime, Severity
from daftari.contract.reader.document import Document, Path
from daftari.contract.reader.odcs_schema import one_of, plain, shown
from daftari.errors import Fault

NAMESPACE = "daftari."

Model = TypeVar("Model", bound=BaseModel)

_DURATION = r"^[1-9][0-9]{0,3}[ymwd]$"
_MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
_PATTERNS = {
    _DURATION: "a number of years, months, weeks or days, as in 7y, 18m, 12w, 90d",
    _MONTH: "a month as YYYY-MM",
}

Text = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Text], Field(min_length=1)]
Duration = Annotated[str, Field(pattern=_DURATION)]
Month = Annotated[str, Field(pattern=_MONTH)]

#: Our words for pydantic's type names.
_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


class _Value(BaseModel):
    """Untrusted input: no conversion of types, no unknown names."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class RuleValue(_Value):
    id: Text
    expression: Text
    message: Text
    when: RuleTime = RuleTime.ALWAYS
    severity: Severity = Severity.ERROR


class AccessValue(_Value):
    role: Text
    operations: Annotated[list[Operation], Field(min_length=1)]
    rows: Text
    fields: list[Text] = []
    masked: list[Text] = []


class PartitionValue(_Value):
    field: Text
    every: PartitionPeriod
    ahead: Annotated[int, Field(ge=0, le=60)] = 3
    start: Month | None = None


class OverlapValue(_Value):
    key: Text | Names
    start: Text
    end: Text
    unless: Text | None = None
    shared: Text | None = None


class StepValue(_Value):
    start: Text = Field(alias="from")
    to: Text
    roles: Names
    own: bool = False
    by: Text | None = None
    at: Text | None = None
    same_person: bool = False


class WorkingDaysValue(_Value):
    field: Text
    start: Text
    end: Text


class ApprovalValue(_Value):
    field: Text
    begins: Text
    steps: Annotated[list[StepValue], Field(min_length=1)]
    recorded_by: list[Text] = []
    asked_at: Text | None = None
    covers: Names | None = None
    working_days: WorkingDaysValue | None = None


class ProtectionValue(_Value):
    sealed: bool = False
    revealable: bool = False
    lookup: bool = False
    mask: Mask | None = None


class OfObject(_Value):
    """The properties of an object of `schema`."""

    kind: DatasetKind = DatasetKind.TRANSACTIONAL
    subject: Text | None = None
    conflict: Conflict = Conflict.UPDATE
    purpose: Text | None = None
    lawful_basis: Text | None = None
    retention: Duration | None = None
    max_rejected_ratio: Annotated[float, Field(ge=0, le=1)] = 0.05
    indexes: list[Names] = []
    rules: list[RuleValue] = []
    access: list[AccessValue] = []
    approval: ApprovalValue | None = None
    partition: PartitionValue | None = None
    no_overlap: OverlapValue | None = None


class OfProperty(_Value):
    """The properties of a field."""

    protection: ProtectionValue = ProtectionValue()
    case_insensitive: bool = False
    digits_only: bool = False
    width: Annotated[int, Field(ge=1, le=64)] | None = None
    renamed_from: Text | None = None


class OfContract(_Value):
    """The top of a contract has no such properties."""


def names(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the custom properties of *model*, as a contract writes them."""
    return tuple(f"{NAMESPACE}{field.alias or name}" for name, field in model.model_fields.items())


def read_extensions(
    document: Document, path: Path, item: dict[str, Any], model: type[Model]
) -> tuple[Model, dict[str, Path], list[Fault]]:
    """
    Read the `daftari.*` properties of *item* at *path*.

    Return their values (defaults if faulty), the path of each by its name
    without the namespace, and every fault.
    """
    values: dict[str, Any] = {}
    places: dict[str, Path] = {}
    faults: list[Fault] = []
    for position, entry in enumerate(item.get("customProperties") or ()):
        name = str(entry.get("property", ""))
        place = (*path, "customProperties", position)
        if not name.startswith(NAMESPACE):
            continue
        if name in values:
            faults.append(document.fault(place, "the same property again", f"{name} once"))
        values[name] = entry.get("value")
        places[name] = (*place, "value")
    short = {name.removeprefix(NAMESPACE): value for name, value in values.items()}
    short_places = {name.removeprefix(NAMESPACE): place for name, place in places.items()}
    try:
        return model.model_validate_json(json.dumps(plain(short))), short_places, faults
    except ValidationError as error:
        faults += [_fault(document, short_places, model, dict(e)) for e in error.errors(include_url=False)]
        return model(), short_places, faults


def _fault(
    document: Document, places: dict[str, Path], model: type[BaseModel], error: dict[str, Any]
) -> Fault:
    first, *rest = error["loc"]
    place = (*places[str(first)], *_real_steps(document, places[str(first)], rest))
    match error["type"]:
        case "extra_forbidden" if not rest:
            return document.fault(place, f"unknown name {NAMESPACE}{first}", _known(str(first), model))
        case "extra_forbidden":
            return document.fault(place, f"unknown name {rest[-1]!r}", "a name that this property has")
        case "missing":
            return document.fault(place, f"no {rest[-1]!r}", f"{rest[-1]!r}, which this property requires")
        case "string_pattern_mismatch":
            return document.fault(place, shown(error["input"]), _PATTERNS[error["ctx"]["pattern"]])
    return document.fault(place, shown(error["input"]), _wanted(error))


def _known(name: str, model: type[BaseModel]) -> str:
    known = [one.removeprefix(NAMESPACE) for one in names(model)]
    return f"after {NAMESPACE} {one_of(name, known)}" if known else f"no {NAMESPACE}* property here"


def _wanted(error: dict[str, Any]) -> str:
    if error["type"] in ("too_short", "string_too_short"):
        return "something: it is empty"
    wanted = str(error["msg"]).removeprefix("Input should be ").removeprefix("a valid ")
    return _WORDS.get(wanted, wanted)


def _real_steps(document: Document, start: Path, steps: list[str | int]) -> Path:
    """Return *steps* without the names that pydantic gives to the alternatives of a union."""
    path: Path = ()
    for step in steps:
        if (*start, *path, step) in document.lines:
            path = (*path, step)
    return path
