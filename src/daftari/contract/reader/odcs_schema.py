"""
Validate a document against the official JSON Schema, with messages in plain words.

The schema of ODCS 3.1 comes from the package `open-data-contract-standard`; those of 3.0 are derived
from it. Uses `jsonschema_rs`: nested properties take pure Python exponential time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

from jsonschema_rs import Draft201909Validator, ValidationError
from jsonschema_rs import ValidationErrorKind as Broken

from daftari.contract.reader.document import Document, Path
from daftari.contract.reader.odcs_versions import LATEST, STEPS_BACK, schema_of
from daftari.errors import Fault

VERSIONS = tuple(sorted(STEPS_BACK))

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}

_LIMITS: dict[type, str] = {
    Broken.Minimum: "at least",
    Broken.MinItems: "at least",
    Broken.ExclusiveMinimum: "more than",
    Broken.MaxItems: "at most",
}


def odcs_faults(document: Document) -> tuple[Fault, ...]:
    """Return the faults of *document* against the ODCS version that it names. Empty: it is valid."""
    foreign = _not_odcs(document)
    if foreign:
        return (foreign,)
    version = document.root.get("apiVersion", LATEST)
    errors = [leaf for e in _validator(version).iter_errors(plain(document.root)) for leaf in _nearest(e)]
    faults = {fault: None for error in errors for fault in _faults(document, error, version, errors)}
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.place)))


def plain(value: Any) -> Any:
    """Return *value* with our number type replaced by plain numbers."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, float) else value


def odcs_schema() -> dict[str, Any]:
    """Return the official JSON Schema of ODCS 3.1. It ships inside a package, so reading it is not I/O of ours."""
    text = (resources.files("open_data_contract_standard") / "schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _schema(version: str) -> dict[str, Any]:
    return schema_of(version, odcs_schema())


@cache
def _validator(version: str) -> Draft201909Validator:
    return Draft201909Validator(_schema(version))


def _not_odcs(document: Document) -> Fault | None:
    root = document.root
    if "dataContractSpecification" in root and "kind" not in root:
        return document.fault(
            ("dataContractSpecification",),
            "a contract of the Data Contract Specification",
            "one of the Open Data Contract Standard (kind: DataContract)",
        )
    if root.get("kind", "DataContract") != "DataContract":
        return document.fault(("kind",), shown(root["kind"]), "DataContract")
    version = root.get("apiVersion", LATEST)
    if version not in VERSIONS:
        return document.fault(("apiVersion",), shown(version), f"one of {', '.join(VERSIONS)}")
    return None


def _nearest(error: ValidationError) -> Iterator[ValidationError]:
    """If no alternative is valid, yield the faults of the one that was evidently meant."""
    match error.kind:
        case Broken.AnyOf(branches) | Broken.OneOfNotValid(branches):
            meant = [branch for branch in branches if not _is_other_type(branch, error.instance_path)]
            if len(meant) == 1:
                for cause in meant[0]:
                    yield from _nearest(cause)
                return
    yield error


def _is_other_type(branch: list[ValidationError], path: list[str | int]) -> bool:
    return any(isinstance(e.kind, Broken.Type) and e.instance_path == path for e in branch)


def _faults(
    document: Document, error: ValidationError, version: str, others: list[ValidationError]
) -> Iterator[Fault]:
    path: Path = tuple(error.instance_path)
    match error.kind:
        case Broken.AdditionalProperties(names) | Broken.UnevaluatedProperties(names):
            known = _known_names(version, error)
            echoes = known if any(_is_within(e, path) for e in others if e is not error) else set()
            for name in names:
                if name not in echoes:
                    place = (*path, name)
                    yield document.fault(place, f"unknown name {name!r}", _name_like(name, known - {name}))
        case Broken.Required(name):
            yield document.fault(path, f"no {name!r}", f"{name!r}, which ODCS requires")
        case kind:
            yield document.fault(path, shown(error.instance), _expected(kind, error))


def _is_within(error: ValidationError, path: Path) -> bool:
    """Whether *error* lies at *path* or below: then names that its schema knows may be reported as unknown."""
    is_closed = isinstance(error.kind, Broken.UnevaluatedProperties | Broken.AdditionalProperties)
    return not is_closed and tuple(error.instance_path)[: len(path)] == path


def _expected(kind: Any, error: ValidationError) -> str:
    match kind:
        case Broken.Enum(options):
            return one_of(error.instance, options)
        case Broken.Type(types):
            return " or ".join(_TYPES[name] for name in types)
        case Broken.Pattern(pattern):
            return f"text that matches {pattern}"
        case Broken.UniqueItems():
            return "each value once"
        case Broken.Not():
            return "no 'from': it is the property itself"
        case Broken.OneOfMultipleValid() | Broken.OneOfNotValid() | Broken.AnyOf():
            return _alternatives(error)
    limit = _LIMITS.get(type(kind))
    return f"{limit} {kind.limit}" if limit else error.message[:200]


def _alternatives(error: ValidationError) -> str:
    schemas = _at(_schema(LATEST), error.schema_path)
    names = [name for schema in schemas or () for name in schema.get("required", ())]
    types = [_TYPES[schema["type"]] for schema in schemas or () if schema.get("type") in _TYPES]
    allowed = ", ".join(dict.fromkeys(names or types))
    return f"exactly one of {allowed}" if allowed else "dataset.field, or schema/id/properties/id"


def one_of(found: Any, allowed: Any) -> str:
    names = [str(name) for name in allowed]
    return f"one of {', '.join(names)}{_did_you_mean(str(found), names)}"


def _name_like(name: str, known: set[str]) -> str:
    return f"a name that ODCS has here{_did_you_mean(name, sorted(known))}"


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _known_names(version: str, error: ValidationError) -> set[str]:
    root = _schema(version)
    return _names_in(root, _at(root, error.schema_path[:-1]))


def _names_in(root: dict[str, Any], schema: Any) -> set[str]:
    """Yield the names that *schema* defines, itself or through references."""
    if not isinstance(schema, dict):
        return set()
    names = set(schema.get("properties", ()))
    reference = schema.get("$ref")
    referred = _at(root, reference.removeprefix("#/").split("/")) if reference else None
    combined = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ())]
    for part in (schema.get("then"), referred, *combined):
        names |= _names_in(root, part)
    return names


def _at(root: Any, path: list[Any]) -> Any:
    for step in path:
        root = root[int(step)] if isinstance(root, list) else root.get(step)
        if root is None:
            return None
    return root


def shown(value: Any) -> str:
    """Return *value* of a contract, short enough for a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
