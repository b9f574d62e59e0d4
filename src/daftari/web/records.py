"""Records: browse, filter and export them; show one with its history."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from daftari.api.routes.read import MEDIA, attachment
from daftari.api.spool import spooled
from daftari.contract.model import Dataset, LogicalType
from daftari.errors import AccessRefused
from daftari.operations.read.read_history import read_history
from daftari.operations.read.read_rows import Reader, export_rows, query_of, read_page
from daftari.rows.url_query import VisibleColumn
from daftari.web.page_request import PageRequest

#: The operators of addresses in words, for the filter form.
OPERATORS = {
    "eq": "is",
    "ne": "is not",
    "starts": "begins with",
    "gte": "is at least",
    "lte": "is at most",
    "gt": "is more than",
    "lt": "is less than",
    "in": "is one of",
    "is": "is null or notnull",
}
_OURS = ("purpose", "field", "operator", "value", "format")
_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)
#: Kinds of values that stay on one line.
_SHORT = (*_NUMBERS, LogicalType.DATE, LogicalType.TIMESTAMP)


def list_records(page: PageRequest) -> Response:
    dataset = page.contract(page.request.path_params["dataset"]).dataset
    asked = list(page.request.query_params.multi_items())
    given = dict(asked)
    if given.get("field"):  # the filter form: redirect to an address that can be bookmarked and shared
        return page.redirect(f"/records/{dataset.name}{narrowed(asked)}")
    reader = _reader(page, dataset)
    shown = shown_of(reader)
    query = query_of(reader, [("fields", ",".join(it.name for it in shown)), *wanted_columns(asked)])
    with page.connection() as conn:
        found = read_page(conn, reader, query)
    return page.render(
        "records",
        dataset=dataset,
        columns=shown,
        short={
            it.name for it in shown if it.field is None or it.field.logical_type in _SHORT or it.field.is_key
        },
        numbers={it.name for it in shown if it.field and it.field.logical_type in _NUMBERS},
        rows=[values_of(row, shown) for row in found.rows],
        following=address(asked, after=found.next) if found.next else None,
        filters=[
            {"field": name, "value": value, "without": address(without(asked, name, value))}
            for name, value in wanted_columns(asked)
            if name not in ("sort", "limit", "after", "fields")
        ],
        sortable=[it for it in shown if it.is_for_addresses],
        sorts={it.name: sorted_by(asked, it.name) for it in shown},
        withheld=[it.name for it in reader.relation.columns if it not in shown],
        purpose=given.get("purpose", ""),
        operators=OPERATORS,
        kept=[(name, value) for name, value in asked if name not in (*_OURS[1:], "after")],
        query=urlencode([(name, value) for name, value in asked if name not in ("after", "limit")]),
    )


def export_records(page: PageRequest) -> Response:
    dataset = page.contract(page.request.path_params["dataset"]).dataset
    asked = list(page.request.query_params.multi_items())
    form = page.request.query_params.get("format", "spreadsheet")
    if form not in MEDIA:
        raise AccessRefused(f"There is no such export format; expected {', '.join(MEDIA)}.")
    reader = _reader(page, dataset)
    names = ",".join(it.name for it in shown_of(reader))
    query = query_of(reader, [("fields", names), *wanted_columns(asked)])

    with page.connection() as conn:
        pieces = spooled(export_rows(conn, reader, query, form=form))
    headers = {"Content-Disposition": attachment(dataset, form)}
    return StreamingResponse(pieces, media_type=MEDIA[form], headers=headers)


def show_record(page: PageRequest) -> Response:
    dataset = page.contract(page.request.path_params["dataset"]).dataset
    key = page.request.query_params.getlist("key")
    if not dataset.key or len(key) != len(dataset.key):
        raise AccessRefused(f"{dataset.name}: expected the whole key of a row in the address")
    reader = _reader(page, dataset)
    shown = shown_of(reader)
    query = query_of(
        reader, [("fields", ",".join(it.name for it in shown)), *zip(dataset.key, key, strict=True)]
    )
    with page.connection() as conn:
        found = read_page(conn, reader, query)
        events = read_history(conn, reader, key) if found.rows else None
    if not found.rows or events is None:
        raise AccessRefused(f"{dataset.name}: there is no such row, or you may not see it")
    return page.render(
        "record",
        dataset=dataset,
        key=key,
        columns=shown,
        row=values_of(found.rows[0], shown),
        events=events,
        withheld=[it.name for it in reader.relation.columns if it not in shown],
        purpose=page.request.query_params.get("purpose", ""),
    )


def _reader(page: PageRequest, dataset: Dataset) -> Reader:
    return page.reader(dataset, page.request.query_params.get("purpose") or None)


def shown_of(reader: Reader) -> list[VisibleColumn]:
    """Return every column, except restricted ones if no purpose is stated."""
    has_purpose = reader.context.has_purpose
    return [it for it in reader.relation.columns if has_purpose or not it.is_restricted]


def wanted_columns(asked: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the part of an address that is about the rows, not the page."""
    return [(name, value) for name, value in asked if name not in (*_OURS, "fields")]


def without(asked: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    return [it for it in asked if it != (name, value) and it[0] != "after"]


def narrowed(asked: list[tuple[str, str]]) -> str:
    """Return the address with the filter of the form added, at the first page."""
    given = dict(asked)
    field, operator = given["field"], given.get("operator", "eq")
    name = field if operator == "eq" else f"{field}.{operator}"
    kept = [(it, value) for it, value in asked if it not in (*_OURS[1:], "after")]
    return address([*kept, (name, given.get("value", ""))])


def address(asked: list[tuple[str, str]], **more: str | None) -> str:
    kept = [it for it in asked if it[0] not in more]
    return "?" + urlencode([*kept, *((name, value) for name, value in more.items() if value)])


def sorted_by(asked: list[tuple[str, str]], name: str) -> tuple[str, str]:
    """Return how the rows are sorted by a column, as ARIA names it, and the address that reverses it."""
    now = dict(asked).get("sort", "")
    state = {name: "ascending", f"-{name}": "descending"}.get(now, "none")
    following = f"-{name}" if now == name else name
    return state, address([it for it in asked if it[0] != "after"], sort=following)


def values_of(row: str, columns: list[VisibleColumn]) -> dict[str, Any]:
    """Return the cells of a row. JSON has no type for instants, so they are parsed."""
    found: dict[str, Any] = json.loads(row, parse_float=Decimal)
    instants = [it.name for it in columns if it.type == "timestamptz" and found.get(it.name)]
    return found | {name: datetime.fromisoformat(found[name]) for name in instants}


def row_address(dataset: Dataset, row: dict[str, Any], purpose: str) -> str:
    """Return the address of a row's page."""
    asked = [("key", str(row[name])) for name in dataset.key]
    return f"/records/{dataset.name}/row?{urlencode([*asked, *([('purpose', purpose)] if purpose else [])])}"
