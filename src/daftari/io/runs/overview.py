"""Numbers about datasets for the control room: latest loads, waiting rows, and runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row

from daftari.compile.access.relations import Relation
from daftari.io.database import queries
from daftari.rows.url_query import VisibleColumn

_QUERIES = queries.load_queries("runs/overview.sql")


@dataclass(frozen=True, kw_only=True)
class LatestLoad:
    dataset: str
    run_id: int
    kind: str
    finished_at: datetime


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    run_id: int
    kind: str
    dataset: str | None
    status: str
    actor: str
    source: str | None
    started_at: datetime
    finished_at: datetime | None
    error_code: str | None
    received: int
    inserted: int
    updated: int
    unchanged: int
    duplicate: int
    superseded: int
    quarantined: int
    left_out: dict[str, int] | None  #: records of the file that are no rows; None where no file was read
    remarks: list[dict[str, Any]] | None  #: as `Remark.as_json`


def latest_loads(conn: Connection[Any], datasets: Sequence[str]) -> dict[str, LatestLoad]:
    with conn.cursor(row_factory=class_row(LatestLoad)) as cursor:
        found = cursor.execute(_QUERIES["latest_loads"], {"datasets": list(datasets)}).fetchall()
    return {one.dataset: one for one in found}


def reports_made_at(conn: Connection[Any]) -> datetime | None:
    """Return when marts were last published."""
    row = conn.execute(_QUERIES["reports_made_at"]).fetchone()
    return row[0] if row else None


def waiting_by_dataset(conn: Connection[Any], datasets: Sequence[str]) -> dict[str, int]:
    """Return how many rejected rows wait for correction, by dataset."""
    return dict(conn.execute(_QUERIES["waiting"], {"datasets": list(datasets)}).fetchall())


def runs_of(
    conn: Connection[Any], datasets: Sequence[str], *, before: int | None = None, limit: int = 50
) -> list[RunRecord]:
    """Return runs of *datasets*, newest first."""
    facts = {"datasets": list(datasets), "before": before, "limit": limit}
    with conn.cursor(row_factory=class_row(RunRecord)) as cursor:
        return cursor.execute(_QUERIES["runs"], facts).fetchall()


def run_of(conn: Connection[Any], run_id: int) -> RunRecord | None:
    with conn.cursor(row_factory=class_row(RunRecord)) as cursor:
        return cursor.execute(_QUERIES["run"], {"run_id": run_id}).fetchone()


def rows_by_month(
    conn: Connection[Any], relation: Relation, column: VisibleColumn, *, time_zone: str
) -> list[tuple[date, int]]:
    """
    Return the number of rows in each of the last 24 months, oldest first; in the caller's role.

    Months of a timestamp begin in *time_zone*.
    """
    moment: sql.Composable = sql.Identifier("t", column.name)
    if column.type == "timestamptz":
        moment = sql.SQL("{} at time zone {}").format(moment, sql.Literal(time_zone))
    statement = sql.SQL(_QUERIES["by_month"]).format(
        relation=sql.Identifier(relation.schema, relation.name), moment=moment
    )
    return list(reversed(conn.execute(statement).fetchall()))
