"""Who may read a mart, and which of its rows: what `readers` of its model's own file say."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from daftari.contract.model import RowScope

#: Scopes of a mart's rows: it has no contract by which other conditions could be read.
MART_SCOPES = (RowScope.ALL, RowScope.OWN, RowScope.REPORTS, RowScope.DEPARTMENT)


@dataclass(frozen=True, kw_only=True)
class MartReaders:
    """Which rows of a mart each role reads: a scope by role."""

    scopes: Mapping[str, RowScope]  #: not none
    subject: str | None = None  #: the column that names the person a row is about

    def among(self, columns: Container[str]) -> MartReaders:
        """Return those whose rows can be told from *columns*."""
        if self.subject in columns:
            return self
        return replace(
            self, scopes={role: rows for role, rows in self.scopes.items() if rows == RowScope.ALL}
        )


@dataclass(frozen=True, kw_only=True)
class Readers:
    """Which roles read a mart, by its name. A mart that is not named is read by nobody."""

    of: Mapping[str, MartReaders] = field(default_factory=dict)

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(sorted({role for named in self.of.values() for role in named.scopes}))

    def scope(self, mart: str, role: str) -> RowScope | None:
        """Return the rows of *mart* that *role* reads; None where it reads none."""
        named = self.of.get(mart)
        return named.scopes.get(role) if named else None
