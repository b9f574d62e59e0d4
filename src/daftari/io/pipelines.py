"""What the runs of pipelines did, kept beside the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.io import queries

_QUERIES = queries.load("pipeline.sql")


def record_step(
    conn: Connection[Any], run_id: int, pipeline: str, step: str, *, started_at: datetime, outcome: str | None
) -> None:
    """Remember how a step ended. *outcome* is `succeeded`, `skipped`, or the code of the error that ended it."""
    ended_well = outcome in ("succeeded", "skipped")
    facts = {
        "run_id": run_id,
        "pipeline": pipeline,
        "step": step,
        "status": outcome if ended_well else "failed",
        "error_code": None if ended_well else outcome,
        "started_at": started_at,
    }
    conn.execute(_QUERIES["record_step"], facts)


def last_steps(conn: Connection[Any], pipeline: str) -> dict[str, str]:
    """Return the steps of the pipeline's newest run, each with how it ended."""
    return dict(conn.execute(_QUERIES["last_steps"], {"pipeline": pipeline}).fetchall())


def refused_of_files(conn: Connection[Any], dataset: str, files: Sequence[str]) -> tuple[int, int]:
    """Return how many rows the files (by sha256) brought to *dataset*, and how many of them are in quarantine now."""
    row = conn.execute(_QUERIES["refused_of_files"], {"dataset": dataset, "files": list(files)}).fetchone()
    assert row is not None, "aggregates return one row"
    return int(row[0]), int(row[1])
