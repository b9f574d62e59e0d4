"""A calendar of any dataset whose rows are spans of days that may not overlap: who is away, and when."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
from starlette.responses import Response

from daftari.api.service import clock
from daftari.compile.access.relations import relation_of
from daftari.contract.model import Dataset, LogicalType
from daftari.errors import AccessRefused
from daftari.operations.read.read_rows import query_of, read_page
from daftari.rows.formats.parse import physical
from daftari.rows.rules.expressions import parse
from daftari.rows.rules.working_days import days_off
from daftari.web import records
from daftari.web.page_request import PageRequest

_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
_MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Span:
    start: date
    end: date
    state: str
    key: str


def has_calendar(page: PageRequest, dataset: Dataset) -> bool:
    return page.may_read(dataset) and calendar_columns(dataset, page.role) is not None


def calendar_page(page: PageRequest) -> Response:
    datasets = [it.dataset for it in page.contracts if has_calendar(page, it.dataset)]
    name = page.request.path_params.get("dataset") or (datasets[0].name if datasets else "")
    dataset = next((it for it in datasets if it.name == name), None)
    if dataset is None:
        raise AccessRefused("There is no such calendar, or your role may not see it.")
    today = dataset.today(clock())
    first, last = month_of(page.request.query_params.get("month", ""), today)
    spans, is_cut = _spans(page, dataset, (first, last), today)
    return page.render(
        "calendar",
        dataset=dataset,
        datasets=datasets,
        first=first,
        days=[first + timedelta(days=at) for at in range(last.day)],
        off=days_off(first, last, page.service.settings.country),
        people={
            who: {day: it for it in its for day in days_of(it, first, last)} for who, its in spans.items()
        },
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=f"{last + timedelta(days=1):%Y-%m}",
        is_cut=is_cut,
    )


def month_of(asked: str, today: date) -> tuple[date, date]:
    """Return the first and last day of the requested month, such as `2026-03`; default: the current month."""
    first = date.fromisoformat(f"{asked}-01") if _MONTH.fullmatch(asked) else today.replace(day=1)
    return first, first.replace(day=monthrange(first.year, first.month)[1])


def days_of(span: Span, first: date, last: date) -> list[date]:
    """Return the days of *span* from *first* to *last*."""
    start, end = max(span.start, first), min(span.end, last)
    return [start + timedelta(days=at) for at in range((end - start).days + 1)]


def calendar_columns(dataset: Dataset, role: str) -> list[str] | None:
    """Return the columns of a calendar; None if *role* does not see them all, or the dataset has no spans."""
    relation, overlap = relation_of(dataset, role), dataset.no_overlap
    if relation is None or overlap is None:
        return None
    seen = {it.name for it in relation.columns if it.field}
    state = [dataset.approval.field] if dataset.approval else []
    unless = parse(overlap.unless, dataset, where=dataset.name).fields if overlap.unless else ()
    needed = dict.fromkeys([*overlap.key, overlap.start, overlap.end, *state, *unless, *dataset.key])
    dated = {it.name for it in relation.columns if it.field and it.field.logical_type is LogicalType.DATE}
    ends_unmasked = {overlap.start, overlap.end} <= dated - {
        it.name for it in relation.columns if it.is_masked
    }
    return list(needed) if needed.keys() <= seen and ends_unmasked else None


def _spans(
    page: PageRequest, dataset: Dataset, within: tuple[date, date], today: date
) -> tuple[dict[str, list[Span]], bool]:
    names, overlap = calendar_columns(dataset, page.role), dataset.no_overlap
    assert names is not None and overlap is not None, "the dataset has a calendar"
    reader, (first, last) = page.reader(dataset), within
    asked = [(f"{overlap.start}.lte", str(last)), (f"{overlap.end}.gte", str(first)), ("limit", str(_MOST))]
    query = query_of(reader, [("fields", ",".join(names)), *asked])
    with page.connection() as conn:
        found = read_page(conn, reader, query)
    columns = [it for it in reader.relation.columns if it.name in names]
    rows = [records.values_of(row, columns) for row in found.rows]
    return spans_of(dataset, blocking_rows(dataset, rows, today)), found.next is not None


def spans_of(dataset: Dataset, rows: list[dict[str, Any]]) -> dict[str, list[Span]]:
    """Return the spans of *rows*, by the person or thing that they belong to."""
    overlap = dataset.no_overlap
    assert overlap is not None, "the dataset has a calendar"
    found: dict[str, list[Span]] = {}
    for row in rows:
        span = Span(
            start=_day(row[overlap.start]),
            end=_day(row[overlap.end]),
            state=str(row[dataset.approval.field]) if dataset.approval else "taken",
            key=", ".join(str(row[it]) for it in dataset.key),
        )
        found.setdefault(", ".join(str(row[it]) for it in overlap.key), []).append(span)
    return dict(sorted(found.items()))


def blocking_rows(dataset: Dataset, rows: list[dict[str, Any]], today: date) -> list[dict[str, Any]]:
    """Return the rows that may not overlap. A rejected request, for example, is not an absence."""
    overlap = dataset.no_overlap
    if overlap is None or overlap.unless is None or not rows:
        return rows
    condition = parse(overlap.unless, dataset, where=dataset.name)
    frame = pl.DataFrame(
        {
            it: pl.Series([row[it] for row in rows], dtype=physical(dataset.field(it)))
            for it in condition.fields
        }
    )
    meets = frame.select(condition.expression(today).fill_null(value=False)).to_series()
    return [row for row, is_out in zip(rows, meets, strict=True) if not is_out]


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
