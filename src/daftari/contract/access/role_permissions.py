"""The lines of `daftari.access` combined: what one role may do with one operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from daftari.contract.access.observable_fields import overlap_fields, revealing_fields
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
        ContractError: a role may write different fields in different rows, which PostgreSQL cannot enforce; or what it
            may write would reveal what it does not see.
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
    for role in dict.fromkeys(entry.role for entry in dataset.access):
        _require_blind(dataset, role)
    return tuple(share for share in found if share.lines)


def _require_blind(dataset: Dataset, role: str) -> None:
    """Refuse lines by which *role* could find out, by writing, what it reads masked or not at all."""
    entries = [it for it in dataset.access if it.role == role and it.rows != RowScope.NONE]
    updated = {name for it in entries if Operation.UPDATE in it.operations for name in it.fields}
    told = updated & revealing_fields(dataset, _unseen(dataset, role))
    hint = "Let it see all fields that its constraints compare, or take the field from its updates."
    if told:
        raise ContractError(
            f"{dataset.name}: {role} may update {min(told)}, which a constraint compares with what the role does not "
            "see in the clear; expected no such field, as the success of an update would tell what is hidden",
            hint=hint,
        )
    masked = {name for it in entries if Operation.READ in it.operations for name in it.masked}
    told = masked & _unseen(dataset, role) & overlap_fields(dataset)
    if told and any(Operation.INSERT in it.operations for it in entries):
        raise ContractError(
            f"{dataset.name}: {role} may insert rows, and reads {min(told)} masked, which daftari.noOverlap compares; "
            "expected it in the clear, as an insert that overlaps would tell it",
            hint=hint,
        )


def _unseen(dataset: Dataset, role: str) -> frozenset[str]:
    share = _share(dataset, role, Operation.READ)
    seen = set(share.everywhere) if share.lines else set()
    return frozenset(field.name for field in dataset.fields if field.name not in seen)


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
    # A line that names no fields gives an update of those that reveal nothing.
    closed = (
        revealing_fields(dataset, _unseen(dataset, role)) if operation == Operation.UPDATE else frozenset()
    )
    entries = [it for it in dataset.access if it.role == role and operation in it.operations]
    for rows in dict.fromkeys(it.rows for it in entries if it.rows != RowScope.NONE):
        of_scope = [it for it in entries if it.rows == rows]
        names = [field.name for field in dataset.fields]
        # Masks apply to reading only: a role that writes a field writes the whole value.
        clear = {
            name
            for it in of_scope
            for name in it.fields or (other for other in names if other not in closed)
            if operation != Operation.READ or name not in it.masked
        }
        masked = {name for it in of_scope for name in it.masked if operation == Operation.READ} - clear
        yield PermissionLine(
            rows=rows,
            clear=tuple(name for name in names if name in clear),
            masked=tuple(name for name in names if name in masked),
            sees_platform=any(not it.fields for it in of_scope),
        )
