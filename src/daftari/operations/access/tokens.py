"""Tokens of callers: list them, and revoke one. `issue_token` makes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.errors import TokenRefused
from daftari.io.access import tokens
from daftari.io.access.tokens import Token as Token


def list_tokens(conn: Connection[Any]) -> tuple[Token, ...]:
    """Return all tokens, expired and revoked ones included."""
    return tokens.all_tokens(conn)


def revoke_token(conn: Connection[Any], name: str, *, now: datetime, dry_run: bool = False) -> None:
    """
    Revoke the token called *name* permanently. A running server forgets it within seconds.

    Raises:
        TokenRefused: there is no valid token of that name.
    """
    valid = {token.name for token in tokens.all_tokens(conn) if token.state(now) == "valid"}
    if name not in valid:
        raise TokenRefused(
            f"{name}: no valid token of that name; there is {', '.join(sorted(valid)) or 'none'}"
        )
    if not dry_run:
        tokens.mark_revoked(conn, name, now)
