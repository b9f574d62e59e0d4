"""The OpenAPI document: the parameters and responses of each operation, from the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from daftari.api.openapi import json_schemas
from daftari.api.problems import MEDIA_TYPE
from daftari.contract.model import Dataset
from daftari.rows.url_query import DEFAULT_LIMIT, MOST_ROWS

_PURPOSE = {
    "name": "X-Purpose",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The purpose, recorded in the audit. Required to read restricted fields.",
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "Identifies the request: sent again with the same body, it returns the same response.",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The `ETag` of the row that was read: if the row is another one by now, nothing is changed.",
}
_PROBLEMS = {
    400: "The request cannot be read.",
    401: "The token is missing or not valid.",
    403: "The caller's role may not do this.",
    404: "There is no such row, or the caller may not see it.",
    409: "The same request is still being processed, or the contract changed.",
    410: "The person of a sealed value in the row was erased.",
    412: "The row is not the one that `If-Match` names.",
    413: "Too many records, or too many bytes.",
    415: "The content type of the body is not supported.",
    422: "The query is not valid, records break rules, or the idempotency key was used for another request.",
    429: "Too many requests: `Retry-After` gives the seconds to wait.",
    500: "An internal error of daftari.",
    503: "The database cannot be reached at the moment.",
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
                "description": "The rows that the caller may see, and the cursor of the next page.",
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
                "description": "The row, as the caller may see it.",
                "headers": {
                    "ETag": {
                        "description": "The version of the row, for `If-Match`.",
                        "schema": {"type": "string"},
                    }
                },
                "content": {"application/json": {"schema": _loose(row)}},
            },
            **_problems(400, 401, 403, 404, 422, 429, 500, 503),
        },
    }


def history_operation(dataset: Dataset) -> dict[str, Any]:
    anything = {"description": "A value, or `***` if the caller may not see it."}
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
                "description": "When the row was inserted, and each change since, newest first.",
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
            "200": {"description": "The outcome of each record.", "content": answer},
            "201": {"description": "The record was inserted.", "content": answer},
            **_problems(400, 401, 403, 409, 413, 415, 422, 429, 500, 503),
        },
    }


def put_operation(dataset: Dataset) -> dict[str, Any]:
    found = write_operation(dataset)
    record = json_schemas.record_schema(dataset)
    required = [name for name in record["required"] if name not in dataset.key]
    example = json_schemas.record_example(dataset, without=dataset.key)
    body = {"application/json": {"schema": {**record, "required": required}, "example": example}}
    return {
        **found,
        "parameters": [*_path(dataset), *found["parameters"], _IF_MATCH],
        "requestBody": {"required": True, "content": body},
        "responses": {**found["responses"], **_problems(412)},
    }


def patch_operation(dataset: Dataset) -> dict[str, Any]:
    found = put_operation(dataset)
    whole = json_schemas.record_example(dataset, without=dataset.key)
    example = dict(list(whole.items())[-1:])  # one field: a part of a record is enough
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
        "name": ({"type": "string"}, "The name of the file; its extension gives the format.", True),
        "sheet": ({"type": "string"}, "The sheet of a workbook, by its name or number.", False),
        "rows": ({"type": "integer"}, "The number of rows that the sender states.", False),
    }
    return {
        "parameters": [
            {"name": name, "in": "query", "schema": schema, "description": text, "required": required}
            for name, (schema, text, required) in asked.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        "responses": {
            "200": {
                "description": "The outcome of the file's rows.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loaded"}}},
            },
            **_problems(400, 401, 403, 409, 413, 422, 429, 500, 503),
        },
    }


def _asked(dataset: Dataset) -> list[dict[str, Any]]:
    words = {
        "sort": (
            {"type": "string"},
            "Fields to sort by; a - before a field sorts it in descending order, e.g. -spent_on,amount.",
        ),
        "limit": (
            {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": DEFAULT_LIMIT},
            "The number of rows of a page.",
        ),
        "fields": ({"type": "string"}, "Fields to return, separated by commas."),
        "after": ({"type": "string"}, "The start of the page: `next` of the previous page."),
        "format": (
            {"enum": ["json", "ndjson", "csv", "spreadsheet", "parquet"]},
            "All formats except json return all rows and ignore the limit; spreadsheet is CSV without formulas.",
        ),
    }
    asked = [
        {"name": name, "in": "query", "schema": schema, "description": text}
        for name, (schema, text) in words.items()
    ]
    text = "Equal to this value. Append .ne .lt .lte .gt .gte .in .starts or .is to the name for another comparison."
    asked += [
        {"name": field.name, "in": "query", "schema": {"type": "string"}, "description": text}
        for field in dataset.fields
        if not field.protection.sealed
    ]
    return asked


def _loose(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove the types of fields: a role that sees a field masked gets text with stars."""
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
