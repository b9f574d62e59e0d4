"""Stored results of checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from daftari.compile.quality.verdicts import CheckOutcome, CheckVerdict
from daftari.io.database import queries

_QUERIES = queries.load_queries("runs/check_results.sql")


@dataclass(frozen=True, kw_only=True)
class CheckedDataset:
    """The results of one dataset's check."""

    run_id: int
    dataset: str
    contract_hash: str
    verdict: CheckVerdict
    rows: int | None  #: of the table; None when they could not be counted
    outcomes: tuple[CheckOutcome, ...]
    finished_at: datetime | None = None  #: None until it is stored

    def count(self, verdict: CheckVerdict) -> int:
        return sum(outcome.verdict is verdict for outcome in self.outcomes)


def record_check_results(conn: Connection[Any], checked: CheckedDataset) -> None:
    """Store the results. Call it in the transaction that closes the run."""
    facts = {name: value for name, value in vars(checked).items() if name != "outcomes"}
    conn.execute(_QUERIES["record_run"], facts)
    with conn.cursor() as cursor:
        cursor.executemany(
            _QUERIES["record_result"],
            [
                {
                    **vars(outcome),
                    "run_id": checked.run_id,
                    "position": position,
                    "keys": Jsonb([dict(key) for key in outcome.keys]),
                }
                for position, outcome in enumerate(checked.outcomes)
            ],
        )


def latest_check_results(conn: Connection[Any]) -> tuple[CheckedDataset, ...]:
    """Return the latest check of each dataset; nothing where none was ever checked."""
    with conn.cursor(row_factory=dict_row) as cursor:
        try:
            runs = cursor.execute(_QUERIES["latest_runs"]).fetchall()
        except UndefinedTable:  # no contract was applied to this database
            return ()
        return tuple(_checked(run, cursor.execute(_QUERIES["results"], run).fetchall()) for run in runs)


def _checked(run: dict[str, Any], results: Sequence[dict[str, Any]]) -> CheckedDataset:
    outcomes = tuple(
        CheckOutcome(**{**row, "verdict": CheckVerdict(row["verdict"]), "keys": tuple(row["keys"])})
        for row in results
    )
    return CheckedDataset(**{**run, "verdict": CheckVerdict(run["verdict"]), "outcomes": outcomes})
