"""Create a partition, also when the default partition already has rows for its range."""

from __future__ import annotations

import re
from typing import Any

from psycopg import Connection, sql

from daftari.compile import audit
from daftari.compile.names import derived
from daftari.compile.schema_changes import statements
from daftari.compile.tables.objects import Partition
from daftari.contract.model import Dataset
from daftari.contract.platform import COLUMNS, OPS
from daftari.io.database import queries

_QUERIES = queries.load_queries("catalogue/partition_tables.sql")
_RANGE = re.compile(r"FROM \('([^']+)'\) TO \('([^']+)'\)")


def partition_names(conn: Connection[Any]) -> set[str]:
    """Return the names of all partitions of governed tables."""
    return {name for (name,) in conn.execute(_QUERIES["names"], {"schema": OPS})}


def make_partition(conn: Connection[Any], dataset: Dataset, partition: Partition) -> int:
    """
    Create *partition*, restricted like its table, and move its rows there, within the caller's transaction.

    Return how many rows were moved.
    """
    moved = _make(conn, dataset, partition)
    for trigger in audit.partition_triggers(dataset, partition):
        for statement in statements.create_object(trigger):
            conn.execute(statement)
    conn.execute(
        _QUERIES["close"], {"schema": partition.schema, "table": dataset.name, "name": partition.name}
    )
    return moved


def _make(conn: Connection[Any], dataset: Dataset, partition: Partition) -> int:
    span = _RANGE.search(partition.bounds)
    if span is None or not _has_rows(conn, dataset, partition, span):
        for statement in statements.create_object(partition):
            conn.execute(statement)
        return 0
    names = _names(dataset, partition)
    conn.execute(_QUERIES["say_what_for"], {"purpose": "rows move to the partition of their time"})
    conn.execute(sql.SQL(_QUERIES["make_alone"]).format(**names))
    moved = conn.execute(
        sql.SQL(_QUERIES["move_rows"]).format(**names), {"first": span[1], "next": span[2]}
    ).rowcount
    conn.execute(sql.SQL(_QUERIES["attach"]).format(**names, first=span[1], next=span[2]))
    conn.execute(_QUERIES["say_what_for"], {"purpose": ""})
    return moved


def rows_outside(conn: Connection[Any], dataset: Dataset) -> int:
    """Return how many rows are in the default partition: no partition covers their time."""
    default = sql.Identifier(OPS, derived(dataset.name, "default"))
    row = conn.execute(sql.SQL("select count(*) from {}").format(default)).fetchone()
    return int(row[0]) if row else 0


def _has_rows(conn: Connection[Any], dataset: Dataset, partition: Partition, span: re.Match[str]) -> bool:
    there = conn.execute(
        _QUERIES["is_there"], {"schema": partition.schema, "name": derived(dataset.name, "default")}
    ).fetchone()
    if not there or not there[0]:
        return False
    query = sql.SQL(_QUERIES["has_rows"]).format(**_names(dataset, partition))
    row = conn.execute(query, {"first": span[1], "next": span[2]}).fetchone()
    return bool(row and row[0])


def _names(dataset: Dataset, partition: Partition) -> dict[str, sql.Composable]:
    assert dataset.partitioning is not None, "asked of partitioned datasets alone"
    names = [*(field.name for field in dataset.fields), *COLUMNS]
    return {
        "table": sql.Identifier(partition.schema, dataset.name),
        "partition": sql.Identifier(partition.schema, partition.name),
        "default": sql.Identifier(partition.schema, derived(dataset.name, "default")),
        "field": sql.Identifier(dataset.partitioning.field),
        "columns": sql.SQL(", ").join(map(sql.Identifier, names)),
    }
