"""
Deferred indexes: secondary indexes and the primary key of an empty table, built after its rows.

Building an index once costs a third of maintaining it during a load. Everything is in the caller's transaction, so a
load that fails leaves them unchanged.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection, sql

from daftari.contract.platform import OPS
from daftari.io.database import queries

_QUERIES = queries.load_queries("load/deferred_indexes.sql")


class DeferredIndexes:
    """The indexes and the key of one table while they are dropped."""

    def __init__(self, conn: Connection[Any], table: str) -> None:
        self._conn = conn
        self._table = table
        self._remake: list[str] = []
        self.has_key = (
            False  #: whether the primary key is dropped: until it is rebuilt, nothing finds a row by its key
        )

    def set_aside(self) -> None:
        """
        Drop the table's secondary indexes and its primary key.

        The key stays where another table refers to it, where no other constraint keeps rows unique, and where other
        objects depend on it.
        """
        for name, *remake in self._found("secondary_indexes"):
            self._conn.execute(sql.SQL("drop index {}").format(sql.Identifier(OPS, name)))
            self._remake += filter(None, remake)
        for name, *remake in self._found("lone_key"):
            drop = sql.SQL("alter table {} drop constraint {}").format(
                sql.Identifier(OPS, self._table), sql.Identifier(name)
            )
            try:
                with self._conn.transaction():
                    self._conn.execute(drop)
            except psycopg.errors.DependentObjectsStillExist:
                continue
            self._remake = [*filter(None, remake), *self._remake]
            self.has_key = True

    def put_back(self) -> None:
        """Rebuild them all. May be called when none is dropped."""
        for statement in self._remake:
            self._conn.execute(sql.SQL(statement))
        self._remake, self.has_key = [], False

    def _found(self, query: str) -> list[tuple[str, ...]]:
        return self._conn.execute(_QUERIES[query], {"table": self._table}).fetchall()
