"""Staged rows that would repeat a value which must be unique, judged as if all of them were written at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection, sql

from daftari.contract.model import Dataset
from daftari.io.database import queries
from daftari.io.row_writing.staging import governed_table, same_key

_QUERIES = queries.load_queries("row_writing/repeats.sql")
#: As often it is asked for repeats without those that were found; each time may show further ones.
MOST_PASSES = 20


def unique_others(dataset: Dataset, columns: Sequence[str] | None = None) -> dict[str, str]:
    """Return the column of each unique field beside the key, by field; only those among *columns*, if given."""
    found = {
        it.name: it.index_column or it.name
        for it in dataset.fields
        if it.unique and dataset.key != (it.name,)
    }
    return {name: it for name, it in found.items() if columns is None or it in columns}


def find_repeats(
    conn: Connection[Any], dataset: Dataset, stage: sql.Identifier, field: str, *, lines: Sequence[int] | None
) -> list[int]:
    """
    Return which staged rows have a value of the unique *field* that an existing row keeps, or that a better one has.

    Of several staged rows with one value, the row that already has it is better, then the first. *lines*: judge only
    these, which will be written together, and return lines; None: judge all staged rows, and return their places
    from 0.

    Without a row that is rejected its existing row keeps its value: ask again without it.
    """
    if not dataset.key:
        return []
    statement = sql.SQL(_QUERIES["find_repeats"]).format(
        stage=stage,
        table=governed_table(dataset),
        among=sql.SQL("true" if lines is None else "_line = any(%(lines)s)"),
        number=sql.SQL("place - 1" if lines is None else "_line"),
        line=sql.SQL("null::bigint" if lines is None else "s._line"),
        value=sql.Identifier(unique_others(dataset)[field]),
        own=same_key(dataset, "own"),
    )
    found = conn.execute(statement, {"lines": None if lines is None else list(lines)}).fetchall()
    return [number for (number,) in found]
