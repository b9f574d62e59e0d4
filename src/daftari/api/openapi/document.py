"""The OpenAPI document: what each operation takes and gives, from the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from daftari.api.openapi import json_schemas
from daftari.api.problems import MEDIA_TYPE
from daftari.contract.model import Dataset
from daftari.rows.query import DEFAULT_LIMIT, MOST_ROWS

_PURPOSE = {
    "name": "X-Purpose",
    "in": "header",
    "schema": {"type": "string"},
    "description": "What it is for; kept in the audit. Needed where restricted fields are read.",
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "Names the request: asked again with the same body, it gives the same answer.",
}
_PROBLEMS = {
    400: "The request cannot be read.",
    401: "No caller is known by the token.",
    403: "The caller's role may not do that.",
    404: "There is no such row, or none that the caller sees.",
    409: "The same request is being answered, or the contract changed.",
    410: "The person of a sealed value in the row was erased.",
    413: "Too many records, or too many bytes.",
    415: "The body is in no form that is taken.",
    422: "The query is not understood, or the records break rules or come under a key that was used.",
    429: "The caller asks too often: `Retry-After` says when it may again.",
    500: "A fault in daftari.",
    503: "The database cannot be reached just now.",
}


def openapi_document(app: FastAPI, datasets: Mapping[str, Dataset]) -> dict[str, Any]:
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        components = found.setdefault("components", {})
        components["schemas"] = {
            **components.get("schemas", {}),
            **json_schemas.COMPONENTS,
            **{name: json_schemas.record_schema(dataset) for name, dataset in datasets.items()},
        }
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
        app.openapi_schema = found
    return app.openapi_schema


def read_operation(dataset: Dataset) -> dict[str, Any]:
    row = {"type": "object", "properties": json_schemas.record_schema(dataset)["properties"]}
    page = {
        "type": "object",
        "required": ["rows", "next"],
        "properties": {"rows": {"type": "array", "items": row}, "next": {"type": ["string", "null"]}},
    }
    return {
        "parameters": [*_asked(dataset), _PURPOSE],
        "responses": {
            "200": {
                "description": "The rows that the caller sees, and where the next page begins.",
                "content": {
                    "application/json": {"schema": _loose(page)},
                    "application/x-ndjson": {"schema": {"type": "string"}},
                    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
                    "text/csv": {"schema": {"type": "string"}},
                },
            },
            **_problems(400, 401, 403, 422, 429, 500, 503),
        },
    }


def read_one_operation(dataset: Dataset) -> dict[str, Any]:
    row = {"type": "object", "properties": json_schemas.record_schema(dataset)["properties"]}
    return {
        "parameters": [*_path(dataset), _PURPOSE],
        "responses": {
            "200": {
                "description": "The row, as the caller sees it.",
                "content": {"application/json": {"schema": _loose(row)}},
            },
            **_problems(400, 401, 403, 404, 422, 429, 500, 503),
        },
    }


def history_operation(dataset: Dataset) -> dict[str, Any]:
    anything = {"description": "A value, or `***` where the caller does not see it."}
    change = {
        "type": "object",
        "required": ["field", "old", "new"],
        "properties": {"field": {"type": "string"}, "old": anything, "new": anything},
    }
    event = {
        "type": "object",
        "required": ["at", "what", "actor", "run_id", "fields"],
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "what": {"enum": ["inserted", "updated"]},
            "actor": {"type": ["string", "null"]},
            "run_id": {"type": ["integer", "null"]},
            "fields": {"type": "array", "items": change},
        },
    }
    events = {
        "type": "object",
        "required": ["events"],
        "properties": {"events": {"type": "array", "items": event}},
    }
    return {
        "parameters": [*_path(dataset), _PURPOSE],
        "responses": {
            "200": {
                "description": "When the row came, and each change since, newest first.",
                "content": {"application/json": {"schema": events}},
            },
            **_problems(400, 401, 403, 404, 422, 429, 500, 503),
        },
    }


def write_operation(dataset: Dataset) -> dict[str, Any]:
    record = {"$ref": f"#/components/schemas/{dataset.name}"}
    example = json_schemas.record_example(dataset)
    parts = [{"$ref": f"#/components/schemas/{name}"} for name in ("Answer", "AnswerToOne")]
    answer = {"application/json": {"schema": {"anyOf": parts}}}
    return {
        "parameters": [_KEY, _PURPOSE],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"oneOf": [record, {"type": "array", "items": record}]},
                    "examples": {
                        "one": {"summary": "One record", "value": example},
                        "batch": {"summary": "A batch", "value": [example]},
                    },
                },
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        "responses": {
            "200": {"description": "What became of the records.", "content": answer},
            "201": {"description": "The record was inserted.", "content": answer},
            **_problems(400, 401, 403, 409, 413, 415, 422, 429, 500, 503),
        },
    }


def put_operation(dataset: Dataset) -> dict[str, Any]:
    found = write_operation(dataset)
    record = json_schemas.record_schema(dataset)
    required = [name for name in record["required"] if name not in dataset.key]
    example = json_schemas.record_example(dataset, but=dataset.key)
    body = {"application/json": {"schema": {**record, "required": required}, "example": example}}
    return {
        **found,
        "parameters": [*_path(dataset), *found["parameters"]],
        "requestBody": {"required": True, "content": body},
    }


def patch_operation(dataset: Dataset) -> dict[str, Any]:
    found = put_operation(dataset)
    whole = json_schemas.record_example(dataset, but=dataset.key)
    example = dict(list(whole.items())[-1:])  # one field, as a part may be
    body = {
        "application/json": {
            "schema": {**json_schemas.record_schema(dataset), "required": []},
            "example": example,
        }
    }
    responses = {**found["responses"], **_problems(404, 410)}
    return {**found, "requestBody": {"required": True, "content": body}, "responses": responses}


def _path(dataset: Dataset) -> list[dict[str, Any]]:
    return [{"name": it, "in": "path", "required": True, "schema": {"type": "string"}} for it in dataset.key]


def upload_operation() -> dict[str, Any]:
    asked = {
        "name": ({"type": "string"}, "What the file is called; its ending says its format.", True),
        "rows": ({"type": "integer"}, "How many rows the sender says that it has.", False),
    }
    return {
        "parameters": [
            {"name": name, "in": "query", "schema": schema, "description": said, "required": required}
            for name, (schema, said, required) in asked.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        "responses": {
            "200": {
                "description": "What became of the file's rows.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loaded"}}},
            },
            **_problems(400, 401, 403, 409, 413, 422, 429, 500, 503),
        },
    }


def _asked(dataset: Dataset) -> list[dict[str, Any]]:
    words = {
        "sort": (
            {"type": "string"},
            "Fields to sort by; - before one turns it round, e.g. -spent_on,amount.",
        ),
        "limit": (
            {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": DEFAULT_LIMIT},
            "Rows of a page.",
        ),
        "fields": ({"type": "string"}, "Fields to show, with commas between them."),
        "after": ({"type": "string"}, "Where the page begins: `next` of the page before."),
        "format": (
            {"enum": ["json", "ndjson", "csv", "parquet"]},
            "All but json hold all rows, whatever the limit.",
        ),
    }
    asked = [
        {"name": name, "in": "query", "schema": schema, "description": said}
        for name, (schema, said) in words.items()
    ]
    said = "Equal to this. With .ne .lt .lte .gt .gte .in .starts .is behind the name: so compared."
    asked += [
        {"name": field.name, "in": "query", "schema": {"type": "string"}, "description": said}
        for field in dataset.fields
        if not field.protection.sealed
    ]
    return asked


def _loose(schema: dict[str, Any]) -> dict[str, Any]:
    """What a role sees masked is text with stars, so that no field keeps its type for everybody."""
    if schema.get("type") == "array":
        return {**schema, "items": _loose(schema["items"])}
    properties = schema.get("properties", {})
    if "rows" in properties:
        return {**schema, "properties": {**properties, "rows": _loose(properties["rows"])}}
    return {
        "type": "object",
        "properties": {
            name: {key: value for key, value in one.items() if key in ("description", "examples")}
            for name, one in properties.items()
        },
    }


def _problems(*statuses: int) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        str(status): {"description": _PROBLEMS[status], "content": {MEDIA_TYPE: schema}}
        for status in statuses
    }
