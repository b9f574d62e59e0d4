"""Writes rows at once, and in halves where the server rejects one of them, until the faulty rows are alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from psycopg import Connection, Error
from psycopg.errors import DataError, InsufficientPrivilege, IntegrityError

#: With these the server rejects rows; with others, such as a deadlock, it stops the session.
REFUSES_ROWS = (IntegrityError, DataError, InsufficientPrivilege)
Rows = TypeVar("Rows")
Done = TypeVar("Done")


def written_by_halves(
    conn: Connection[Any],
    rows: Rows,
    *,
    write: Callable[[Rows], Done],
    refused: Callable[[Rows, Error], Done | None],
    halves: Callable[[Rows], Iterable[Rows]],
) -> list[Done]:
    """
    Return what *write* returned for each accepted part of *rows*, in order.

    *refused* handles a part that must not be halved, such as a single row; None: halve it. If it raises, the write
    ends.
    """
    try:
        with conn.transaction():
            return [write(rows)]
    except REFUSES_ROWS as error:
        done = refused(rows, error)
    if done is not None:
        return [done]
    return [
        done
        for half in halves(rows)
        for done in written_by_halves(conn, half, write=write, refused=refused, halves=halves)
    ]
