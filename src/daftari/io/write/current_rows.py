"""Current rows as complete records: a partial change is judged as a whole record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from psycopg import Connection, sql

from daftari.compile.tables.columns import column_type
from daftari.contract.model import Dataset
from daftari.contract.platform import OPS
from daftari.errors import RowRefused
from daftari.io.keys.sealer import Sealer
from daftari.protect.sealed_columns import sealed_fields
from daftari.rows.formats.parse import physical


def current_rows(
    conn: Connection[Any], dataset: Dataset, changes: Sequence[Mapping[str, Any]], sealer: Sealer
) -> list[dict[str, Any]]:
    """
    Return the complete current record for each of *changes* (a key, and the fields to change).

    The rows are locked until the transaction ends. The service reads them, and shows them to nobody: the values are
    judged, and unchanged values are not written.

    Raises:
        RowRefused: a row does not exist.
        CannotOpen, KeyDestroyed, KeysUnavailable: a sealed value of it cannot be opened.
    """
    return [_current(conn, dataset, change, sealer) for change in changes]


def lock_row(conn: Connection[Any], dataset: Dataset, key: Sequence[str]) -> None:
    """Lock the row of *key*, if it exists, until the transaction ends."""
    statement = sql.SQL("select from {} where {} for no key update").format(
        sql.Identifier(OPS, dataset.name), _same_key(dataset)
    )
    conn.execute(statement, list(key))


def _same_key(dataset: Dataset) -> sql.Composed:
    return sql.SQL(" and ").join(
        sql.SQL(f"{{}} = %s::{column_type(dataset, dataset.field(name))}").format(sql.Identifier(name))
        for name in dataset.key
    )


def _current(
    conn: Connection[Any], dataset: Dataset, change: Mapping[str, Any], sealer: Sealer
) -> dict[str, Any]:
    sealed = sealed_fields(dataset)
    columns = [
        sql.Identifier(it.name)
        if it in sealed
        else sql.SQL("to_jsonb({}) #>> '{{}}'").format(sql.Identifier(it.name))
        for it in dataset.fields
    ]
    statement = sql.SQL("select {} from {} where {} for no key update").format(
        sql.SQL(", ").join(columns), sql.Identifier(OPS, dataset.name), _same_key(dataset)
    )
    row = conn.execute(statement, [change[name] for name in dataset.key]).fetchone()
    if row is None:
        raise RowRefused(f"{dataset.name}: the row does not exist any more; expected an existing row")
    found = dict(zip((it.name for it in dataset.fields), row, strict=True))
    if sealed:
        found |= _opened(dataset, found, sealer)
    return found


def _opened(dataset: Dataset, found: Mapping[str, Any], sealer: Sealer) -> dict[str, Any]:
    needed = sealed_fields(dataset)
    frame = pl.DataFrame({it.name: pl.Series([found[it.name]], dtype=pl.Binary) for it in needed})
    if dataset.subject is not None:
        subject = dataset.field(dataset.subject)
        person = pl.Series([found[subject.name]], dtype=pl.String)
        frame = frame.with_columns(person.cast(physical(subject)).alias(subject.name))
    opened = sealer.open(frame)
    return {it.name: opened[it.name][0] for it in needed}
