"""One class for each change: that of `contract diff`, for the objects of the database too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from daftari.compile.schema_changes.steps import SchemaChange
from daftari.compile.tables.objects import Identity, ObjectKind
from daftari.contract.compatibility.changes import ChangeKind, ContractChange
from daftari.contract.platform import VIEWS

_BY_SEVERITY = list(ChangeKind)


def agreed(
    of_contracts: Mapping[str, Sequence[ContractChange]], planned: Sequence[SchemaChange]
) -> list[SchemaChange]:
    """
    Return the changes of contracts that are not additive, then *planned*; a change that both have is in *planned* only.

    *of_contracts* has the changes of each dataset, against the contract in force. A column changes by no lower class
    than its field. A view of masks shows no more than its contract's changes do.
    """
    found = [_agreed(it, of_contracts) for it in planned]
    said = [
        SchemaChange(what=f"{it.place or name}: {it.what}", kind=it.kind, reason=it.reason)
        for name, its in of_contracts.items()
        for it in its
        if it.kind is not ChangeKind.ADDITIVE and not _is_among(it, found)
    ]
    return [*said, *found]


def _is_among(change: ContractChange, planned: Sequence[SchemaChange]) -> bool:
    """Whether *planned* has a change of the same class for the same field."""
    dataset, _, name = change.place.partition(".")
    return bool(name) and any(
        it.kind is change.kind and it.identity is not None and _is_of_field(it.identity, dataset, name)
        for it in planned
    )


def _is_of_field(identity: Identity, dataset: str, name: str) -> bool:
    match identity.kind:
        case ObjectKind.COLUMN:
            return (identity.table, identity.name) == (dataset, name)
        case ObjectKind.CONSTRAINT:
            return identity.table == dataset and identity.name.startswith(f"{dataset}_{name}_")
        case ObjectKind.ENUM:
            return identity.name == f"{dataset}_{name}"
    return False


def worst(kinds: Sequence[ChangeKind]) -> ChangeKind:
    return max(kinds, key=_BY_SEVERITY.index, default=ChangeKind.ADDITIVE)


def _agreed(change: SchemaChange, of_contracts: Mapping[str, Sequence[ContractChange]]) -> SchemaChange:
    if change.identity is None:
        return change
    kind = _kind(change.kind, change.identity, of_contracts)
    return change if kind is change.kind else replace(change, kind=kind)


def _kind(
    kind: ChangeKind, identity: Identity, of_contracts: Mapping[str, Sequence[ContractChange]]
) -> ChangeKind:
    if identity.kind is ObjectKind.COLUMN:
        place = f"{identity.table}.{identity.name}"
        return worst([kind, *(it.kind for it in of_contracts.get(identity.table, ()) if it.place == place)])
    if identity.kind in (ObjectKind.VIEW, ObjectKind.GRANT, ObjectKind.POLICY):
        return _kind_of_access(kind, identity, of_contracts)
    return kind


def _kind_of_access(
    kind: ChangeKind, identity: Identity, of_contracts: Mapping[str, Sequence[ContractChange]]
) -> ChangeKind:
    """Return a class no higher than that of the contracts' changes, and never additive for what is taken away."""
    relation = identity.table or identity.name
    of_view = identity.schema == VIEWS
    of_schema = identity.kind is ObjectKind.GRANT and not identity.table
    changed = [
        name
        for name in of_contracts
        if of_schema or relation == name or (of_view and relation.startswith(f"{name}_"))
    ]
    if not changed or (kind is ChangeKind.EXPOSURE and identity.kind is not ObjectKind.VIEW):
        return kind
    limit = worst([it.kind for name in changed for it in of_contracts[name]])
    if kind is ChangeKind.BREAKING:
        limit = worst([limit, ChangeKind.RESTRICTION])
    return min(kind, limit, key=_BY_SEVERITY.index)
