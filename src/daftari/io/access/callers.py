"""Whom a connection acts for: a service login acts for callers and takes on their roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from daftari.compile.access.roles import Roles
from daftari.contract.access.caller import Caller, RequestContext
from daftari.errors import DatabaseError
from daftari.io.database import queries
from daftari.io.keys.session_keys import in_reader_role

_QUERIES = queries.load_queries("access/callers.sql")


def speak_for(conn: Connection[Any], context: RequestContext, *, role: str | None = None) -> None:
    """
    Set the caller that this session acts for, and take on *role* if one is named, until the transaction ends.

    The settings count only where the session's login is a service; see `require_service`.
    """
    conn.execute(*session_settings(context, role))


def session_settings(context: RequestContext, role: str | None) -> tuple[str, dict[str, Any]]:
    """Return the statement of `speak_for`, to be sent together with another."""
    facts = {
        "user_id": context.caller.user_id or "",
        "actor": context.caller.name,
        "request_id": context.request_id,
        "purpose": context.purpose or "",
        "role": role,
    }
    return _QUERIES["speak_for"], facts


def leave_role(conn: Connection[Any]) -> None:
    """Return to the login's own role before the transaction ends."""
    conn.execute("reset role")


@contextmanager
def in_role_of(conn: Connection[Any], caller: Caller, roles: Roles) -> Iterator[None]:
    """Take on the caller's role within the block, in the caller's transaction: PostgreSQL then decides."""
    with in_reader_role(conn, roles.of(caller.role)):
        yield


def require_service(conn: Connection[Any]) -> None:
    """
    Raises DatabaseError where the login of *conn* is not marked as a service: PostgreSQL would ignore its callers, who
    would see nothing.
    """
    row = conn.execute(_QUERIES["is_service"]).fetchone()
    if row is None or not row[0]:
        raise DatabaseError(
            f"database: the login {conn.info.user} is not a service; expected a login that may act for callers",
            hint="As the user who runs `daftari apply`, add it to daftari.assignment with is_service = true.",
        )


def make_service(conn: Connection[Any]) -> None:
    """Mark the login of *conn* as a service. For the embedded server, which has only this login."""
    conn.execute(_QUERIES["make_service"])
