"""The rows that a dataset refers to: which exist when a load begins, and that they stay until it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from psycopg import Connection, sql

from daftari.compile.tables.columns import column_type
from daftari.contract.model import Dataset, Relationship
from daftari.contract.platform import OPS
from daftari.errors import DatabaseError
from daftari.rows.formats.parse import physical


class ReferencedRows:
    """
    The server's foreign key check for each row, done once for each key.

    Memory grows with the number of referenced rows, not with the file.
    """

    def __init__(self, conn: Connection[Any], dataset: Dataset) -> None:
        self._conn = conn
        self._dataset = dataset
        self._used: dict[Relationship, pl.DataFrame] = {}

    def known(self) -> dict[Relationship, pl.DataFrame]:
        """Return the existing keys, for each relationship."""
        return {relationship: self._keys(relationship) for relationship in self._dataset.relationships}

    def _keys(self, relationship: Relationship) -> pl.DataFrame:
        schema = {
            target: physical(self._dataset.field(field))
            for field, target in zip(relationship.fields, relationship.target_fields, strict=True)
        }
        # uuids and enum labels are text to us
        columns = [
            sql.SQL("{}::text" if kind == pl.String else "{}").format(sql.Identifier(name))
            for name, kind in schema.items()
        ]
        statement = sql.SQL("select {} from {}").format(
            sql.SQL(", ").join(columns), sql.Identifier(OPS, relationship.target)
        )
        return pl.DataFrame(self._conn.execute(statement).fetchall(), schema=schema, orient="row")

    def known_among(self, rows: pl.DataFrame) -> dict[Relationship, pl.DataFrame]:
        """Return which keys named by *rows* exist: for a few rows, instead of `known`."""
        return {
            relationship: self._known_among(relationship, [rows[name] for name in relationship.fields])
            for relationship in self._dataset.relationships
        }

    def _known_among(self, relationship: Relationship, named: list[pl.Series]) -> pl.DataFrame:
        schema = {name: column.dtype for name, column in zip(relationship.target_fields, named, strict=True)}
        if any(column.null_count() == len(column) for column in named):
            return pl.DataFrame(schema=schema)
        keys = pl.DataFrame(named).drop_nulls().unique()
        # As text: a value that cannot be a key, such as a word in place of a uuid, must be found missing too.
        columns = [sql.Identifier(f"k{at}") for at in range(keys.width)]
        statement = sql.SQL(
            "select {columns} from unnest({arrays}) as k({columns})"
            " where exists (select from {table} p where {match})"
        ).format(
            columns=sql.SQL(", ").join(columns),
            arrays=sql.SQL(", ").join(sql.SQL("%s::text[]") for _ in columns),
            table=sql.Identifier(OPS, relationship.target),
            match=sql.SQL(" and ").join(
                self._is_key(name, field, column)
                for name, field, column in zip(
                    relationship.target_fields, relationship.fields, columns, strict=True
                )
            ),
        )
        texts = [column.cast(pl.String).to_list() for column in keys.iter_columns()]
        there = pl.DataFrame(
            self._conn.execute(statement, texts).fetchall(),
            schema=dict.fromkeys(schema, pl.String),
            orient="row",
        )
        return there.select(pl.col(name).cast(kind) for name, kind in schema.items())

    def _is_key(self, name: str, field: str, column: sql.Identifier) -> sql.Composed:
        kind = physical(self._dataset.field(field))
        typed = column_type(self._dataset, self._dataset.field(field))
        # A number or a date is valid, or its row would not be checked; a text may be anything.
        form = "p.{}::text = k.{}" if kind == pl.String and typed != "text" else f"p.{{}} = k.{{}}::{typed}"
        return sql.SQL(form).format(sql.Identifier(name), column)

    def use(self, references: Sequence[pl.DataFrame]) -> None:
        """
        Remember the keys that rows refer to, for each relationship in the contract's order.

        The server itself checks references to the same dataset.
        """
        for relationship, keys in zip(self._dataset.relationships, references, strict=True):
            if relationship.target == self._dataset.name:
                continue
            before = self._used.get(relationship)
            self._used[relationship] = keys if before is None else pl.concat([before, keys]).unique()

    def hold(self) -> None:
        """
        Lock the referenced rows until the transaction ends: they can be neither deleted nor given another key.

        Raises:
            DatabaseError: one was deleted since `known` ran.
        """
        for relationship, keys in self._used.items():
            if not self._held(relationship, keys):
                raise DatabaseError(
                    f"{self._dataset.name}: a row of {relationship.target} that rows of this file refer to was "
                    "deleted while they were being loaded; nothing was loaded",
                    hint="Load the file again.",
                )

    def _held(self, relationship: Relationship, keys: pl.DataFrame) -> bool:
        columns = [sql.Identifier(f"k{at}") for at in range(keys.width)]
        match = sql.SQL(" and ").join(
            sql.SQL("p.{} = k.{}").format(sql.Identifier(name), column)
            for name, column in zip(relationship.target_fields, columns, strict=True)
        )
        statement = sql.SQL(
            "select count(*) from (select from {table} p join unnest({arrays}) as k({columns}) on {match}"
            " for key share of p) held"
        ).format(
            table=sql.Identifier(OPS, relationship.target),
            arrays=sql.SQL(", ").join(self._array_of(name) for name in keys.columns),
            columns=sql.SQL(", ").join(columns),
            match=match,
        )
        row = self._conn.execute(statement, [column.to_list() for column in keys.iter_columns()]).fetchone()
        return row is not None and row[0] == keys.height

    def _array_of(self, field: str) -> sql.SQL:
        # quoted where it was composed
        return sql.SQL(f"%s::{column_type(self._dataset, self._dataset.field(field))}[]")
