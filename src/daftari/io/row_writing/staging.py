"""
Staging tables: temporary tables in which new rows are compared with the existing rows.

A load creates its staging table for one transaction, and fills it batch by batch. Callers write often: their session
keeps one, and line numbers separate their rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import polars as pl
from psycopg import Connection, sql

from daftari.compile.names import derived
from daftari.compile.tables.columns import column_type
from daftari.contract.model import Dataset
from daftari.contract.platform import OPS
from daftari.io.database import queries
from daftari.protect.sealed_columns import index_columns
from daftari.rows.intake import copy_format
from daftari.rows.intake.csv_copy import copy_csv

_QUERIES = queries.load_queries("row_writing/staging.sql")


def governed_table(dataset: Dataset) -> sql.Identifier:
    return sql.Identifier(OPS, dataset.name)


def staged_columns(dataset: Dataset) -> list[str]:
    """The columns of incoming rows: their fields, and the blind indexes of sealed ones."""
    return [*(field.name for field in dataset.fields), *index_columns(dataset)]


def listed(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def same_key(dataset: Dataset, other: str = "t") -> sql.Composable:
    """Whether the staged row `s` and the row *other* have the same key; without a key no two rows match."""
    if not dataset.key:
        return sql.SQL("false")
    return sql.SQL(" and ").join(
        sql.SQL("{0}.{1} = s.{1}").format(sql.Identifier(other), sql.Identifier(name)) for name in dataset.key
    )


def contents(dataset: Dataset, columns: Collection[str]) -> list[str]:
    """The fields that may differ in two rows of one key, if the new row has only *columns*."""
    return [field.name for field in dataset.fields if not field.is_key and field.name in columns]


def changes_person(dataset: Dataset, columns: Collection[str]) -> sql.Composed | None:
    """
    Whether the staged row `s` gives the row `t` another person, and keeps values sealed for the old one.

    None where that cannot happen with rows of *columns*.
    """
    kept = [it.name for it in dataset.fields if it.protection.sealed and it.name not in columns]
    person = dataset.subject
    if not kept or person is None or person in dataset.key or person not in columns:
        return None
    return sql.SQL("t.{0} is distinct from s.{0} and num_nonnulls({1}) > 0").format(
        sql.Identifier(person), sql.SQL(", ").join(sql.Identifier("t", name) for name in kept)
    )


def copy_binary(conn: Connection[Any], table: sql.Composable, columns: Sequence[str], body: bytes) -> None:
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(table, listed(columns))
    with conn.cursor() as cursor, cursor.copy(statement) as out:
        out.write(copy_format.HEADER)
        out.write(body)
        out.write(copy_format.TRAILER)


# --- for a load


def stage_of_load(dataset: Dataset) -> sql.Identifier:
    return sql.Identifier("pg_temp", derived(dataset.name, "loaded"))


def make_for_transaction(conn: Connection[Any], dataset: Dataset) -> None:
    """Create the staging table of a load. Not in a savepoint that may be rolled back."""
    _make(conn, "make_for_transaction", stage_of_load(dataset), dataset)


def fill(conn: Connection[Any], dataset: Dataset, columns: Sequence[str], body: bytes) -> None:
    """Replace the rows in the staging table of a load by those of *body* (binary COPY of *columns*)."""
    stage = stage_of_load(dataset)
    conn.execute(sql.SQL("truncate {}").format(stage))
    copy_binary(conn, stage, columns, body)


# --- for callers


def stage_of_session(dataset: Dataset) -> sql.Identifier:
    return sql.Identifier("pg_temp", derived(dataset.name, "written"))


def stage_rows(conn: Connection[Any], dataset: Dataset, rows: pl.DataFrame, lines: pl.Series) -> str:
    """
    Add *rows* to the staging table of the session, which each transaction finds empty; return their sha256 in hex.

    By COPY: its rows are in no server log, where the parameters of a statement may be.
    """
    stage = stage_of_session(dataset)
    row = conn.execute(_QUERIES["is_made"], {"stage": stage.as_string()}).fetchone()
    if row is None or not row[0]:
        _make(conn, "make_for_session", stage, dataset)
    names = [*filled_columns(rows, dataset), "_line"]
    body = copy_csv(rows.with_columns(_line=lines).select(names))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(stage, listed(names))
    with conn.cursor() as cursor, cursor.copy(statement) as out:
        out.write(body)
    return hashlib.sha256(body).hexdigest()


def clear(conn: Connection[Any], dataset: Dataset) -> None:
    """Empty the staging table of the session."""
    conn.execute(sql.SQL("truncate {}").format(stage_of_session(dataset)))


def filled_columns(rows: pl.DataFrame, dataset: Dataset) -> list[str]:
    """The columns that *rows* fill: a role may have rights on some columns only."""
    found = [
        name
        for name in staged_columns(dataset)
        if name in dataset.key or (name in rows.columns and rows[name].null_count() < rows.height)
    ]
    return found or staged_columns(dataset)[:1]


def _make(conn: Connection[Any], query: str, stage: sql.Identifier, dataset: Dataset) -> None:
    columns = [_staged(dataset, name) for name in staged_columns(dataset)]
    statement = sql.SQL(_QUERIES[query]).format(
        stage=stage, columns=sql.SQL(", ").join(columns), table=governed_table(dataset)
    )
    conn.execute(statement)


def _staged(dataset: Dataset, name: str) -> sql.Composable:
    """A column in the staging table: text of any length, so that a value that is too long rejects only its row."""
    is_limited = any(
        it.name == name and column_type(dataset, it).startswith("varchar") for it in dataset.fields
    )
    return sql.SQL("{0}::text as {0}" if is_limited else "{0}").format(sql.Identifier(name))
