"""
The class of a contract change: additive, exposure (someone can see or do more) or breaking.

The tables list every attribute of the model; a test fails for a new attribute until it is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from daftari.contract.compatibility.access_changes import (
    access_changes,
    approval_changes,
    new_field_changes,
)
from daftari.contract.compatibility.changes import (
    ChangeKind,
    Comparison,
    ContractChange,
    always,
    describes_only,
    moved,
    nothing,
)
from daftari.contract.compatibility.field_changes import TABLES as FIELD_TABLES
from daftari.contract.compatibility.field_changes import field_changes, quality_changes
from daftari.contract.compatibility.renamed_fields import renamed_fields, with_new_names
from daftari.contract.model import Conflict, Contract, Dataset, Partitioning, RowScope

__all__ = ["ChangeKind", "ContractChange", "compare"]

_ADDITIVE, _BREAKING, _EXPOSURE = ChangeKind.ADDITIVE, ChangeKind.BREAKING, ChangeKind.EXPOSURE

_STRICTER = "rows accepted until now may be rejected"
_LOOSER = "rows accepted until now are still accepted"
_STRICTNESS = (Conflict.UPDATE, Conflict.KEEP, Conflict.REJECT)


def compare(old: Contract, new: Contract) -> tuple[ContractChange, ...]:
    """Return the changes from *old* to *new*, the worst first. Empty: no change that matters."""
    changes = [change for one in OF_CONTRACT.values() for change in one(old, new, "")]
    worst_first = list(reversed(ChangeKind))
    return tuple(sorted(changes, key=lambda change: worst_first.index(change.kind)))


def removed(dataset: str) -> ContractChange:
    """Return the change that *dataset* is in no contract any more: its table stays, without access."""
    return ContractChange(
        kind=_BREAKING, place=dataset, what="dataset removed", reason="its rows stay, and no role sees them"
    )


def _renamed(dataset: str, old: str, new: str) -> ContractChange:
    return ContractChange(
        kind=_BREAKING,
        place=f"{dataset}.{new}",
        what=f"renamed from {old}",
        reason="its values stay; a query by the old name fails",
    )


def _datasets(old: Contract, new: Contract, _place: str) -> Iterator[ContractChange]:
    before, after = ({dataset.name: dataset for dataset in side.datasets} for side in (old, new))
    for name in before:
        if name not in after:
            yield removed(name)
    for name, dataset in after.items():
        if name not in before:
            yield ContractChange(
                kind=_ADDITIVE, place=name, what="dataset added", reason="nothing depends on it yet"
            )
        else:
            names = renamed_fields(before[name], dataset)
            yield from (_renamed(name, old, new) for old, new in names.items())
            was = with_new_names(before[name], names)
            for one in OF_DATASET.values():
                yield from one(was, dataset, name)


def _fields(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    before, after = ({field.name: field for field in side.fields} for side in (old, new))
    for name in before:
        if name not in after:
            yield ContractChange(
                kind=_BREAKING, place=f"{place}.{name}", what="removed", reason="its values are lost"
            )
    added = [name for name in after if name not in before]
    for name in added:
        required = after[name].required
        kind, reason = (_BREAKING, "existing rows have no value for it") if required else (_ADDITIVE, _LOOSER)
        what = "added, required" if required else "added"
        yield ContractChange(kind=kind, place=f"{place}.{name}", what=what, reason=reason)
    yield from new_field_changes(new, added, place)
    for name, field in after.items():
        if name in before:
            yield from field_changes(before[name], field, place)
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        reason = "columns of an existing table keep their order"
        yield ContractChange(kind=_ADDITIVE, place=place, what="order of fields changed", reason=reason)


def _relationships(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    for relation in (one for one in old.relationships if one not in new.relationships):
        what = f"reference to {relation.target} by {', '.join(relation.fields)} removed"
        yield ContractChange(kind=_ADDITIVE, place=place, what=what, reason=_LOOSER)
    for relation in (one for one in new.relationships if one not in old.relationships):
        what = f"reference to {relation.target} by {', '.join(relation.fields)} added"
        reason = "rows that refer to a missing row may be rejected"
        yield ContractChange(kind=_BREAKING, place=place, what=what, reason=reason)


def _subject(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    if old.subject == new.subject:
        return
    scoped = sorted({it.role for it in new.access if isinstance(it.rows, RowScope) and it.rows.needs_subject})
    yield ContractChange(
        kind=_EXPOSURE if scoped else _ADDITIVE,
        place=place,
        what=moved("subject", old.subject, new.subject),
        reason=f"{', '.join(scoped)} see rows about other people" if scoped else "no row scope depends on it",
    )


def _conflict(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    if old.conflict == new.conflict:
        return
    stricter = _STRICTNESS.index(new.conflict) > _STRICTNESS.index(old.conflict)
    reason = (
        "a correction accepted until now is rejected"
        if stricter
        else "rows accepted until now are still accepted"
    )
    what = moved("conflict", old.conflict.value, new.conflict.value)
    yield ContractChange(kind=_BREAKING if stricter else _ADDITIVE, place=place, what=what, reason=reason)


def _partitioning(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    if old.partitioning == new.partitioning:
        return
    same = _shape(old.partitioning) == _shape(new.partitioning)
    yield ContractChange(
        kind=_ADDITIVE if same else _BREAKING,
        place=place,
        what=moved("partition", _partition_words(old.partitioning), _partition_words(new.partitioning)),
        reason="only the set of partitions changes" if same else "the table is rebuilt and every row moved",
    )


def _shape(partitioning: Partitioning | None) -> Any:
    return partitioning and (partitioning.field, partitioning.every)


def _partition_words(partitioning: Partitioning | None) -> str | None:
    if partitioning is None:
        return None
    since = f", from {partitioning.start}" if partitioning.start else ""
    return f"{partitioning.field} by {partitioning.every.value}, {partitioning.ahead} ahead{since}"


def _no_overlap(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    if old.no_overlap == new.no_overlap:
        return
    if new.no_overlap is None:
        yield ContractChange(kind=_ADDITIVE, place=place, what="noOverlap removed", reason=_LOOSER)
    else:
        what = "noOverlap changed" if old.no_overlap else "noOverlap added"
        yield ContractChange(kind=_BREAKING, place=place, what=what, reason=_STRICTER)


def _rules(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    before, after = ({rule.id: rule for rule in side.rules} for side in (old, new))
    for name in dict.fromkeys((*before, *after)):
        was, is_ = before.get(name), after.get(name)
        if is_ is None:
            yield ContractChange(kind=_ADDITIVE, place=place, what=f"rule {name} removed", reason=_LOOSER)
        elif was is None or (was.expression, was.when, was.severity) != (
            is_.expression,
            is_.when,
            is_.severity,
        ):
            verb = "changed" if was else "added"
            yield ContractChange(kind=_BREAKING, place=place, what=f"rule {name} {verb}", reason=_STRICTER)
        elif was.message != is_.message:
            reason = "the same rows are rejected, with another message"
            yield ContractChange(
                kind=_ADDITIVE, place=place, what=f"message of rule {name} changed", reason=reason
            )


def _retention(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    if old.retention == new.retention:
        return
    shorter = new.retention is not None and (old.retention is None or new.retention < old.retention)
    before, after = (side.retention and f"{side.retention.days} days" for side in (old, new))
    yield ContractChange(
        kind=_BREAKING if shorter else _ADDITIVE,
        place=place,
        what=moved("retention", before, after),
        reason="rows are erased earlier than promised" if shorter else "rows are kept at least as long",
    )


OF_DATASET: dict[str, Comparison] = {
    "name": nothing,  # identifies the dataset
    "description": describes_only("description"),
    "business_name": describes_only("business_name"),
    "fields": _fields,
    "relationships": _relationships,
    "quality": quality_changes,
    "kind": always("kind", _ADDITIVE, "the same rows are accepted"),
    "subject": _subject,
    "conflict": _conflict,
    "indexes": always("indexes", _ADDITIVE, "affects only the speed of queries"),
    "partitioning": _partitioning,
    "no_overlap": _no_overlap,
    "rules": _rules,
    "access": access_changes,
    "approval": approval_changes,
    "purpose": describes_only("purpose"),
    "lawful_basis": describes_only("lawful_basis"),
    "retention": _retention,
    "max_rejected_ratio": always("max_rejected_ratio", _ADDITIVE, "affects only when a pipeline stops"),
    "time_zone": nothing,  # of the workspace
    "line": nothing,
}

OF_CONTRACT: dict[str, Comparison] = {
    "id": always("id", _BREAKING, "references to the contract by its id break"),
    "version": always("version", _ADDITIVE, "a version number enforces nothing"),
    "status": always("status", _ADDITIVE, "it tells people something, and enforces nothing"),
    "api_version": always("api_version", _ADDITIVE, "the model is the same"),
    "name": describes_only("name"),
    "domain": describes_only("domain"),
    "tenant": describes_only("tenant"),
    "description": describes_only("description"),
    "datasets": _datasets,
    "owner": describes_only("owner"),
    "service_levels": describes_only("service_levels"),
    "support": describes_only("support"),
    "source": nothing,
    "hash": nothing,
    "document": nothing,
    "reservations": nothing,
}

#: A test compares each table with the attributes of its class.
TABLES: dict[type, dict[str, Comparison]] = {**FIELD_TABLES, Dataset: OF_DATASET, Contract: OF_CONTRACT}
