"""The audit's partitions, and the event triggers that record changes of shape."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.io.database import queries

_QUERIES = queries.load_queries("audit/audit_entries.sql")
#: This month and this many after it. Entries of a month without a partition go to the default one, and stay there.
_MONTHS = 4

#: Event triggers by name, each with the statement that creates it.
_WATCHES = {
    "daftari_watch_drops": (
        "create event trigger daftari_watch_drops on sql_drop execute function daftari.watch_drops()"
    ),
    "daftari_watch_commands": (
        "create event trigger daftari_watch_commands on ddl_command_end "
        "when tag in ('ALTER TABLE', 'CREATE TRIGGER', 'ALTER TRIGGER', 'CREATE FUNCTION', 'ALTER FUNCTION', "
        "'CREATE POLICY', 'ALTER POLICY') execute function daftari.watch_commands()"
    ),
}


def make_audit_partitions(conn: Connection[Any], *, now: datetime) -> list[str]:
    """Create the audit's partitions due by *now*; return those that were missing. May be repeated."""
    parameters = {"first": now.date(), "months": _MONTHS}
    return [name for (name,) in conn.execute(_QUERIES["make_partitions"], parameters)]


def watch(conn: Connection[Any]) -> bool:
    """
    Record changes of shape, within the caller's transaction; return whether that is possible. May be repeated.

    Only superusers can create event triggers.
    """
    found = unwatched(conn)
    if not found or not may_watch(conn):
        return not found
    there = watches(conn)
    for name in found:
        if name not in there:
            conn.execute(_WATCHES[name])
        conn.execute(f"alter event trigger {name} enable always")
    return True


def may_watch(conn: Connection[Any]) -> bool:
    row = conn.execute(_QUERIES["is_superuser"]).fetchone()
    return bool(row and row[0])


def unwatched(conn: Connection[Any]) -> list[str]:
    """Return the names of the event triggers that are missing or do not always fire."""
    there = watches(conn)
    return [name for name in _WATCHES if there.get(name) != "A"]


def watches(conn: Connection[Any]) -> dict[str, str]:
    return dict(conn.execute(_QUERIES["watches"]).fetchall())
