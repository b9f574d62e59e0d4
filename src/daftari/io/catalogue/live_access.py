"""Who may see and do what in a live database, as the objects that contracts want."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from daftari.compile.names import Schemas
from daftari.compile.tables.objects import (
    DatabaseObject,
    Grant,
    Owner,
    Policy,
    Role,
    RowSecurity,
    View,
    ViewRights,
)
from daftari.contract.platform import PLATFORM, STAGING
from daftari.io.database import queries

_QUERIES = queries.load_queries("catalogue/live_access.sql")
#: Schemas whose grants are compared. Nobody has grants in the platform's own schema.
_PLATFORM = (STAGING, PLATFORM)
#: The server prints these in its own form, so they are created before they are compared.
PRINTED = ("views", "policies")


def read_access(
    conn: Connection[Any],
    schemas: Schemas,
    *,
    roles: Sequence[str] = (),
    kinds: Sequence[str] | None = None,
) -> list[DatabaseObject]:
    """Return the existing objects of *kinds*, by default all. Within the caller's transaction, search_path empty."""
    governed = [schemas.data, schemas.views, schemas.marts]
    parameters = {
        "governed": governed,
        "data": schemas.data,
        "views": schemas.views,
        "marts": schemas.marts,
        "granted": [*governed, *_PLATFORM],
        "roles": list(roles),
    }
    return [
        item
        for kind, reader in _READERS.items()
        if kinds is None or kind in kinds
        for row in conn.execute(_QUERIES[kind], parameters).fetchall()
        for item in reader(*row)
    ]


@dataclass(frozen=True, kw_only=True)
class Applicant:
    """The user of a session, and the rights it lacks to apply contracts."""

    user: str
    is_superuser: bool
    missing: tuple[str, ...]  #: roles that do not exist
    not_joined: tuple[str, ...]  #: platform roles whose rights the user does not have
    says_how_to_inherit: bool  #: from PostgreSQL 16 a membership states whether its rights are inherited


def applicant(conn: Connection[Any], roles: Sequence[str], own: Sequence[str]) -> Applicant:
    row = conn.execute(_QUERIES["session"], {"roles": list(roles), "own": list(own)}).fetchone()
    assert row is not None, "the current user is a role"
    user, is_superuser, missing, not_joined, says_how = row
    return Applicant(
        user=user,
        is_superuser=is_superuser,
        missing=tuple(missing),
        not_joined=tuple(sorted({*not_joined, *(set(own) & set(missing))})),
        says_how_to_inherit=says_how,
    )


def published_marts(conn: Connection[Any]) -> dict[str, dict[str, str]]:
    """Return the published marts with their columns and types."""
    return {name: columns or {} for name, columns in conn.execute(_QUERIES["marts"])}


def bypassing(conn: Connection[Any], roles: Sequence[str]) -> list[tuple[str, str]]:
    """Return each member of *roles* that policies do not restrict, after its role."""
    return conn.execute(_QUERIES["bypassing"], {"roles": list(roles)}).fetchall()


def given_ahead(conn: Connection[Any]) -> list[tuple[str | None, str, str, str]]:
    """Return schema, owner, grantee and privilege of each default privilege."""
    schemas = Schemas()
    granted = [schemas.data, schemas.views, schemas.marts, *_PLATFORM]
    return conn.execute(_QUERIES["given_ahead"], {"granted": granted}).fetchall()


def _role(name: str, attributes: list[str], member_of: list[str]) -> Iterator[DatabaseObject]:
    yield Role(name=name, attributes=tuple(attributes), member_of=tuple(member_of))


def _view(schema: str, name: str, definition: str, is_barrier: bool) -> Iterator[DatabaseObject]:
    yield View(schema=schema, name=name, definition=definition, is_barrier=is_barrier)


def _owner(schema: str, table: str, owner: str, is_view: bool) -> Iterator[DatabaseObject]:
    yield Owner(schema=schema, table=table, owner=owner, is_view=is_view)


def _row_security(schema: str, table: str, enabled: bool, forced: bool) -> Iterator[DatabaseObject]:
    yield RowSecurity(schema=schema, table=table, enabled=enabled, forced=forced)


def _view_rights(schema: str, table: str, of_reader: bool) -> Iterator[DatabaseObject]:
    yield ViewRights(schema=schema, table=table, of_reader=of_reader)


def _policy(*row: Any) -> Iterator[DatabaseObject]:
    schema, table, name, command, roles, using, check, permissive = row
    yield Policy(
        schema=schema, table=table, name=name, command=command, roles=tuple(roles), using=using, check=check,
        permissive=permissive,
    )  # fmt: skip


def _grant(*row: Any) -> Iterator[DatabaseObject]:
    schema, table, grantee, privilege, columns, grantable = row
    yield Grant(
        schema=schema, table=table, grantee=grantee, privilege=privilege, columns=tuple(columns),
        grantable=grantable,
    )  # fmt: skip


_READERS: Mapping[str, Callable[..., Iterator[DatabaseObject]]] = {
    "roles": _role,
    "views": _view,
    "owners": _owner,
    "row_security": _row_security,
    "view_rights": _view_rights,
    "policies": _policy,
    "grants": _grant,
}
