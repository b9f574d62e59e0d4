"""Reports from the marts: a chart that one can read values from, its table, and its CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection
from starlette.responses import Response

from daftari.contract.model import Dataset
from daftari.errors import AccessRefused
from daftari.io import mart_reports
from daftari.io.callers import in_role_of, speak_for
from daftari.io.mart_reports import Report, Row
from daftari.io.overview import reports_made_at
from daftari.operations.build_marts import TransformOptions, build_marts
from daftari.operations.write_csv import csv_file
from daftari.web import charts
from daftari.web.visits import Visit
from daftari.web.writing import value as written

_MOST_ROWS = 5000
_MOST_BARS = 20
_MOST_OWN = 3


def every(visit: Visit) -> Response:
    with visit.connection() as conn:
        reports = [(it, mart_reports.is_built(conn, it.mart)) for it in _mine(visit)]
    asked = visit.request.query_params
    return visit.page("reports", reports=reports, may_build=_builds(visit), built=asked.get("built", ""))


def build(visit: Visit) -> Response:
    """Bring the reports up to date. What fails its tests is not published: readers keep what they have."""
    if not _builds(visit):
        raise AccessRefused("Reports are built anew by who loads what they are made of.")
    settings = visit.service.settings
    options = TransformOptions(
        environment=settings.environment, data_dir=settings.data_dir, role_prefix=settings.role_prefix
    )
    with visit.connection() as conn:
        built = build_marts(conn, visit.service.workspace, options, lambda *_: None)
    return visit.go(f"/reports?built={'yes' if built.is_published else 'no'}&run={built.run_id}")


def _builds(visit: Visit) -> bool:
    return any(visit.adds(it.dataset) for it in visit.contracts)


def one(visit: Visit) -> Response:
    report = _asked(visit)
    with _reading(visit) as conn:
        choices, picked = _picked(visit, conn, report)
        rows = mart_reports.rows_of(conn, report, picked, _MOST_ROWS)
    return visit.page(
        "report",
        report=report,
        choices=choices,
        picked=picked,
        chart=chart_of(report, rows, ZoneInfo(visit.service.settings.time_zone)),
        rows=rows[-500:],
        total=len(rows),
        query=visit.request.url.query,
    )


def as_csv(visit: Visit) -> Response:
    report = _asked(visit)
    with _reading(visit) as conn:
        _, picked = _picked(visit, conn, report)
        rows = mart_reports.rows_of(conn, report, picked, _MOST_ROWS)
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


def about_me(visit: Visit, dataset: Dataset) -> list[OwnFigures]:
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
    with _reading(visit) as conn:
        built = [it for it in reports if mart_reports.is_built(conn, it.mart)]
        rows = [mart_reports.rows_of(conn, it, {}, _MOST_ROWS) for it in built]
    with visit.connection() as conn:
        made_at = reports_made_at(conn)
    subjects = [workspace.readers.of[it.mart].subject for it in built]
    return [own_figures(*it, made_at) for it in zip(built, rows, subjects, strict=True)]


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


def _mine(visit: Visit) -> list[Report]:
    readers = visit.service.workspace.readers
    return [it for it in visit.service.reports if readers.scope(it.mart, visit.role)]


def _asked(visit: Visit) -> Report:
    name = visit.request.path_params["mart"]
    for report in _mine(visit):
        if report.mart == name:
            return report
    raise AccessRefused("There is no such report, or it is not for your role.")


@contextmanager
def _reading(visit: Visit) -> Iterator[Connection[Any]]:
    with visit.connection() as conn, conn.transaction():
        speak_for(conn, visit.errand())
        with in_role_of(conn, visit.caller, visit.service.roles):
            yield conn


def _picked(
    visit: Visit, conn: Connection[Any], report: Report
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """What may be picked of each column of `per`, and what is: what was asked for, else the commonest."""
    choices = {name: mart_reports.choices(conn, report, name) for name in report.per}
    return choices, picked_of(choices, visit.request.query_params)


def picked_of(choices: Mapping[str, list[str]], asked: Mapping[str, str]) -> dict[str, str]:
    return {
        name: asked[name] if asked.get(name) in values else values[0]
        for name, values in choices.items()
        if values
    }


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
