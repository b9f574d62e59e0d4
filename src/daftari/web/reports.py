"""Reports from the marts: a chart that one can read values from, its table, and its CSV."""

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


def list_reports(visit: PageRequest) -> Response:
    mine = _mine(visit)
    with visit.connection() as conn:
        reports = list(zip(mine, are_built(conn, mine), strict=True))
    asked = visit.request.query_params
    return visit.page("reports", reports=reports, may_build=_builds(visit), built=asked.get("built", ""))


def rebuild_reports(visit: PageRequest) -> Response:
    """Bring the reports up to date. What fails its tests is not published: readers keep what they have."""
    if not _builds(visit):
        raise AccessRefused("Reports are built anew by who loads what they are made of.")
    options = TransformOptions.of(visit.service.settings)
    with visit.connection() as conn:
        built = build_marts(conn, visit.service.workspace, options, lambda *_: None)
    return visit.go(f"/reports?built={'yes' if built.is_published else 'no'}&run={built.run_id}")


def _builds(visit: PageRequest) -> bool:
    return any(visit.adds(it.dataset) for it in visit.contracts)


def show_report(visit: PageRequest) -> Response:
    report = _asked(visit)
    read = _read(visit, report)
    return visit.page(
        "report",
        report=report,
        choices=read.choices,
        picked=read.picked,
        chart=chart_of(report, read.rows, ZoneInfo(visit.service.settings.time_zone)),
        rows=read.rows[-500:],
        total=len(read.rows),
        query=visit.request.url.query,
    )


def download_report(visit: PageRequest) -> Response:
    report = _asked(visit)
    rows = _read(visit, report).rows
    headers = {"Content-Disposition": f'attachment; filename="{report.mart}.csv"'}
    return Response(
        csv_file(list(report.columns), rows), media_type="text/csv; charset=utf-8", headers=headers
    )


@dataclass(frozen=True, kw_only=True)
class OwnFigures:
    """What a report says of the visitor."""

    report: Report
    columns: list[str]
    rows: list[list[Any]]  #: the latest first
    made_at: datetime | None


def about_me(visit: PageRequest, dataset: Dataset) -> list[OwnFigures]:
    """The reports of a dataset's pipeline of which the visitor's role reads what is about itself alone."""
    workspace = visit.service.workspace
    pipeline, _ = workspace.dataset(dataset.name)
    reports = [
        it
        for it in _mine(visit)
        if it.pipeline == pipeline.name and workspace.readers.scope(it.mart, visit.role) == "own"
    ]
    if not reports:
        return []
    with visit.connection() as conn:
        rows, made_at = read_whole(conn, reports, context=visit.errand(), roles=visit.service.roles)
    readers = visit.service.workspace.readers.of
    return [
        own_figures(it, rows[it.mart], readers[it.mart].subject, made_at) for it in reports if it.mart in rows
    ]


def own_figures(report: Report, rows: list[Row], subject: str | None, made_at: datetime | None) -> OwnFigures:
    """What *rows* of a report say of the person whom its column *subject* names; that column is left out."""
    names = list(report.columns)
    latest = sorted(rows, key=lambda row: [row[names.index(it)] for it in report.per], reverse=True)
    # What it is about comes first, as the rest may be beyond the edge of a small screen.
    first = sorted(names, key=lambda it: (it not in report.names, it != report.value))
    shown = [names.index(it) for it in first if it != subject]
    return OwnFigures(
        report=report,
        columns=[names[at] for at in shown],
        rows=[[row[at] for at in shown] for row in latest[:_MOST_OWN]],
        made_at=made_at,
    )


def _mine(visit: PageRequest) -> list[Report]:
    readers = visit.service.workspace.readers
    return [it for it in visit.service.reports if readers.scope(it.mart, visit.role)]


def _asked(visit: PageRequest) -> Report:
    name = visit.request.path_params["mart"]
    for report in _mine(visit):
        if report.mart == name:
            return report
    raise AccessRefused("There is no such report, or it is not for your role.")


def _read(visit: PageRequest, report: Report) -> ReadReport:
    with visit.connection() as conn:
        return read_report(
            conn,
            report,
            visit.request.query_params,
            context=visit.errand(),
            roles=visit.service.roles,
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
