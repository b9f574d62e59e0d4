"""Read reports: list them, and read the rows of a mart in the caller's role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.compile.access.roles import Roles
from daftari.contract.access.caller import RequestContext
from daftari.io.access.callers import in_role_of, speak_for
from daftari.io.marts import mart_reports
from daftari.io.marts.mart_reports import Report as Report
from daftari.io.marts.mart_reports import Row as Row
from daftari.io.runs import overview
from daftari.io.workspace.files import Workspace

#: At most this many rows of a mart are shown.
MOST_ROWS = 5000


@dataclass(frozen=True, kw_only=True)
class ReadReport:
    choices: dict[str, list[str]]  #: for each column with one picked value, the most frequent first
    picked: dict[str, str]
    rows: list[Row]


def reports_of(workspace: Workspace) -> tuple[Report, ...]:
    """
    Return the reports that the workspace's pipelines describe.

    Raises:
        ContractError: one of them is wrong.
    """
    root = workspace.root
    return tuple(report for it in workspace.pipelines for report in mart_reports.read_reports(it.path, root))


def are_built(conn: Connection[Any], reports: Sequence[Report]) -> list[bool]:
    """Return for each report whether its mart is published."""
    return [mart_reports.is_built(conn, it.mart) for it in reports]


def read_report(
    conn: Connection[Any], report: Report, asked: Mapping[str, str], *, context: RequestContext, roles: Roles
) -> ReadReport:
    """Return the rows of *report* for the *asked* values; for the most frequent value where none is asked."""
    with _as_caller(conn, context, roles):
        choices = {name: mart_reports.choices(conn, report, name) for name in report.per}
        picked = picked_of(choices, asked)
        rows = mart_reports.rows_of(conn, report, picked, MOST_ROWS)
    return ReadReport(choices=choices, picked=picked, rows=rows)


def read_whole(
    conn: Connection[Any], reports: Sequence[Report], *, context: RequestContext, roles: Roles
) -> tuple[dict[str, list[Row]], datetime | None]:
    """Return all rows that the caller sees, by mart, of the built ones among *reports*; and when they were built."""
    with _as_caller(conn, context, roles):
        built = [it for it in reports if mart_reports.is_built(conn, it.mart)]
        rows = {it.mart: mart_reports.rows_of(conn, it, {}, MOST_ROWS) for it in built}
    return rows, overview.reports_made_at(conn)


def picked_of(choices: Mapping[str, list[str]], asked: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each column: the asked one where it is a choice, otherwise the most frequent."""
    return {
        name: asked[name] if asked.get(name) in values else values[0]
        for name, values in choices.items()
        if values
    }


@contextmanager
def _as_caller(conn: Connection[Any], context: RequestContext, roles: Roles) -> Iterator[None]:
    with conn.transaction():
        speak_for(conn, context)
        with in_role_of(conn, context.caller, roles):
            yield
