"""The steps of pipeline runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from psycopg import Connection

from daftari.io.database import queries

_QUERIES = queries.load_queries("runs/pipeline_steps.sql")


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    run_id: int
    pipeline: str
    step: str
    status: str  #: succeeded, failed or skipped
    error_code: str | None = None
    started_at: datetime


def record_step(conn: Connection[Any], step: StepRecord) -> None:
    """Record how a step ended."""
    conn.execute(_QUERIES["record_step"], vars(step))


def database_time(conn: Connection[Any]) -> datetime:
    """Return the server's current time, which the ledger uses."""
    row = conn.execute("select clock_timestamp()").fetchone()
    assert row is not None, "a select without from returns one row"
    return cast(datetime, row[0])


def last_steps(conn: Connection[Any], pipeline: str) -> dict[str, str]:
    """Return the steps of the pipeline's latest run, each with how it ended."""
    return dict(conn.execute(_QUERIES["last_steps"], {"pipeline": pipeline}).fetchall())


def is_anything_new(conn: Connection[Any], pipeline: str, run_id: int, datasets: Sequence[str]) -> bool:
    """Return whether rows or contracts of *datasets* changed since the load step before this run's."""
    facts = {"pipeline": pipeline, "run_id": run_id, "datasets": list(datasets)}
    row = conn.execute(_QUERIES["is_anything_new"], facts).fetchone()
    assert row is not None, "an aggregate returns one row"
    return bool(row[0])


def refused_of_files(conn: Connection[Any], dataset: str, runs: Sequence[int]) -> tuple[int, int]:
    """Return how many rows the files of *runs* had for *dataset*, and how many of them are in quarantine now."""
    row = conn.execute(_QUERIES["refused_of_files"], {"dataset": dataset, "runs": list(runs)}).fetchone()
    assert row is not None, "aggregates return one row"
    return int(row[0]), int(row[1])
