"""
Sessions of the control room. A browser starts one with a token or through an issuer; a random number identifies it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from daftari.contract.access.caller import Caller
from daftari.errors import NotAuthenticated
from daftari.io.access import tokens
from daftari.io.database import queries

_QUERIES = queries.load_queries("access/web_sessions.sql")
_BYTES = 32
#: A working day: the next morning, people sign in again.
LASTS = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class WebSession:
    """A browser that is signed in."""

    who: str  #: as the audit names the person
    role: str
    began_at: datetime
    ends_at: datetime


def insert_session(conn: Connection[Any], token: str, now: datetime) -> str:
    """
    Start a session with *token*; return the secret for the browser to keep. Only its digest is stored.

    Raises:
        NotAuthenticated: the token is unknown.
    """
    session = secrets.token_urlsafe(_BYTES)
    facts = {
        "sha256": tokens.token_digest(session),
        "token": tokens.token_digest(token),
        "now": now,
        "ends_at": now + LASTS,
    }
    with conn.transaction():
        conn.execute(_QUERIES["forget_ended"], facts)
        if conn.execute(_QUERIES["begin"], facts).rowcount != 1:
            raise NotAuthenticated
    return session


def insert_session_for(conn: Connection[Any], caller: Caller, now: datetime, lasts: timedelta) -> str:
    """Start a session for *caller*, whom an issuer authenticated; return the browser's secret."""
    session = secrets.token_urlsafe(_BYTES)
    facts = {
        "sha256": tokens.token_digest(session),
        "actor": caller.name,
        "role": caller.role,
        "user_id": caller.user_id,
        "now": now,
        "ends_at": now + lasts,
    }
    with conn.transaction():
        conn.execute(_QUERIES["forget_ended"], facts)
        conn.execute(_QUERIES["begin_for"], facts)
    return session


def session_caller(conn: Connection[Any], session: str, now: datetime) -> Caller:
    """
    Return the caller of a session.

    Raises:
        NotAuthenticated: it is unknown or has ended, or its token was revoked or has expired.
    """
    row = conn.execute(_QUERIES["known"], {"sha256": tokens.token_digest(session), "now": now}).fetchone()
    if row is None:
        raise NotAuthenticated
    actor, role, user_id, *of_token = row
    if actor is not None:
        return Caller(name=actor, role=role, user_id=user_id)
    return tokens.caller_of_grant(*of_token)


def all_sessions(conn: Connection[Any], now: datetime) -> list[WebSession]:
    """Return the sessions that have not ended, oldest first."""
    with conn.cursor(row_factory=class_row(WebSession)) as cursor:
        return cursor.execute(_QUERIES["every"], {"now": now}).fetchall()


def delete_sessions_of(conn: Connection[Any], who: str) -> int:
    """End every session of *who*; return how many."""
    return conn.execute(_QUERIES["end_of"], {"who": who}).rowcount


def delete_session(conn: Connection[Any], session: str) -> None:
    conn.execute(_QUERIES["end"], {"sha256": tokens.token_digest(session)})
