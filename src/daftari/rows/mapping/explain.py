"""Explain to people how a file will be read, before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan
from daftari.rows.mapping.mapping import FieldSource, TotalRow


class ExplainableFile(Protocol):
    """The parts of an opened file that an explanation needs."""

    @property
    def name(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, kw_only=True)
class FieldExplained:
    field: str
    kind: str
    origin: str  #: its columns, a constant, or "nothing"
    written: str  #: the format of its values in this file
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Explained:
    file: str
    mapping: str
    facts: dict[str, str]
    fields: tuple[FieldExplained, ...]
    unmapped: tuple[str, ...]  #: unused columns; their values are not loaded
    absent: tuple[str, ...]  #: fields without a source in this file: existing rows keep their value
    cleared: tuple[str, ...]  #: fields without a source that the mapping declares empty
    total_row: str

    def lines(self) -> Iterator[str]:
        yield f"{self.file}: {self.facts.get('format', '')}, mapping {self.mapping or 'none: by names'}"
        yield from (f"  {name}: {value}" for name, value in self.facts.items() if name != "format")
        yield f"  total row: {self.total_row}"
        width = max(len(one.field) for one in self.fields)
        for one in self.fields:
            written = f", as {one.written}" if one.written else ""
            evidence = f" ({one.evidence})" if one.evidence else ""
            yield f"  {one.field:<{width}} <- {one.origin}: {one.kind}{written}{evidence}"
        if self.unmapped:
            yield f"  columns not used: {', '.join(self.unmapped)}"
        if self.absent:
            yield f"  fields not in the file, left as they are in existing rows: {', '.join(self.absent)}"
        if self.cleared:
            yield f"  fields not in the file, cleared by the mapping: {', '.join(self.cleared)}"


def explain(plan: ColumnPlan, source: ExplainableFile) -> Explained:
    """Explain the *plan*, settled, for the opened file."""
    return Explained(
        file=source.name,
        mapping=plan.mapping.name,
        facts=dict(source.facts),
        fields=tuple(map(_field, plan.fields)),
        unmapped=plan.unmapped,
        absent=plan.absent,
        cleared=plan.cleared,
        total_row=_total_row(plan.mapping.total_row),
    )


def _field(plan: FieldPlan) -> FieldExplained:
    words = " or ".join(dict.fromkeys(style.words for style in plan.styles[:2]))
    return FieldExplained(
        field=plan.field.name,
        kind=plan.field.logical_type.value,
        origin=_origin(plan),
        written=words,
        evidence=plan.evidence,
    )


def _origin(plan: FieldPlan) -> str:
    source = plan.source
    named = " + ".join(repr(column) for column in plan.columns)
    if source.row_number:
        return "row number"
    if source.constant is not None:
        return "a constant"
    if source.digest is not None:
        named = f"digest of {len(plan.columns)} columns"
    return f"{named or 'nothing'}{_changes(source)}"


def _changes(source: FieldSource) -> str:
    """List the changes made to the text, in words."""
    changes = {
        "part of it": source.part is not None,
        "stripped": bool(source.strip),
        "replaced": bool(source.replace),
        "digits only": source.keep == "digits",
        "as a phone number": source.phone is not None,
        f"padded to {source.pad}": source.pad is not None,
        f"looked up in {len(source.lookup or {})} values": source.lookup is not None,
        "prefixed": bool(source.prefix),
        f"times {source.unit}": source.unit is not None,
        "sign turned": source.sign == "negate",
        "default where empty": source.default is not None,
    }
    applied = [change for change, applies in changes.items() if applies]
    return f" ({', '.join(applied)})" if applied else ""


def _total_row(rule: str | TotalRow) -> str:
    if isinstance(rule, TotalRow):
        label = repr(rule.label) if rule.label else "as a total"
        return f"labelled {label}" + (f" in {rule.column!r}" if rule.column else "")
    return {"none": "none"}.get(rule, "excluded from the data if it totals the rows above it")
