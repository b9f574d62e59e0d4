"""Sealed values in governed tables: how many there are, under which version, and how to replace them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import polars as pl
from psycopg import Connection, sql

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.contract.platform import OPS
from daftari.io.database import queries
from daftari.protect.sealed_columns import sealed_fields
from daftari.rows.formats.parse import physical
from daftari.rows.intake import copy_format

_QUERIES = queries.load_queries("keys/sealed_rows.sql")
_STAGE = sql.Identifier("pg_temp", "daftari_resealed")
_AS_TEXT = (LogicalType.STRING, LogicalType.OBJECT, LogicalType.ARRAY)
#: Where a row is: columns of the frames below, in addition to the dataset's own.
PLACE = ("place", "at")


def counts(conn: Connection[Any], dataset: Dataset, field: Field, *, version: int) -> tuple[int, int]:
    """Return how many values of a field are sealed, and how many of them under a key before *version*."""
    statement = sql.SQL(_QUERIES["counts"]).format(
        field=sql.Identifier(field.name), table=sql.Identifier(OPS, dataset.name)
    )
    row = conn.execute(statement, {"version": _bytes(version)}).fetchone()
    assert row is not None, "counts are one row"
    return int(row[0]), int(row[1])


def lock_outdated(
    conn: Connection[Any], dataset: Dataset, *, version: int, gone: Collection[bytes], limit: int
) -> pl.DataFrame:
    """
    Lock and return, with their place, some rows that hold a value sealed under a key before *version*.

    Values under the *gone* keys do not count. Within a transaction.
    """
    sealed = sealed_fields(dataset)
    columns = _needed(dataset)
    conn.execute(_QUERIES["see_all"])
    statement = sql.SQL(_QUERIES["some"]).format(
        columns=sql.SQL(", ").join(_selected(field) for field in columns),
        table=sql.Identifier(OPS, dataset.name),
        outdated=sql.SQL(" or ").join(
            sql.SQL(_QUERIES["outdated"]).format(field=sql.Identifier(field.name)) for field in sealed
        ),
    )
    asked = {"version": _bytes(version), "gone": list(gone), "limit": limit}
    found = conn.execute(statement, asked).fetchall()
    schema: dict[str, Any] = {"place": pl.Int64, "at": pl.String}
    schema |= {field.name: pl.Binary if field.protection.sealed else physical(field) for field in columns}
    return pl.DataFrame(found, schema=schema, orient="row")


def replace_sealed(conn: Connection[Any], dataset: Dataset, rows: pl.DataFrame) -> None:
    """Replace the sealed fields of *rows*. Within the transaction of the lock."""
    names = [field.name for field in sealed_fields(dataset)]
    columns = [
        sql.SQL("place bigint, at text"),
        *(sql.SQL("{} bytea").format(sql.Identifier(n)) for n in names),
    ]
    conn.execute(
        sql.SQL("create temporary table {} ({}) on commit drop").format(
            sql.Identifier("daftari_resealed"), sql.SQL(", ").join(columns)
        )
    )
    with (
        conn.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} from stdin (format binary)").format(_STAGE)) as out,
    ):
        out.write(copy_format.HEADER)
        out.write(copy_format.encode_copy(rows.select(*PLACE, *names)))
        out.write(copy_format.TRAILER)
    assignments = sql.SQL(", ").join(sql.SQL("{0} = r.{0}").format(sql.Identifier(n)) for n in names)
    conn.execute(
        sql.SQL(_QUERIES["reseal"]).format(
            table=sql.Identifier(OPS, dataset.name), stage=_STAGE, assignments=assignments
        )
    )


def _needed(dataset: Dataset) -> list[Field]:
    """The columns needed to open a row's values and seal them as a load would."""
    named = set(dataset.key) | {dataset.subject}
    return [f for f in dataset.fields if f.protection.sealed or not dataset.key or f.name in named]


def _selected(field: Field) -> sql.Composable:
    name = sql.Identifier(field.name)
    is_text = field.logical_type in _AS_TEXT and not field.protection.sealed
    return sql.SQL("{}::text").format(name) if is_text else name


def _bytes(version: int) -> bytes:
    return version.to_bytes(2, "big")
