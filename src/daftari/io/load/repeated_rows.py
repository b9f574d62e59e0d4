"""Rows of a load that a table without a key has already, word for word: a key would make them unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from daftari.contract.model import Dataset
from daftari.io.database import queries
from daftari.io.row_writing import staging

_QUERIES = queries.load_queries("load/repeated_rows.sql")


@dataclass(frozen=True, kw_only=True)
class RepeatedRows:
    rows: int  #: new rows that an earlier row equals, one for one
    runs: tuple[
        tuple[int, int], ...
    ]  #: the earlier runs and how many of their rows are equal, the most first


def repeated_rows(conn: Connection[Any], dataset: Dataset, run_id: int) -> RepeatedRows | None:
    """Compare the rows that run *run_id* has written with those of earlier runs; None if none is equal."""
    readable = [field.name for field in dataset.fields if not field.protection.sealed]
    if not readable:
        return None
    names = {"fields": staging.listed(readable), "table": staging.governed_table(dataset)}
    counted = conn.execute(sql.SQL(_QUERIES["repeated_rows"]).format(**names), {"run_id": run_id}).fetchone()
    if counted is None or not counted[0]:
        return None
    runs = conn.execute(sql.SQL(_QUERIES["earlier_runs"]).format(**names), {"run_id": run_id}).fetchall()
    return RepeatedRows(rows=counted[0], runs=tuple((run, rows) for run, rows in runs))
