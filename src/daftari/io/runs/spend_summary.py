"""A workspace's database in a few numbers: totals of the ledger, and spend by department."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from daftari.io.database import queries
from daftari.io.runs.ledger import RunCounts

_QUERIES = queries.load_queries("runs/spend_summary.sql")


@dataclass(frozen=True, kw_only=True)
class DatasetSummary:
    """What became of the rows of all files loaded into one dataset."""

    dataset: str
    files: int
    counts: RunCounts
    reasons: tuple[tuple[str, int], ...] = ()  #: rule and rows in quarantine, most frequent first


def summarise(conn: Connection[Any]) -> Mapping[str, DatasetSummary]:
    """Return the summary of each dataset that was ever loaded, by its name."""
    reasons: dict[str, list[tuple[str, int]]] = {}
    for dataset, rule, rows in conn.execute(_QUERIES["reasons_by_dataset"]):
        reasons.setdefault(dataset, []).append((rule, rows))
    with conn.cursor(row_factory=dict_row) as cursor:
        loaded = cursor.execute(_QUERIES["counts_of"]).fetchall()
    return {
        row["dataset"]: DatasetSummary(
            dataset=row.pop("dataset"),
            files=row.pop("files"),
            counts=RunCounts(**row),
            reasons=tuple(reasons.get(name, ())),
        )
        for row in loaded
        for name in [row["dataset"]]
    }


def monthly_spend(conn: Connection[Any], *, currency: str) -> dict[str, dict[date, Decimal]]:
    """Return what each department (by name) spent in each month, as published; only in *currency*."""
    spend: dict[str, dict[date, Decimal]] = {}
    for department, month, spent in conn.execute(_QUERIES["monthly_spend"], {"currency": currency}):
        spend.setdefault(department, {})[month] = spent
    return spend
