"""Apply the access of the contracts: roles, owners, policies, grants and the views of masks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection

from daftari.compile.access import access_statements, roles
from daftari.compile.access.access_policies import OPERATOR_POLICY, Rights
from daftari.compile.access.access_statements import AccessObject
from daftari.compile.names import identifier, identifiers
from daftari.compile.schema_changes.schema_changes import changes, statements_of
from daftari.compile.schema_changes.steps import ACCESS_PHASES
from daftari.compile.tables.objects import Grant, Owner, Policy, View
from daftari.contract.model import Contract
from daftari.errors import DatabaseError
from daftari.io.catalogue import live_access, live_objects
from daftari.io.catalogue.live_access import Applicant
from daftari.operations.schema.survey_database import Survey, survey_database

#: Rebuilt objects lose their dependent ones, so a second survey may find more; a third never does.
_ROUNDS = 3


def apply_access(
    conn: Connection[Any],
    contracts: Sequence[Contract],
    *,
    rights: Rights,
    now: datetime,
    surveyed: Survey | None = None,
) -> int:
    """
    Bring rights to *contracts*, within the caller's transaction. Return the number of statements.

    Rights granted by hand are revoked, and rights revoked by hand are granted again. *surveyed* is a survey that is
    still valid; without one, this begins with a survey.

    Raises:
        DatabaseError: this user may not create the roles, or is not one of the operators.
    """
    done = 0
    for _ in range(_ROUNDS):
        surveyed = surveyed or survey_database(conn, contracts, rights=rights, now=now)
        statements = statements_of(changes(surveyed.found, surveyed.situation), set(ACCESS_PHASES))
        if not done:
            _join(conn, contracts, rights)
        if not statements:
            return done
        _run(conn, statements)
        surveyed = None
        done += len(statements)
    raise DatabaseError(
        f"apply: rights do not match the contracts after {_ROUNDS} rounds; nothing was changed",
        hint="Something changes them at the same time: an event trigger, or another apply.",
    )


def suspend(conn: Connection[Any]) -> list[AccessObject]:
    """
    Drop policies and views that block changes of columns; return what to give to `resume`.

    Within the caller's transaction, which must end with `resume` or `apply_access`. Policies and views of masks name
    columns. Without them only operators see rows, so nothing is exposed meanwhile.
    """
    live = live_objects.read_objects(conn).values()
    dropped = [
        it for it in live if isinstance(it, View) or (isinstance(it, Policy) and it.name != OPERATOR_POLICY)
    ]
    for item in dropped:
        _run(conn, access_statements.drop_access(item))
    views = {(it.schema, it.name) for it in dropped if isinstance(it, View)}
    of_views = [it for it in live if isinstance(it, Owner | Grant) and (it.schema, it.table) in views]
    return [*dropped, *of_views]


def resume(conn: Connection[Any], suspended: Sequence[AccessObject]) -> None:
    """
    Create again what `suspend` dropped, within the caller's transaction.

    What names a column that has gone is left out: `apply_access` creates its successor.
    """
    for item in sorted(suspended, key=_after_its_view):
        with suppress(psycopg.Error), conn.transaction():
            _run(conn, access_statements.create_access(item))


def _after_its_view(item: AccessObject) -> int:
    return 0 if isinstance(item, View) else 1


def _join(conn: Connection[Any], contracts: Sequence[Contract], rights: Rights) -> None:
    """Create the roles, and make this user an operator: it must see every row, and own what it changes."""
    wanted = list(roles.wanted([it.dataset for it in contracts], rights.readers.roles, rights.roles))
    names = [role.name for role in wanted]
    applicant = live_access.applicant(conn, names, rights.roles.own)
    if applicant.is_superuser or not (applicant.missing or applicant.not_joined):
        return
    try:
        with conn.transaction():
            _run(
                conn,
                [
                    statement
                    for role in wanted
                    if role.name in applicant.missing
                    for statement in access_statements.create_access(role)
                ],
            )
            _run(conn, [_membership(applicant, rights)])
    except psycopg.errors.InsufficientPrivilege:
        raise DatabaseError(
            f"apply: user {applicant.user} may not create roles or join them; "
            f"missing: {', '.join(applicant.missing) or 'none'}; not an operator by: {', '.join(applicant.not_joined)}",
            hint=f"Let an administrator run, once for the server: {_advice(applicant, rights)}",
        ) from None


def _membership(applicant: Applicant, rights: Rights) -> str:
    options = " with inherit true, set true" if applicant.says_how_to_inherit else ""
    return f"grant {identifiers(rights.roles.own)} to {identifier(applicant.user)}{options}"


def _advice(applicant: Applicant, rights: Rights) -> str:
    made = [f"create role {identifier(name)} nologin;" for name in applicant.missing]
    return " ".join([*made, f"{_membership(applicant, rights)};"])


def _run(conn: Connection[Any], statements: Sequence[str]) -> None:
    # Composed by compile/ from quoted names and literals and from conditions it has parsed.
    if statements:
        conn.execute(";\n".join(statements))
