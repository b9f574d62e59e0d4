"""Keep a pool of connections to the database of a workspace, to serve callers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from daftari import __version__
from daftari.errors import DatabaseError
from daftari.io.database.connection import connect, connection_parameters, database_errors_explained
from daftari.settings import Settings

_CONNECTIONS = 8
_WAIT_SECONDS = 10

Pool = ConnectionPool[Connection[Any]]


def open_pool(settings: Settings) -> Pool:
    """
    Return a pool of connections in autocommit mode; the embedded server is started if it does not run.

    Raises:
        DatabaseError: the database cannot be reached.
    """

    def configure(conn: Connection[Any]) -> None:
        timeout = f"{int(settings.lock_timeout_seconds * 1000)}ms"
        conn.execute(
            "select set_config('lock_timeout', %s, false), set_config('timezone', 'UTC', false)", [timeout]
        )

    connect(settings).close()  # starts the embedded server, or raises the cause
    return ConnectionPool(
        kwargs={
            **connection_parameters(settings),
            "autocommit": True,
            "application_name": f"daftari serve {__version__}",
        },
        min_size=1,
        max_size=_CONNECTIONS,
        timeout=_WAIT_SECONDS,
        configure=configure,
        open=True,
    )


@contextmanager
def pooled(pool: Pool) -> Iterator[Connection[Any]]:
    """
    Yield a connection of *pool*.

    Raises:
        DatabaseError: none became free in time, or the database refuses what the block needs.
    """
    try:
        with pool.connection() as conn, database_errors_explained(conn):
            yield conn
    except PoolTimeout:
        raise DatabaseError("database: no connection became free in time", hint="Try again later.") from None
