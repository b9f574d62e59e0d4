"""The rows that a dataset refers to: which exist when a load begins, and that they stay until it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
from psycopg import Connection, sql

from daftari.compile.quality.beyond_row import query_for_broken, rows_of_keys
from daftari.compile.tables.columns import column_type
from daftari.contract.model import Dataset, Relationship, RuleTime
from daftari.contract.platform import OPS
from daftari.errors import DatabaseError
from daftari.rows.formats.parse import physical
from daftari.rows.rules.expressions import parsed_rules
from daftari.rows.rules.references import ExistingRows, asked_of

#: Stands for the rows of a query whose text has parameters in it.
_SOURCE = "<source>"
#: Rows fetched at once.
_FETCHED_ROWS = 50_000


class ReferencedRows:
    """
    The server's foreign key check for each row, done once for each key.

    Memory grows with the number of referenced rows, not with the file.
    """

    def __init__(self, conn: Connection[Any], dataset: Dataset) -> None:
        self._conn = conn
        self._dataset = dataset
        self._asked = asked_of(dataset)
        self._used: dict[Relationship, pl.DataFrame] = {}

    def existing(self) -> ExistingRows:
        """Return what the rules need to know about existing rows."""
        with self._conn.transaction():
            standing = {rule: self._standing(query) for rule, query in self._standing_queries()}
        return ExistingRows(keys=self.known(), standing=standing)

    def existing_among(self, rows: pl.DataFrame) -> ExistingRows:
        """Return the same for a few *rows*."""
        return ExistingRows(keys=self.known_among(rows), standing=self._standing_among(rows))

    def known(self) -> dict[Relationship, pl.DataFrame]:
        """Return the existing keys, for each relationship, and the fields that rules look at."""
        return {relationship: self._keys(relationship) for relationship in self._dataset.relationships}

    def _keys(self, relationship: Relationship) -> pl.DataFrame:
        schema = {**self._key_schema(relationship), **self._looked_at(relationship)}
        columns = [_read(sql.Identifier(name), kind) for name, kind in schema.items()]
        statement = sql.SQL("select {} from {}").format(
            sql.SQL(", ").join(columns), sql.Identifier(OPS, relationship.target)
        )
        return pl.DataFrame(self._conn.execute(statement).fetchall(), schema=schema, orient="row")

    def _key_schema(self, relationship: Relationship) -> dict[str, pl.DataType]:
        return {
            target: physical(self._dataset.field(field))
            for field, target in zip(relationship.fields, relationship.target_fields, strict=True)
        }

    def _looked_at(self, relationship: Relationship) -> dict[str, pl.DataType]:
        """The fields of the referenced row that rules look at, its key excepted."""
        fields = {it.name: it for it in relationship.known_fields}
        names = [it for it in self._asked[relationship] if it not in relationship.target_fields]
        return {name: physical(fields[name]) for name in names}

    def known_among(self, rows: pl.DataFrame) -> dict[Relationship, pl.DataFrame]:
        """Return which keys named by *rows* exist: for a few rows, instead of `known`."""
        return {
            relationship: self._known_among(relationship, [rows[name] for name in relationship.fields])
            for relationship in self._dataset.relationships
        }

    def _known_among(self, relationship: Relationship, named: list[pl.Series]) -> pl.DataFrame:
        schema = {name: column.dtype for name, column in zip(relationship.target_fields, named, strict=True)}
        looked_at = self._looked_at(relationship)
        if any(column.null_count() == len(column) for column in named):
            return pl.DataFrame(schema={**schema, **looked_at})
        keys = pl.DataFrame(named).drop_nulls().unique()
        # As text: a value that cannot be a key, such as a word in place of a uuid, must be found missing too.
        columns = [sql.Identifier(f"k{at}") for at in range(keys.width)]
        statement = sql.SQL(
            "select {found} from unnest({arrays}) as k({columns}) join {table} p on {match}"
        ).format(
            found=sql.SQL(", ").join(
                [*columns, *(_read(sql.Identifier("p", name), kind) for name, kind in looked_at.items())]
            ),
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
            schema={**dict.fromkeys(schema, pl.String), **looked_at},
            orient="row",
        )
        return there.with_columns(pl.col(name).cast(kind) for name, kind in schema.items())

    def _is_key(self, name: str, field: str, column: sql.Identifier) -> sql.Composed:
        kind = physical(self._dataset.field(field))
        typed = column_type(self._dataset, self._dataset.field(field))
        # A number or a date is valid, or its row would not be checked; a text may be anything.
        form = "p.{}::text = k.{}" if kind == pl.String and typed != "text" else f"p.{{}} = k.{{}}::{typed}"
        return sql.SQL(form).format(sql.Identifier(name), column)

    def _standing_queries(self, source: str | None = None) -> Iterator[tuple[str, str]]:
        """Yield each rule that looks at referenced rows, and the query for the rows of the dataset that break it."""
        if not self._dataset.key:
            return
        for rule, condition in parsed_rules(self._dataset):
            if condition.referenced and not condition.sums and rule.when is not RuleTime.CHECKED:
                names = tuple(dict.fromkeys((*self._dataset.key, *condition.fields)))
                query = query_for_broken(self._dataset, condition, names, source=source and _SOURCE)
                yield rule.id, query if source is None else query.replace("%", "%%").replace(_SOURCE, source)

    def _standing(self, query: str) -> pl.DataFrame:
        """By a cursor on the server: many rows may have been written before what they refer to changed."""
        found: list[pl.DataFrame] = []
        with self._conn.cursor(name="standing") as cursor:
            cursor.execute(sql.SQL(query))  # quoted where it was compiled
            while rows := cursor.fetchmany(_FETCHED_ROWS):
                found.append(self._as_frame([it.name for it in cursor.description or ()], rows))
        return pl.concat(found) if found else pl.DataFrame()

    def _standing_among(self, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        key, source = self._dataset.key, rows_of_keys(self._dataset)
        texts = [rows[name].cast(pl.String).to_list() for name in key]
        found = {}
        for rule, query in self._standing_queries(source=source):
            cursor = self._conn.execute(sql.SQL(query), texts)
            found[rule] = self._as_frame([it.name for it in cursor.description or ()], cursor.fetchall())
        return found

    def _as_frame(self, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
        schema = {name: physical(self._dataset.field(name)) for name in names}
        texts = [name for name, kind in schema.items() if kind == pl.String]
        frame = pl.DataFrame(rows, schema=dict.fromkeys(names), orient="row", infer_schema_length=None)
        return frame.with_columns(pl.col(texts).cast(pl.String)).cast(schema)  # type: ignore[arg-type]

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


def _read(column: sql.Identifier, kind: pl.DataType) -> sql.Composed:
    """Read uuids and enum labels as text."""
    return sql.SQL("{}::text" if kind == pl.String else "{}").format(column)
