"""Records: browsed, filtered, exported; one with its history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from daftari.api.routes.read import MEDIA
from daftari.contract.model import Dataset, LogicalType
from daftari.errors import AccessRefused
from daftari.operations.read.read_history import read_history
from daftari.operations.read.read_rows import Reader, export_rows, query_of, read_page
from daftari.rows.query import VisibleColumn
from daftari.web.page_request import PageRequest

#: What a filter may say, in words, by the operator of an address.
OPERATORS = {
    "eq": "is",
    "ne": "is not",
    "starts": "begins with",
    "gte": "is at least",
    "lte": "is at most",
    "gt": "is more than",
    "lt": "is less than",
    "in": "is one of",
    "is": "is there (null, notnull)",
}
_OURS = ("purpose", "field", "operator", "value", "format")
_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)
#: Kinds of values that stay on one line.
_SHORT = (*_NUMBERS, LogicalType.DATE, LogicalType.TIMESTAMP)


def list_records(visit: PageRequest) -> Response:
    dataset = visit.contract(visit.request.path_params["dataset"]).dataset
    asked = list(visit.request.query_params.multi_items())
    given = dict(asked)
    if given.get("field"):  # the form of one more filter: an address that may be kept and sent on
        return visit.go(f"/records/{dataset.name}{narrowed(asked)}")
    reader = _reader(visit, dataset)
    shown = shown_of(reader)
    query = query_of(reader, [("fields", ",".join(it.name for it in shown)), *wanted_columns(asked)])
    with visit.connection() as conn:
        page = read_page(conn, reader, query)
    return visit.page(
        "records",
        dataset=dataset,
        columns=shown,
        short={
            it.name for it in shown if it.field is None or it.field.logical_type in _SHORT or it.field.is_key
        },
        numbers={it.name for it in shown if it.field and it.field.logical_type in _NUMBERS},
        rows=[values_of(row, shown) for row in page.rows],
        following=address(asked, after=page.next) if page.next else None,
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


def export_records(visit: PageRequest) -> Response:
    dataset = visit.contract(visit.request.path_params["dataset"]).dataset
    asked = list(visit.request.query_params.multi_items())
    form = visit.request.query_params.get("format", "csv")
    if form not in MEDIA:
        raise AccessRefused(f"There is no export of this form; expected {', '.join(MEDIA)}.")
    reader = _reader(visit, dataset)
    names = ",".join(it.name for it in shown_of(reader))
    query = query_of(reader, [("fields", names), *wanted_columns(asked)])

    def pieces() -> Iterator[bytes]:
        with visit.connection() as conn:
            yield from export_rows(conn, reader, query, form=form)

    found = pieces()
    first = next(found, b"")  # what goes wrong still has a page of its own

    def every() -> Iterator[bytes]:
        yield first
        yield from found

    headers = {"Content-Disposition": f'attachment; filename="{dataset.name}.{form}"'}
    return StreamingResponse(every(), media_type=MEDIA[form], headers=headers)


def show_record(visit: PageRequest) -> Response:
    dataset = visit.contract(visit.request.path_params["dataset"]).dataset
    key = visit.request.query_params.getlist("key")
    if not dataset.key or len(key) != len(dataset.key):
        raise AccessRefused(f"{dataset.name}: the address does not name a row")
    reader = _reader(visit, dataset)
    shown = shown_of(reader)
    query = query_of(
        reader, [("fields", ",".join(it.name for it in shown)), *zip(dataset.key, key, strict=True)]
    )
    with visit.connection() as conn:
        page = read_page(conn, reader, query)
        events = read_history(conn, reader, key) if page.rows else None
    if not page.rows or events is None:
        raise AccessRefused(f"{dataset.name}: there is no such row, or it is not for you to see")
    return visit.page(
        "record",
        dataset=dataset,
        key=key,
        columns=shown,
        row=values_of(page.rows[0], shown),
        events=events,
        withheld=[it.name for it in reader.relation.columns if it not in shown],
        purpose=visit.request.query_params.get("purpose", ""),
    )


def _reader(visit: PageRequest, dataset: Dataset) -> Reader:
    return visit.reader(dataset, visit.request.query_params.get("purpose") or None)


def shown_of(reader: Reader) -> list[VisibleColumn]:
    """Every column, but for a restricted one where nobody said what for."""
    has_purpose = reader.context.has_purpose
    return [it for it in reader.relation.columns if has_purpose or not it.is_restricted]


def wanted_columns(asked: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What of an address is for the rows, and not for the page."""
    return [(name, value) for name, value in asked if name not in (*_OURS, "fields")]


def without(asked: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    return [it for it in asked if it != (name, value) and it[0] != "after"]


def narrowed(asked: list[tuple[str, str]]) -> str:
    """The address with the filter that the form of one more filter asks for; it begins at the first page."""
    given = dict(asked)
    field, operator = given["field"], given.get("operator", "eq")
    name = field if operator == "eq" else f"{field}.{operator}"
    kept = [(it, value) for it, value in asked if it not in (*_OURS[1:], "after")]
    return address([*kept, (name, given.get("value", ""))])


def address(asked: list[tuple[str, str]], **more: str | None) -> str:
    kept = [it for it in asked if it[0] not in more]
    return "?" + urlencode([*kept, *((name, value) for name, value in more.items() if value)])


def sorted_by(asked: list[tuple[str, str]], name: str) -> tuple[str, str]:
    """How the rows are sorted by a column now, in the words of ARIA, and the address that turns it around."""
    now = dict(asked).get("sort", "")
    state = {name: "ascending", f"-{name}": "descending"}.get(now, "none")
    following = f"-{name}" if now == name else name
    return state, address([it for it in asked if it[0] != "after"], sort=following)


def values_of(row: str, columns: list[VisibleColumn]) -> dict[str, Any]:
    """The cells of a row; JSON has no type for an instant."""
    found: dict[str, Any] = json.loads(row, parse_float=Decimal)
    instants = [it.name for it in columns if it.type == "timestamptz" and found.get(it.name)]
    return found | {name: datetime.fromisoformat(found[name]) for name in instants}


def row_address(dataset: Dataset, row: dict[str, Any], purpose: str) -> str:
    """Where the page of a row is."""
    asked = [("key", str(row[name])) for name in dataset.key]
    return f"/records/{dataset.name}/row?{urlencode([*asked, *([('purpose', purpose)] if purpose else [])])}"
