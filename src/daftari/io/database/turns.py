"""What only one session may do at a time."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

_HAS_TURNS = "select to_regprocedure('daftari.take_turn(text)') is not null"
_TAKE = "select daftari.take_turn(%s)"
#: Only until the platform's tables are there: any login may take an advisory lock.
_BEFORE_TURNS = "select pg_advisory_xact_lock(hashtext(%s))"


def take_turn(conn: Connection[Any], name: str) -> None:
    """
    Wait for the turn called *name*, and hold it to the end of the transaction.

    Raises:
        psycopg.errors.LockNotAvailable: another session holds it for longer than this one waits.
    """
    found = conn.execute(_HAS_TURNS).fetchone()
    conn.execute(_TAKE if found and found[0] else _BEFORE_TURNS, [name])
