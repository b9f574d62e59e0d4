"""
Frequent statements, prepared once on each connection, and sent in one round trip with the settings they need.

psycopg prepares frequent statements itself, but needs a round trip for each. A page of rows takes less time than the
four round trips around it.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import ClientCursor, Connection, sql

#: For one connection. When there are more, the oldest is dropped.
_MOST = 100
_Names = OrderedDict[tuple[str, str], str]
#: Names are never reused: a session that was made to drop some may still have others.
_NUMBERS = itertools.count()
_NAMES: WeakKeyDictionary[Connection[Any], _Names] = WeakKeyDictionary()


def ask_after(
    conn: Connection[Any], first: tuple[str, dict[str, Any]], role: str, statement: str, values: Sequence[Any]
) -> ClientCursor[Any]:
    """
    Run *first*, then *statement*, in one transaction and one round trip. *conn* must be in autocommit mode.

    Both are written in psycopg's form, and psycopg quotes *values*. A statement is prepared for one *role*, which
    *first* takes on: a plan holds for the policies of one role.
    """
    try:
        return _ask(conn, first, _name(conn, role, statement), values)
    except psycopg.errors.InvalidSqlStatementName:
        # The session dropped its prepared statements, as psycopg does after a table was altered or dropped.
        _NAMES.pop(conn, None)
        return _ask(conn, first, _name(conn, role, statement), values)


def _ask(
    conn: Connection[Any], first: tuple[str, dict[str, Any]], name: str, values: Sequence[Any]
) -> ClientCursor[Any]:
    cursor = ClientCursor(conn)
    before = cursor.mogrify(*first)
    given = cursor.mogrify(f"({', '.join(['%s'] * len(values))})", values) if values else ""
    cursor.execute(f"{before.rstrip().rstrip(';')}; execute {name}{given}".encode())
    while cursor.nextset():
        pass
    return cursor


def _name(conn: Connection[Any], role: str, statement: str) -> str:
    """Return the name under which *statement* is prepared on *conn* for *role*."""
    names = _NAMES.setdefault(conn, OrderedDict())
    known = names.get((role, statement))
    if known is not None:
        names.move_to_end((role, statement))
        return known
    while len(names) >= _MOST:
        _, oldest = names.popitem(last=False)
        conn.execute(sql.SQL("deallocate {}").format(sql.Identifier(oldest)))
    name = f"daftari_asked_{next(_NUMBERS)}"
    conn.execute(f"prepare {name} as {_with_parameters(statement)}".encode())
    names[role, statement] = name
    return name


def _with_parameters(statement: str) -> str:
    """Return a statement with PostgreSQL's parameters in place of psycopg's."""
    first, *others = statement.split("%s")
    parts = [first, *(f"${number}{rest}" for number, rest in enumerate(others, 1))]
    return "".join(parts).replace("%%", "%")
