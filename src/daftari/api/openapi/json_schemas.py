"""Datasets as JSON Schema for OpenAPI, with the contract's examples, except those of confidential fields."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from daftari.contract.model import Dataset, Field, LogicalType

_TYPES: dict[LogicalType, dict[str, Any]] = {
    LogicalType.STRING: {"type": "string"},
    LogicalType.INTEGER: {"type": "integer"},
    LogicalType.NUMBER: {"type": "number"},
    LogicalType.BOOLEAN: {"type": "boolean"},
    LogicalType.DATE: {"type": "string", "format": "date"},
    LogicalType.TIME: {"type": "string", "format": "time"},
    LogicalType.TIMESTAMP: {"type": "string", "format": "date-time"},
    LogicalType.OBJECT: {"type": "object"},
    LogicalType.ARRAY: {"type": "array", "items": {}},
}

OUTCOME: dict[str, Any] = {
    "type": "object",
    "required": ["status", "reasons"],
    "properties": {
        "status": {"enum": ["inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined"]},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["rule", "field", "reason"],
                "properties": {name: {"type": "string"} for name in ("rule", "field", "reason")},
            },
        },
        "remarks": {
            "type": "array",
            "description": "What was changed in its texts, such as an invisible character that was removed.",
            "items": {"type": "string"},
        },
    },
}

ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["run_id", "counts", "records"],
    "properties": {
        "run_id": {"type": "integer", "description": "The run that accounts for the records."},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "records": {"type": "array", "items": {"$ref": "#/components/schemas/Outcome"}},
    },
}

ANSWER_TO_ONE: dict[str, Any] = {
    "type": "object",
    "required": ["run_id", "status", "reasons"],
    "properties": {"run_id": {"type": "integer"}, **OUTCOME["properties"]},
}

LOADED: dict[str, Any] = {
    "type": "object",
    "required": ["run_id", "known", "counts", "reasons"],
    "properties": {
        "run_id": {"type": "integer"},
        "known": {
            "type": "boolean",
            "description": "A file with this content was already loaded, by that run.",
        },
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "reasons": {"type": "array", "items": {"type": "object"}},
        "left_out": {
            "type": "object",
            "description": "Records of the file that are no rows, by what they are.",
            "additionalProperties": {"type": "integer"},
        },
        "remarks": {"type": "array", "items": {"type": "object"}},
        "corrected": {"type": "integer"},
    },
}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "hint": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Reason"}},
    },
}

COMPONENTS = {
    "Outcome": OUTCOME,
    "Reason": OUTCOME["properties"]["reasons"]["items"],
    "Answer": ANSWER,
    "Loaded": LOADED,
    "AnswerToOne": ANSWER_TO_ONE,
    "Problem": PROBLEM,
}


def record_schema(dataset: Dataset) -> dict[str, Any]:
    return {
        "type": "object",
        "description": dataset.description,
        "additionalProperties": False,
        "required": [field.name for field in dataset.fields if field.required or field.is_key],
        "properties": {field.name: _field_schema(field) for field in dataset.fields},
    }


def record_example(dataset: Dataset, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return a record of the contract's examples, without confidential fields and those named in *without*."""
    return {
        field.name: _plain(field.examples[0])
        for field in dataset.fields
        if field.examples and not field.is_confidential and field.name not in without
    }


def _field_schema(field: Field) -> dict[str, Any]:
    schema = dict(_TYPES[field.logical_type])
    if field.description:
        schema["description"] = field.description
    if field.allowed:
        schema["enum"] = [*field.allowed] if field.required else [*field.allowed, None]
    if field.options.min_length is not None:
        schema["minLength"] = field.options.min_length
    if field.options.max_length is not None:
        schema["maxLength"] = field.options.max_length
    if not (field.required or field.is_key):
        schema["type"] = [schema["type"], "null"]
    if field.examples and not field.is_confidential:
        schema["examples"] = [_plain(example) for example in field.examples]
    if field.protection.sealed:
        schema["writeOnly"] = True
    return schema


def _plain(value: Any) -> Any:
    """Convert a value of YAML to one of JSON."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, (str, int, float, bool, dict, list)) else str(value)
