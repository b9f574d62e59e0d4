"""The lines of `daftari.access` combined: what one role may do with one operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from daftari.contract.model import Condition, Dataset, Operation, RowScope
from daftari.errors import ContractError


class Visibility(StrEnum):
    """How a cell is shown."""

    CLEAR = "clear"
    MASKED = "masked"
    HIDDEN = "hidden"


@dataclass(frozen=True, kw_only=True)
class PermissionLine:
    """What the role may see or write of the rows in one scope."""

    rows: RowScope | Condition
    clear: tuple[str, ...]  #: fields, in the order of the contract
    masked: tuple[str, ...] = ()
    sees_platform: bool = False  #: the columns that every table has; granted along with all fields

    def sight(self, field: str) -> Visibility:
        if field in self.clear:
            return Visibility.CLEAR
        return Visibility.MASKED if field in self.masked else Visibility.HIDDEN


@dataclass(frozen=True, kw_only=True)
class RolePermission:
    role: str
    operation: Operation
    lines: tuple[PermissionLine, ...]  #: one for each scope

    @property
    def scopes(self) -> tuple[RowScope | Condition, ...]:
        return tuple(line.rows for line in self.lines)

    @property
    def everywhere(self) -> tuple[str, ...]:
        """The fields that are unmasked in every row that the role reaches."""
        first, *rest = self.lines
        return tuple(name for name in first.clear if all(name in line.clear for line in rest))

    @property
    def sees_platform(self) -> bool:
        return all(line.sees_platform for line in self.lines)

    @property
    def is_plain(self) -> bool:
        """Whether columns and rows describe what the role sees: no cell is masked, or shown in some rows only."""
        return not any(line.masked for line in self.lines) and all(
            line == PermissionLine(rows=line.rows, clear=self.everywhere, sees_platform=self.sees_platform)
            for line in self.lines
        )


@lru_cache(maxsize=1024)  # called many times by every plan, page and request
def permissions_of(dataset: Dataset) -> tuple[RolePermission, ...]:
    """
    Return what each role may do with each operation, in the order of the contract.

    Raises:
        ContractError: a role may write different fields in different rows, which PostgreSQL cannot enforce.
    """
    pairs = dict.fromkeys(
        (entry.role, operation) for entry in dataset.access for operation in entry.operations
    )
    found = [_share(dataset, role, operation) for role, operation in pairs]
    for share in found:
        if share.operation in (Operation.INSERT, Operation.UPDATE) and not share.is_plain:
            raise ContractError(
                f"{dataset.name}: {share.role} may {share.operation} different fields in different rows; "
                "expected the same in all, as PostgreSQL grants writing by column or by row, not by cell",
                hint="Give the lines the same fields, or split the role in two.",
            )
    return tuple(share for share in found if share.lines)


def permission_of(dataset: Dataset, role: str, operation: Operation) -> RolePermission | None:
    """Return what *role* may do with *operation*; None if nothing."""
    return _shares_of(dataset, role).get(operation)


@lru_cache(maxsize=1024)
def _shares_of(dataset: Dataset, role: str) -> Mapping[Operation, RolePermission]:
    found = (_share(dataset, role, operation) for operation in Operation)
    return {share.operation: share for share in found if share.lines}


def clear_everywhere(dataset: Dataset, role: str) -> tuple[str, ...]:
    """Return the fields that *role* sees unmasked in every row that it reads."""
    return tuple(name for name, seen in sights(dataset, role).items() if seen == {Visibility.CLEAR})


def sights(dataset: Dataset, role: str) -> dict[str, frozenset[Visibility]]:
    """Return how each field is shown to *role*, in the order of the contract; several ways if rows differ."""
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
        # Masks apply to reading only: a role that writes a field writes the whole value.
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
