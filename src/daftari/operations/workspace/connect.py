"""Connect to the database of a workspace, and to its key store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from daftari.io.database.connection import connect, database_errors_explained
from daftari.settings import Settings

if TYPE_CHECKING:
    from daftari.io.keys import KeyStore as KeyStore


@contextmanager
def connection(settings: Settings) -> Iterator[Connection[Any]]:
    """
    Yield a connection in autocommit mode: operations open their own transactions.

    Raises:
        DatabaseError: the database cannot be reached, or refuses what the block needs.
    """
    conn = connect(settings, autocommit=True)
    with database_errors_explained(conn), conn:  # explained outside: closing a lost connection fails too
        yield conn


def open_keys(settings: Settings) -> KeyStore:
    """
    Return the key store of the environment.

    Raises:
        KeysUnavailable: it cannot be used.
    """
    from daftari.io.keys import key_store_of  # takes half a second to import, and few commands need it

    return key_store_of(settings)
