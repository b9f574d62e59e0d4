"""Who may read a mart, and which of its rows: the `readers` in the model's YAML file."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from daftari.contract.model import RowScope

#: Row scopes of a mart: without a contract, other conditions cannot be parsed.
MART_SCOPES = (RowScope.ALL, RowScope.OWN, RowScope.REPORTS, RowScope.DEPARTMENT)


@dataclass(frozen=True, kw_only=True)
class MartReaders:
    """The row scope of each role that reads a mart."""

    scopes: Mapping[str, RowScope]  #: never NONE
    subject: str | None = None  #: the column that names the person a row is about

    def among(self, columns: Container[str]) -> MartReaders:
        """Return the readers whose row scopes can be decided with *columns*."""
        if self.subject in columns:
            return self
        return replace(
            self, scopes={role: rows for role, rows in self.scopes.items() if rows == RowScope.ALL}
        )


@dataclass(frozen=True, kw_only=True)
class Readers:
    """The readers of each mart, by its name. No role reads a mart that is not named."""

    of: Mapping[str, MartReaders] = field(default_factory=dict)

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(sorted({role for named in self.of.values() for role in named.scopes}))

    def scope(self, mart: str, role: str) -> RowScope | None:
        """Return the scope of the rows of *mart* that *role* reads; None if it reads none."""
        named = self.of.get(mart)
        return named.scopes.get(role) if named else None
