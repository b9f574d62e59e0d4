"""Tables of contracts, and batches of rows to land in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
from psycopg import Connection, sql
from tests.judging import rows_of

from daftari.compile.schema_changes.statements import create_all
from daftari.compile.tables.tables import table_objects
from daftari.contract.model import Dataset
from daftari.io.load.bulk_load import BulkLoad, LoadedRows
from daftari.rows.intake.batch import Batch
from daftari.rows.intake.intake import encode_rows


def make_tables(conn: Connection[Any], *datasets: Dataset) -> None:
    for statement in create_all(table_objects(datasets, now=datetime(2026, 3, 14, tzinfo=UTC))):
        conn.execute(statement)


def batch_of(dataset: Dataset, *records: Mapping[str, Any], run_id: int, first_line: int = 2) -> Batch:
    values = rows_of(dataset, *records).values
    rows = values.with_columns(_run_id=pl.lit(run_id, pl.Int64))
    lines = pl.Series(range(first_line, first_line + rows.height), dtype=pl.Int64)
    return Batch(rows=rows, lines=lines, body=encode_rows(rows, dataset))


@dataclass
class Lander:
    """Lands batches in one dataset, each call a run and a transaction of its own."""

    conn: Connection[Any]
    dataset: Dataset
    runs: int = 0

    def __call__(self, *batches: list[Mapping[str, Any]], large: bool = False) -> list[LoadedRows]:
        self.runs += 1
        landing, line, landed = BulkLoad(self.conn, self.dataset, self.runs), 2, []
        with self.conn.transaction():
            landing.prepare(large=large)
            for records in batches:
                landed += landing.land(batch_of(self.dataset, *records, run_id=self.runs, first_line=line))
                line += len(records)
            landed += landing.finish()
        self.operation, self.digest = landing.operation, landing.digest
        return landed

    def rows(self, *names: str) -> list[tuple[Any, ...]]:
        """What the table holds, by its key."""
        columns = sql.SQL(", ").join(map(sql.Identifier, names or [f.name for f in self.dataset.fields]))
        table, key = sql.Identifier("ops", self.dataset.name), sql.Identifier(self.dataset.key[0])
        return self.conn.execute(
            sql.SQL("select {} from {} order by {}").format(columns, table, key), prepare=False
        ).fetchall()


def counted(landed: list[LoadedRows]) -> list[dict[str, int]]:
    """The counts of each batch that are not zero, received left out."""
    return [{name: n for name, n in vars(one.counts).items() if n and name != "received"} for one in landed]
