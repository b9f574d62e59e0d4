"""The lines of `daftari.access` put together: what one role has by one operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from daftari.contract.model import Condition, Dataset, Operation, RowScope
from daftari.errors import ContractError


class Visibility(StrEnum):
    """How a cell shows."""

    CLEAR = "clear"
    MASKED = "masked"
    HIDDEN = "hidden"


@dataclass(frozen=True, kw_only=True)
class PermissionLine:
    """What the role has of the rows in one scope."""

    rows: RowScope | Condition
    clear: tuple[str, ...]  #: fields, in the order of the contract
    masked: tuple[str, ...] = ()
    sees_platform: bool = False  #: the columns that every table has; given along with all fields

    def sight(self, field: str) -> Visibility:
        if field in self.clear:
            return Visibility.CLEAR
        return Visibility.MASKED if field in self.masked else Visibility.HIDDEN


@dataclass(frozen=True, kw_only=True)
class RolePermission:
    role: str
    operation: Operation
    lines: tuple[PermissionLine, ...]  #: one a scope

    @property
    def scopes(self) -> tuple[RowScope | Condition, ...]:
        return tuple(line.rows for line in self.lines)

    @property
    def everywhere(self) -> tuple[str, ...]:
        """The fields that are in the clear in every row that the role reaches."""
        first, *rest = self.lines
        return tuple(name for name in first.clear if all(name in line.clear for line in rest))

    @property
    def sees_platform(self) -> bool:
        return all(line.sees_platform for line in self.lines)

    @property
    def is_plain(self) -> bool:
        """Whether what the role sees is columns and rows, and no cell is otherwise."""
        return not any(line.masked for line in self.lines) and all(
            line == PermissionLine(rows=line.rows, clear=self.everywhere, sees_platform=self.sees_platform)
            for line in self.lines
        )


@lru_cache(maxsize=1024)  # asked for many times by every plan, page and request
def permissions_of(dataset: Dataset) -> tuple[RolePermission, ...]:
    """
    Return what each role has by each operation, in the order of the contract.

    Raises:
        ContractError: a role may write different fields in different rows, which PostgreSQL cannot hold.
    """
    asked = dict.fromkeys(
        (entry.role, operation) for entry in dataset.access for operation in entry.operations
    )
    found = [_share(dataset, role, operation) for role, operation in asked]
    for share in found:
        if share.operation in (Operation.INSERT, Operation.UPDATE) and not share.is_plain:
            raise ContractError(
                f"{dataset.name}: {share.role} may {share.operation} other fields in some rows than in others; "
                "expected the same in all, as PostgreSQL holds rights to write by column and by row alone",
                hint="Give the lines the same fields, or make two roles of it.",
            )
    return tuple(share for share in found if share.lines)


def permission_of(dataset: Dataset, role: str, operation: Operation) -> RolePermission | None:
    """Return what *role* has by *operation*; None where that is nothing."""
    return _shares_of(dataset, role).get(operation)


@lru_cache(maxsize=1024)
def _shares_of(dataset: Dataset, role: str) -> Mapping[Operation, RolePermission]:
    found = (_share(dataset, role, operation) for operation in Operation)
    return {share.operation: share for share in found if share.lines}


def clear_everywhere(dataset: Dataset, role: str) -> tuple[str, ...]:
    """Return the fields that *role* sees in the clear in every row that it reads."""
    return tuple(name for name, seen in sights(dataset, role).items() if seen == {Visibility.CLEAR})


def sights(dataset: Dataset, role: str) -> dict[str, frozenset[Visibility]]:
    """Return how each field shows to *role*, in the order of the contract: in one way, or otherwise in some rows."""
    share = permission_of(dataset, role, Operation.READ)
    lines = share.lines if share else (PermissionLine(rows=RowScope.NONE, clear=()),)
    return {field.name: frozenset(line.sight(field.name) for line in lines) for field in dataset.fields}


def _share(dataset: Dataset, role: str, operation: Operation) -> RolePermission:
    return RolePermission(role=role, operation=operation, lines=tuple(_lines(dataset, role, operation)))


def _lines(dataset: Dataset, role: str, operation: Operation) -> Iterator[PermissionLine]:
    entries = [it for it in dataset.access if it.role == role and operation in it.operations]
    for rows in dict.fromkeys(it.rows for it in entries if it.rows != RowScope.NONE):
        of_scope = [it for it in entries if it.rows == rows]
        names = [field.name for field in dataset.fields]
        # What is masked is masked to who reads it; who writes a field writes all of it.
        clear = {
            name
            for it in of_scope
            for name in it.fields or names
            if operation != Operation.READ or name not in it.masked
        }
        masked = {name for it in of_scope for name in it.masked if operation == Operation.READ} - clear
        yield PermissionLine(
            rows=rows,
            clear=tuple(name for name in names if name in clear),
            masked=tuple(name for name in names if name in masked),
            sees_platform=any(not it.fields for it in of_scope),
        )
