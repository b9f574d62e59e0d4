"""
Tokens of the API. A token is a random number of 256 bits, so its digest needs neither salt nor stretching. Only the
digest is stored.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from daftari.contract.access.caller import Caller
from daftari.errors import NotAuthenticated
from daftari.io.database import queries

_QUERIES = queries.load_queries("access/tokens.sql")
#: Secret scanners recognise our tokens by this prefix.
PREFIX = "dft_"
_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class TokenGrant:
    """Whom a token acts for."""

    name: str
    role: str  #: as contracts name it
    user_id: str | None = None
    datasets: tuple[str, ...] = ()  #: empty: all
    writes: bool = True


@dataclass(frozen=True, kw_only=True)
class Token:
    """A stored token: its grant, who made it and when, and its last use."""

    name: str
    role: str
    user_id: str | None
    datasets: tuple[str, ...]
    writes: bool
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None  #: to the minute

    def state(self, now: datetime) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if self.expires_at > now else "expired"


def new_token() -> str:
    return PREFIX + secrets.token_urlsafe(_BYTES)


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def add_token(
    conn: Connection[Any], grant: TokenGrant, token: str, *, now: datetime, expires_at: datetime
) -> bool:
    """Store the digest of *token*; False where the name is taken."""
    facts = {
        **vars(grant),
        "datasets": list(grant.datasets),
        "sha256": token_digest(token),
        "created_at": now,
        "expires_at": expires_at,
    }
    return conn.execute(_QUERIES["add"], facts).rowcount == 1


def all_tokens(conn: Connection[Any]) -> tuple[Token, ...]:
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_QUERIES["every"]).fetchall()
    return tuple(Token(**{**row, "datasets": tuple(row["datasets"])}) for row in found)


def mark_revoked(conn: Connection[Any], name: str, now: datetime) -> bool:
    """Revoke a token; False where no valid one has that name."""
    return conn.execute(_QUERIES["revoke"], {"name": name, "now": now}).rowcount == 1


def caller_of_token(conn: Connection[Any], token: str, now: datetime) -> Caller:
    """
    Return the caller of *token*.

    Raises:
        NotAuthenticated: it is unknown, expired or revoked.
    """
    row = conn.execute(_QUERIES["known"], {"sha256": token_digest(token), "now": now}).fetchone()
    if row is None:
        raise NotAuthenticated
    name, role, user_id, datasets, writes, _, is_to_be_noted = row
    if is_to_be_noted:
        conn.execute(_QUERIES["note_use"], {"name": name, "now": now})
    return caller_of_grant(name, role, user_id, datasets, writes)


def caller_of_grant(
    name: str, role: str, user_id: str | None, datasets: Sequence[str], writes: bool
) -> Caller:
    """Return the caller of the token called *name*."""
    return Caller(name=f"token:{name}", role=role, user_id=user_id, datasets=tuple(datasets), writes=writes)


def is_user(conn: Connection[Any], user_id: str) -> bool:
    """Whether the person exists; True where the workspace keeps no people."""
    keeps = conn.execute(_QUERIES["keeps_users"]).fetchone()
    if not (keeps and keeps[0]):
        return True
    row = conn.execute(_QUERIES["is_user"], {"user_id": user_id}).fetchone()
    return bool(row and row[0])
