"""Authenticate API callers: by our tokens (`daftari token`), or by those of an OpenID Connect issuer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.contract.access.caller import Caller
from daftari.errors import NotAuthenticated
from daftari.io.access import tokens
from daftari.io.access.oidc_tokens import Verifier


def authenticate(
    token: str,
    verifier: Verifier | None,
    connection: Callable[[], AbstractContextManager[Connection[Any]]],
    *,
    now: datetime,
) -> Caller:
    """
    Return the caller of *token*. A token of the issuer is checked without a *connection*.

    Raises:
        NotAuthenticated: the token is unknown, expired or revoked, or not one of the issuer's for a role of ours.
    """
    if token.startswith(tokens.PREFIX):
        with connection() as conn:
            return tokens.caller_of_token(conn, token, now)
    if verifier is None or token.count(".") != 2:
        raise NotAuthenticated
    return verifier.caller_of(token)


def digest_of_token(token: str) -> bytes:
    """Return what identifies a token without storing it."""
    return tokens.token_digest(token)
