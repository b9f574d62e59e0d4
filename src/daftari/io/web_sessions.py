"""Sessions of the control room: a browser that has shown a token, known again by a random number of its own."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from daftari.errors import NotAuthenticated
from daftari.io import queries, tokens
from daftari.io.callers import Caller

_QUERIES = queries.load("web_sessions.sql")
_BYTES = 32
#: A working day: whoever comes back the next morning shows the token again.
LASTS = timedelta(hours=12)


def begin(conn: Connection[Any], token: str, now: datetime) -> str:
    """
    Return what the browser of whoever shows *token* keeps. Only its digest is kept here.

    Raises:
        NotAuthenticated: the token is nobody's.
    """
    session = secrets.token_urlsafe(_BYTES)
    facts = {
        "sha256": tokens.digest(session),
        "token": tokens.digest(token),
        "now": now,
        "ends_at": now + LASTS,
    }
    with conn.transaction():
        conn.execute(_QUERIES["forget_ended"], facts)
        if conn.execute(_QUERIES["begin"], facts).rowcount != 1:
            raise NotAuthenticated
    return session


def caller_of(conn: Connection[Any], session: str, now: datetime) -> Caller:
    """
    Return whose browser it is.

    Raises:
        NotAuthenticated: nobody's: it is unknown, has ended, or its token was revoked or has expired.
    """
    row = conn.execute(_QUERIES["known"], {"sha256": tokens.digest(session), "now": now}).fetchone()
    if row is None:
        raise NotAuthenticated
    return tokens.caller(*row)


def end(conn: Connection[Any], session: str) -> None:
    conn.execute(_QUERIES["end"], {"sha256": tokens.digest(session)})
