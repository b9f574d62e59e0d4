"""The roles of a database: one for each that contracts name, and two of the platform's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daftari.compile.tables.objects import Role
from daftari.contract.model import Dataset
from daftari.contract.permissions import roles_named


@dataclass(frozen=True, kw_only=True)
class Roles:
    """
    How roles are called on the server. Roles are the server's and not the database's: workspaces or
    environments on one server that do not trust each other's people need a *prefix* each.
    """

    prefix: str = ""

    @property
    def owner(self) -> str:
        """Owns the governed tables, and sees no row of them by that."""
        return f"{self.prefix}daftari_owner"

    @property
    def operator(self) -> str:
        """Reads and writes every row: what loads, transforms and checks need."""
        return f"{self.prefix}daftari_operator"

    @property
    def own(self) -> tuple[str, str]:
        return (self.owner, self.operator)

    def of(self, role: str) -> str:
        """Return how the role that contracts call *role* is called on the server."""
        return f"{self.prefix}{role}"


def wanted(datasets: Sequence[Dataset], readers: Sequence[str], roles: Roles) -> Iterator[Role]:
    """Return the roles that *datasets*, and marts with their *readers*, ask for."""
    named = roles_named(datasets) | set(readers)
    for name in (*roles.own, *(roles.of(role) for role in sorted(named))):
        yield Role(name=name)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The roles that lead to governed rows, as they are called on the server."""

    own: tuple[str, str]  #: of the platform: its owner and its operator
    all: tuple[str, ...]  #: those too


def watched(datasets: Sequence[Dataset], readers: Sequence[str], roles: Roles) -> Watched:
    return Watched(own=roles.own, all=tuple(role.name for role in wanted(datasets, readers, roles)))
