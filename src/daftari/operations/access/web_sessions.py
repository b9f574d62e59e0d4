"""Sessions of the control room: started with a token or through an issuer, recognised, listed and ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from daftari.contract.access.caller import Caller
from daftari.errors import TokenRefused
from daftari.io.access import web_sessions
from daftari.io.access.web_sessions import LASTS as LASTS
from daftari.io.access.web_sessions import WebSession as WebSession


def begin_session(conn: Connection[Any], token: str, *, now: datetime) -> str:
    """
    Return the secret of a new session, which the browser keeps, for the caller of *token*. It ends after `LASTS`.

    Raises:
        NotAuthenticated: the token is unknown, expired or revoked.
    """
    return web_sessions.insert_session(conn, token, now)


def begin_session_for(conn: Connection[Any], caller: Caller, lasts: timedelta, *, now: datetime) -> str:
    """Return the secret of a new session for *caller*, whom an issuer authenticated."""
    return web_sessions.insert_session_for(conn, caller, now, lasts)


def caller_of_session(conn: Connection[Any], secret: str, *, now: datetime) -> Caller:
    """
    Return the caller of a session.

    Raises:
        NotAuthenticated: the session is unknown or has ended, or its token was revoked or has expired.
    """
    return web_sessions.session_caller(conn, secret, now)


def end_session(conn: Connection[Any], secret: str) -> None:
    """End one session, by its secret."""
    web_sessions.delete_session(conn, secret)


def list_sessions(conn: Connection[Any], *, now: datetime) -> list[WebSession]:
    """Return the sessions that have not ended, oldest first."""
    return web_sessions.all_sessions(conn, now)


def end_sessions_of(conn: Connection[Any], who: str, *, now: datetime, dry_run: bool = False) -> int:
    """
    End every session of *who*, as the audit names them; return how many there were.

    Raises:
        TokenRefused: they are not signed in.
    """
    signed_in = [session.who for session in web_sessions.all_sessions(conn, now)]
    if who not in signed_in:
        raise TokenRefused(
            f"{who}: is not signed in; there is {', '.join(sorted(set(signed_in))) or 'nobody signed in'}",
            hint="Name them as `daftari token sessions` does.",
        )
    return signed_in.count(who) if dry_run else web_sessions.delete_sessions_of(conn, who)
