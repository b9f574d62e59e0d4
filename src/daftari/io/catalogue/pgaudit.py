"""Reads of restricted tables in the server's log, where the server has loaded pgAudit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection, sql

from daftari.contract.model import Classification, Dataset
from daftari.contract.platform import OPS
from daftari.io.audit import audit_tables
from daftari.io.database import queries

_QUERIES = queries.load_queries("catalogue/pgaudit.sql")
_ROLE = "daftari_pgaudit"
#: Log the object's name, but not the statement, whose literals may be values of rows, nor its parameters.
_SETTINGS = {
    "pgaudit.role": _ROLE,
    "pgaudit.log_statement": "off",
    "pgaudit.log_parameter": "off",
    "pgaudit.log_catalog": "off",
}


def configure_pgaudit(conn: Connection[Any], datasets: Sequence[Dataset]) -> bool:
    """
    Log reads of restricted tables in every new session, within the caller's transaction.

    Return whether that is possible: the library must be loaded, and the login must be a superuser. May be repeated.
    """
    if not is_loaded(conn) or not audit_tables.may_watch(conn):
        return False
    wanted, granted = _wanted(conn, datasets), _granted(conn)
    if not is_configured(conn):
        conn.execute(_QUERIES["make_role"])
        row = conn.execute(_QUERIES["database"]).fetchone()
        assert row is not None, "a select without from has one row"
        for name, value in _SETTINGS.items():
            statement = sql.SQL("alter database {} set {} = {}")
            conn.execute(statement.format(sql.Identifier(row[0]), sql.SQL(name), sql.Literal(value)))
        conn.execute(sql.SQL("grant usage on schema ops to {}").format(sql.Identifier(_ROLE)))
    for relations, verb in (
        (wanted - granted, "grant select on {} to {}"),
        (granted - wanted, "revoke all on {} from {}"),
    ):
        for name in sorted(relations):
            conn.execute(sql.SQL(verb).format(sql.Identifier(OPS, name), sql.Identifier(_ROLE)))
    return True


def is_loaded(conn: Connection[Any]) -> bool:
    row = conn.execute(_QUERIES["is_loaded"]).fetchone()
    return bool(row and row[0])


def is_configured(conn: Connection[Any]) -> bool:
    """Whether new sessions of this database log what the role may read."""
    row = conn.execute(_QUERIES["settings"]).fetchone()
    return bool(row) and {f"{name}={value}" for name, value in _SETTINGS.items()} <= set(
        row[0] if row else ()
    )


def unlogged(conn: Connection[Any], datasets: Sequence[Dataset]) -> list[str]:
    """Return the restricted tables and partitions whose reads could be logged but are not."""
    if not is_loaded(conn) or not audit_tables.may_watch(conn):
        return []
    wanted = _wanted(conn, datasets)
    return sorted(wanted if not is_configured(conn) else wanted - _granted(conn))


def _wanted(conn: Connection[Any], datasets: Sequence[Dataset]) -> set[str]:
    tables = [
        it.name for it in datasets if any(f.classification == Classification.RESTRICTED for f in it.fields)
    ]
    return {name for (name,) in conn.execute(_QUERIES["relations"], {"tables": tables})}


def _granted(conn: Connection[Any]) -> set[str]:
    return {name for (name,) in conn.execute(_QUERIES["granted"])}
