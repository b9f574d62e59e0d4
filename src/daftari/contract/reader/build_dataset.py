"""Build a dataset from an object of ODCS `schema`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daftari.contract.approval import Approval, ApprovalStep, WorkingDays
from daftari.contract.durations import duration
from daftari.contract.model import Access, Dataset, Field, Overlap, Partitioning, RowRule, row_scope
from daftari.contract.reader.build_field import build_field
from daftari.contract.reader.build_quality import build_quality
from daftari.contract.reader.document import Document, Path
from daftari.contract.reader.extensions import (
    AccessValue,
    ApprovalValue,
    OfObject,
    OverlapValue,
    PartitionValue,
    read_extensions,
)
from daftari.contract.reader.odcs_schema import one_of
from daftari.contract.reader.references import read_relationships
from daftari.errors import Fault


@dataclass(frozen=True, kw_only=True)
class Built:
    dataset: Dataset
    faults: tuple[Fault, ...]  #: in its `daftari.*` properties
    reservations: tuple[Fault, ...]  #: what ODCS allows and the model cannot express


def build_dataset(document: Document, position: int) -> Built:
    """Return the dataset at *position* of `schema`."""
    path: Path = ("schema", position)
    item: dict[str, Any] = document.root["schema"][position]
    stated, places, faults = read_extensions(document, path, item, OfObject)
    fields = []
    reservations = _other_name(document, path, item)
    for index in range(len(item.get("properties") or ())):
        field, its_faults, its_reservations = build_field(document, (*path, "properties", index))
        fields.append(field)
        faults += its_faults
        reservations += its_reservations
    faults += _unknown_fields(document, stated, places, fields)
    dataset = Dataset(
        name=item["name"],
        description=item.get("description") or "",
        business_name=item.get("businessName"),
        fields=tuple(fields),
        relationships=read_relationships(document.root, item),
        quality=tuple(build_quality(entry) for entry in item.get("quality") or ()),
        kind=stated.kind,
        subject=stated.subject,
        conflict=stated.conflict,
        indexes=tuple(tuple(index) for index in stated.indexes),
        partitioning=_partitioning(stated.partition),
        no_overlap=_overlap(stated.no_overlap),
        rules=_rules(document, stated, places),
        access=tuple(_access(entry) for entry in stated.access),
        approval=_approval(stated.approval),
        purpose=stated.purpose,
        lawful_basis=stated.lawful_basis,
        retention=duration(stated.retention) if stated.retention else None,
        max_rejected_ratio=stated.max_rejected_ratio,
        line=document.line(path),
    )
    return Built(dataset=dataset, faults=tuple(faults), reservations=tuple(reservations))


def _other_name(document: Document, path: Path, item: dict[str, Any]) -> list[Fault]:
    physical = item.get("physicalName")
    if physical in (None, item["name"]):
        return []
    return [
        document.fault(
            (*path, "physicalName"),
            repr(physical),
            f"the same as the name, {item['name']!r}, which names the table",
        )
    ]


def _rules(document: Document, stated: OfObject, places: dict[str, Path]) -> tuple[RowRule, ...]:
    return tuple(
        RowRule(
            id=rule.id,
            expression=rule.expression,
            message=rule.message,
            when=rule.when,
            severity=rule.severity,
            line=document.line((*places["rules"], position)),
        )
        for position, rule in enumerate(stated.rules)
    )


def _access(stated: AccessValue) -> Access:
    return Access(
        role=stated.role,
        operations=tuple(stated.operations),
        rows=row_scope(stated.rows),
        fields=tuple(stated.fields),
        masked=tuple(stated.masked),
    )


def _approval(stated: ApprovalValue | None) -> Approval | None:
    if stated is None:
        return None
    days = stated.working_days
    return Approval(
        field=stated.field,
        begins=stated.begins,
        steps=tuple(
            ApprovalStep(
                start=it.start,
                to=it.to,
                roles=tuple(it.roles),
                own=it.own,
                by=it.by,
                at=it.at,
                same_person=it.same_person,
            )
            for it in stated.steps
        ),
        recorded_by=tuple(stated.recorded_by),
        asked_at=stated.asked_at,
        covers=None if stated.covers is None else tuple(stated.covers),
        working_days=WorkingDays(field=days.field, start=days.start, end=days.end) if days else None,
    )


def _partitioning(stated: PartitionValue | None) -> Partitioning | None:
    if stated is None:
        return None
    return Partitioning(field=stated.field, every=stated.every, ahead=stated.ahead, start=stated.start)


def _overlap(stated: OverlapValue | None) -> Overlap | None:
    if stated is None:
        return None
    key = (stated.key,) if isinstance(stated.key, str) else tuple(stated.key)
    return Overlap(key=key, start=stated.start, end=stated.end, unless=stated.unless, shared=stated.shared)


def _unknown_fields(
    document: Document, stated: OfObject, places: dict[str, Path], fields: list[Field]
) -> list[Fault]:
    known = [field.name for field in fields]
    return [
        document.fault(path, repr(name), one_of(name, known))
        for path, name in _named_fields(stated, places)
        if name not in known
    ]


def _named_fields(stated: OfObject, places: dict[str, Path]) -> list[tuple[Path, str]]:
    """Yield every field that `daftari.*` names, with the place that names it."""
    named: list[tuple[Path, str]] = []
    if stated.subject:
        named.append((places["subject"], stated.subject))
    if stated.partition:
        named.append(((*places["partition"], "field"), stated.partition.field))
    for position, index in enumerate(stated.indexes):
        named += [((*places["indexes"], position), name) for name in index]
    if stated.no_overlap:
        overlap = stated.no_overlap
        keys = [overlap.key] if isinstance(overlap.key, str) else overlap.key
        named += [((*places["noOverlap"], "key"), name) for name in keys]
        named += [((*places["noOverlap"], part), getattr(overlap, part)) for part in ("start", "end")]
    if approval := _approval(stated.approval):
        named += [((*places["approval"], place.partition(".")[0]), name) for place, name in approval.fields()]
    for position, entry in enumerate(stated.access):
        for part in ("fields", "masked"):
            named += [((*places["access"], position, part), name) for name in getattr(entry, part)]
    return named
