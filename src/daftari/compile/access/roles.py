"""The roles of a database: one for each role in contracts, and two of the platform."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daftari.compile.tables.objects import Role
from daftari.contract.model import Dataset
from daftari.contract.permissions import roles_named


@dataclass(frozen=True, kw_only=True)
class Roles:
    """
    The names of roles on the server. Roles belong to the server, not to a database: workspaces or
    environments on one server with separate users each need a *prefix*.
    """

    prefix: str = ""

    @property
    def owner(self) -> str:
        """The owner of the governed tables. Ownership alone shows it no rows."""
        return f"{self.prefix}daftari_owner"

    @property
    def operator(self) -> str:
        """The role that reads and writes every row, for loads, transforms and checks."""
        return f"{self.prefix}daftari_operator"

    @property
    def own(self) -> tuple[str, str]:
        return (self.owner, self.operator)

    def of(self, role: str) -> str:
        """Return the server's name of the role that contracts call *role*."""
        return f"{self.prefix}{role}"


def wanted(datasets: Sequence[Dataset], readers: Sequence[str], roles: Roles) -> Iterator[Role]:
    """Return the roles that *datasets* and the *readers* of marts need."""
    named = roles_named(datasets) | set(readers)
    for name in (*roles.own, *(roles.of(role) for role in sorted(named))):
        yield Role(name=name)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The roles with access to governed rows, by their server names."""

    own: tuple[str, str]  #: the platform's owner and operator
    all: tuple[str, ...]  #: including those two


def watched(datasets: Sequence[Dataset], readers: Sequence[str], roles: Roles) -> Watched:
    return Watched(own=roles.own, all=tuple(role.name for role in wanted(datasets, readers, roles)))
