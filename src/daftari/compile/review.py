"""What an access review looks at: an access that somebody has, and the statement that takes it away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from daftari.compile.names import identifier


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A relation, and what may be done with it."""

    relation: str  #: schema.name, quoted where PostgreSQL needs that
    privileges: tuple[str, ...]
    columns: tuple[str, ...] = ()  #: that may be read; empty: all of them
    role: str | None = None  #: that it is reached as; None: the grantee itself
    rows: int | None = None  #: that the grantee really sees there
    not_counted: str | None = None  #: why `rows` is not known


@dataclass(frozen=True, kw_only=True)
class HeldAccess:
    """One thing that somebody has and that one statement can take away."""

    kind: str  #: membership, grant, owner, attribute, default, function or view
    grantee: str  #: a login, a role, or public
    object: str  #: the role, relation, attribute, schema or function
    #: privileges; of a membership who granted it, where the server keeps that apart; of a default privilege who makes
    #: the tables, and the privilege
    means: tuple[str, ...] = ()
    through: tuple[str, ...] = ()  #: in words, one for each way
    reach: tuple[Reach, ...] = ()
    last_use: datetime | None = None  #: that the audit knows of: a change, or a recorded read


def revocation(access: HeldAccess, *, owner: str) -> str:
    """Return the statement that takes *access* away. What somebody owns goes to *owner*, the platform's own role."""
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


#: The object of a default privilege that is not about one schema.
EVERY_SCHEMA = "every schema"
