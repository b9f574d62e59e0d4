"""A field that only has another name, as `daftari.renamedFrom` declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from daftari.contract.approval import Approval, WorkingDays
from daftari.contract.model import Dataset


def renamed_fields(old: Dataset, new: Dataset) -> dict[str, str]:
    """Return the new name of each field of *old* that *new* renames."""
    before, after = ({field.name for field in side.fields} for side in (old, new))
    return {
        field.renamed_from: field.name
        for field in new.fields
        if field.renamed_from in before - after and field.name not in before
    }


def with_new_names(old: Dataset, names: Mapping[str, str]) -> Dataset:
    """Return *old* with its fields called by *names*, wherever it names them outside of SQL."""

    def of(name: str) -> str:
        return names.get(name, name)

    def all_of(found: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(of(it) for it in found)

    parts, overlap = old.partitioning, old.no_overlap
    return replace(
        old,
        fields=tuple(replace(it, name=of(it.name)) for it in old.fields),
        relationships=tuple(replace(it, fields=all_of(it.fields)) for it in old.relationships),
        subject=old.subject and of(old.subject),
        indexes=tuple(all_of(it) for it in old.indexes),
        partitioning=parts and replace(parts, field=of(parts.field)),
        no_overlap=overlap
        and replace(overlap, key=all_of(overlap.key), start=of(overlap.start), end=of(overlap.end)),
        access=tuple(replace(it, fields=all_of(it.fields), masked=all_of(it.masked)) for it in old.access),
        approval=old.approval and _approval(old.approval, names),
    )


def _approval(old: Approval, names: Mapping[str, str]) -> Approval:
    def of(name: str | None) -> str | None:
        return names.get(name, name) if name else name

    return replace(
        old,
        field=names.get(old.field, old.field),
        steps=tuple(replace(it, by=of(it.by), at=of(it.at)) for it in old.steps),
        asked_at=of(old.asked_at),
        covers=None if old.covers is None else tuple(names.get(it, it) for it in old.covers),
        working_days=old.working_days and _days(old.working_days, names),
    )


def _days(old: WorkingDays, names: Mapping[str, str]) -> WorkingDays:
    return WorkingDays(
        field=names.get(old.field, old.field),
        start=names.get(old.start, old.start),
        end=names.get(old.end, old.end),
    )
