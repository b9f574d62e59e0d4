"""Reports from the marts: a chart, its table and its CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from daftari.contract.model import Dataset
from daftari.errors import AccessRefused
from daftari.operations.marts.build_marts import TransformOptions, build_marts
from daftari.operations.marts.read_reports import (
    ReadReport,
    Report,
    Row,
    are_built,
    read_report,
    read_whole,
)
from daftari.operations.read.write_csv import csv_file
from daftari.web import charts
from daftari.web.page_request import PageRequest
from daftari.web.value_formats import value as written

_MOST_BARS = 20
_MOST_OWN = 3


def list_reports(page: PageRequest) -> Response:
    mine = _mine(page)
    with page.connection() as conn:
        reports = list(zip(mine, are_built(conn, mine), strict=True))
    asked = page.request.query_params
    return page.render(
        "reports", reports=reports, may_rebuild=_may_rebuild(page), built=asked.get("built", "")
    )


def rebuild_reports(page: PageRequest) -> Response:
    """Rebuild the reports. If a test fails, nothing is published and readers keep the previous version."""
    if not _may_rebuild(page):
        raise AccessRefused("Your role may not rebuild reports; expected a role that loads a dataset.")
    options = TransformOptions.of(page.service.settings)
    with page.connection() as conn:
        built = build_marts(conn, page.service.workspace, options, lambda *_: None)
    return page.redirect(f"/reports?built={'yes' if built.is_published else 'no'}&run={built.run_id}")


def _may_rebuild(page: PageRequest) -> bool:
    return any(page.may_load(it.dataset) for it in page.contracts)


def show_report(page: PageRequest) -> Response:
    report = _asked(page)
    read = _read(page, report)
    return page.render(
        "report",
        report=report,
        choices=read.choices,
        picked=read.picked,
        chart=chart_of(report, read.rows, ZoneInfo(page.service.settings.time_zone)),
        rows=read.rows[-500:],
        total=len(read.rows),
        query=page.request.url.query,
    )


def download_report(page: PageRequest) -> Response:
    report = _asked(page)
    rows = _read(page, report).rows
    headers = {"Content-Disposition": f'attachment; filename="{report.mart}.csv"'}
    return Response(
        csv_file(list(report.columns), rows), media_type="text/csv; charset=utf-8", headers=headers
    )


@dataclass(frozen=True, kw_only=True)
class OwnFigures:
    """What a report says about the user."""

    report: Report
    columns: list[str]
    rows: list[list[Any]]  #: the latest first
    made_at: datetime | None


def about_me(page: PageRequest, dataset: Dataset) -> list[OwnFigures]:
    """Return the reports of a dataset's pipeline in which the user sees only own rows."""
    workspace = page.service.workspace
    pipeline, _ = workspace.dataset(dataset.name)
    reports = [
        it
        for it in _mine(page)
        if it.pipeline == pipeline.name and workspace.readers.scope(it.mart, page.role) == "own"
    ]
    if not reports:
        return []
    with page.connection() as conn:
        rows, made_at = read_whole(conn, reports, context=page.context(), roles=page.service.roles)
    readers = page.service.workspace.readers.of
    return [
        own_figures(it, rows[it.mart], readers[it.mart].subject, made_at) for it in reports if it.mart in rows
    ]


def own_figures(report: Report, rows: list[Row], subject: str | None, made_at: datetime | None) -> OwnFigures:
    """Return what *rows* of a report say about the person in its column *subject*, without that column."""
    names = list(report.columns)
    latest = sorted(rows, key=lambda row: [row[names.index(it)] for it in report.per], reverse=True)
    # The most important columns come first: the others may be beyond the edge of a small screen.
    first = sorted(names, key=lambda it: (it not in report.names, it != report.value))
    shown = [names.index(it) for it in first if it != subject]
    return OwnFigures(
        report=report,
        columns=[names[at] for at in shown],
        rows=[[row[at] for at in shown] for row in latest[:_MOST_OWN]],
        made_at=made_at,
    )


def _mine(page: PageRequest) -> list[Report]:
    readers = page.service.workspace.readers
    return [it for it in page.service.reports if readers.scope(it.mart, page.role)]


def _asked(page: PageRequest) -> Report:
    name = page.request.path_params["mart"]
    for report in _mine(page):
        if report.mart == name:
            return report
    raise AccessRefused("There is no such report, or your role may not see it.")


def _read(page: PageRequest, report: Report) -> ReadReport:
    with page.connection() as conn:
        return read_report(
            conn,
            report,
            page.request.query_params,
            context=page.context(),
            roles=page.service.roles,
        )


def chart_of(report: Report, rows: list[Row], zone: tzinfo) -> Any:
    at = {name: number for number, name in enumerate(report.columns)}
    along, value = at[report.along], at[report.value]
    if report.chart == "bars":
        sums: dict[str, Decimal] = {}
        for row in rows:
            if row[value] is not None:
                name = written(row[along], zone)
                sums[name] = sums.get(name, Decimal(0)) + Decimal(row[value])
        largest = sorted(sums.items(), key=lambda it: -it[1])[:_MOST_BARS]
        return charts.bars(largest, title=report.title) if len(largest) > 1 else None
    labels = sorted({row[along] for row in rows})
    place = {label: number for number, label in enumerate(labels)}
    series: dict[str, list[Any]] = {}
    for row in rows:
        name = written(row[at[report.by]], zone) if report.by else report.value
        series.setdefault(name, [None] * len(labels))[place[row[along]]] = row[value]
    short = [str(label)[:7] if len(str(label)) == 10 else str(label) for label in labels]
    return charts.lines(short, series, title=report.title)
