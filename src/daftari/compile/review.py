"""The subject of an access review: an existing access, and the statement that revokes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from daftari.compile.names import identifier


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A relation, and the permitted actions on it."""

    relation: str  #: schema.name, quoted if PostgreSQL needs that
    privileges: tuple[str, ...]
    columns: tuple[str, ...] = ()  #: readable columns; empty: all
    role: str | None = None  #: the role used to reach it; None: the grantee itself
    rows: int | None = None  #: rows that the grantee actually sees
    not_counted: str | None = None  #: why `rows` is not known


@dataclass(frozen=True, kw_only=True)
class HeldAccess:
    """One access that one statement can revoke."""

    kind: str  #: membership, grant, owner, attribute, default, function or view
    grantee: str  #: a login, a role, or public
    object: str  #: the role, relation, attribute, schema or function
    #: privileges; for a membership its grantor, if the server records it; for a default privilege the role that
    #: creates the tables, and the privilege
    means: tuple[str, ...] = ()
    through: tuple[str, ...] = ()  #: in words, one for each path
    reach: tuple[Reach, ...] = ()
    last_use: datetime | None = None  #: in the audit: a change, or a recorded read


def revocation(access: HeldAccess, *, owner: str) -> str:
    """Return the statement that revokes *access*. Ownership goes to *owner*, the platform's role."""
    grantee = "public" if access.grantee == "public" else identifier(access.grantee)
    match access.kind:
        case "membership":
            granted_by = [f" granted by {identifier(grantor)}" for grantor in access.means] or [""]
            return "; ".join(f"revoke {identifier(access.object)} from {grantee}{by}" for by in granted_by)
        case "grant":
            return f"revoke all on {access.object} from {grantee}"
        case "view":
            return f"revoke select on {access.object} from {grantee}"
        case "function":
            return f"revoke execute on function {access.object} from {grantee}"
        case "owner":
            return f"alter table {access.object} owner to {identifier(owner)}"
        case "attribute":
            return f"alter role {grantee} no{access.object}"
        case "default":
            return _no_default(access, grantee)
    raise ValueError(f"no statement for an access of kind {access.kind}")


def _no_default(access: HeldAccess, grantee: str) -> str:
    maker, privilege = access.means
    place = "" if access.object == EVERY_SCHEMA else f" in schema {identifier(access.object)}"
    return (
        f"alter default privileges for role {identifier(maker)}{place}"
        f" revoke {privilege} on tables from {grantee}"
    )


#: The object of a default privilege for all schemas.
EVERY_SCHEMA = "every schema"
