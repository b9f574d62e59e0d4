"""A token for one person of each role, to try the demonstration as each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.io.access import tokens
from daftari.io.access.tokens import TokenGrant
from daftari.io.database import queries
from daftari.io.workspace.files import Workspace
from daftari.operations.access.issue_token import issue_token

_QUERIES = queries.load_queries("access/tokens.sql")
_PREFIX = "demo"
#: Roles that see their own or their people's rows: these tokens need a person.
_SOMEBODY = {"employee": "an_employee", "manager": "a_manager"}
#: Deciders are chosen by department: the one that decides on requests.
_DEPARTMENTS = {"finance": "FIN", "hr": "PPL"}
_OTHERS = ("auditor", "dpo", "data_engineer")


@dataclass(frozen=True, kw_only=True)
class DemoPerson:
    role: str
    user_id: str | None
    token: str = field(repr=False)


def make_demo_tokens(conn: Connection[Any], workspace: Workspace, *, now: datetime) -> list[DemoPerson]:
    """Return new tokens, valid for a day, and revoke those of the last run. Only for the demonstration."""
    for one in tokens.all_tokens(conn):
        if one.name.startswith(f"{_PREFIX} ") and one.state(now) == "valid":
            tokens.mark_revoked(conn, one.name, now)
    datasets = [it.dataset for it in workspace.contracts]
    people = []
    for role in (*_SOMEBODY, *_DEPARTMENTS, *_OTHERS):
        user_id = _person(conn, role)
        grant = TokenGrant(name=f"{_PREFIX} {role} {now:%Y-%m-%d %H:%M:%S}", role=role, user_id=user_id)
        token = issue_token(conn, datasets, grant, now=now, days=1)
        people.append(DemoPerson(role=role, user_id=user_id, token=token))
    return people


def _person(conn: Connection[Any], role: str) -> str | None:
    if role not in _SOMEBODY and role not in _DEPARTMENTS:
        return None
    query = _QUERIES[_SOMEBODY.get(role, "somebody_of")]
    row = conn.execute(query, {"department": _DEPARTMENTS.get(role)}).fetchone()
    return str(row[0]) if row else None
