"""Rows written at once, and by halves where the server refuses one of them, until those at fault stand alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from psycopg import Connection, Error
from psycopg.errors import DataError, InsufficientPrivilege, IntegrityError

#: By these the server refuses rows; by others, such as a deadlock, it refuses the session.
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
    Return what *write* returned for each part of *rows* that the server took, in order.

    *refused* says what becomes of a part that is not to be halved, such as a single row; None: halve it. What it
    raises ends the writing.
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
