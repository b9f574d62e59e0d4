"""Issue a token with which a program or a person calls the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from daftari.contract.model import Dataset
from daftari.contract.permissions import roles_named
from daftari.errors import TokenRefused, UnknownName
from daftari.io.access import tokens
from daftari.io.access.tokens import TokenGrant as TokenGrant

#: The longest that a token may be valid.
MOST_DAYS = 366


def issue_token(
    conn: Connection[Any], datasets: Sequence[Dataset], grant: TokenGrant, *, now: datetime, days: int
) -> str:
    """
    Return a new token for *grant*, valid for *days*. It is not stored: a lost token must be replaced.

    Raises:
        UnknownName: no contract names that role, or a dataset does not exist.
        TokenRefused: the name is taken, the person is not known, or it would be valid too long.
    """
    roles = roles_named(datasets)
    if grant.role not in roles:
        raise UnknownName("--role", "role", grant.role, known=roles)
    names = [dataset.name for dataset in datasets]
    for name in grant.datasets:
        if name not in names:
            raise UnknownName("--dataset", "dataset", name, known=names)
    if not 1 <= days <= MOST_DAYS:
        raise TokenRefused(f"--days {days}: expected 1 to {MOST_DAYS}")
    if grant.user_id is not None and not tokens.is_user(conn, grant.user_id):
        raise TokenRefused(
            "--user: no such person; expected a user_id of the dataset users",
            hint="Load the people first: daftari load users FILE.",
        )
    token = tokens.new_token()
    if not tokens.add_token(conn, grant, token, now=now, expires_at=now + timedelta(days=days)):
        raise TokenRefused(
            f"{grant.name}: a token has that name; expected a new name",
            hint="Names are never reused, so that the audit stays clear. `daftari token list` shows them.",
        )
    return token
