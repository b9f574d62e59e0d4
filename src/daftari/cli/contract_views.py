"""Contracts, their faults and their changes as text for people, 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from daftari.contract.compatibility.changes import ChangeKind, ContractChange
from daftari.contract.compatibility.field_changes import type_of_field
from daftari.contract.model import Contract, Dataset, Field
from daftari.errors import Fault
from daftari.operations.contracts.check_examples import CheckedExamples, ExampleOutcome

_COLOURS = {ChangeKind.ADDITIVE: "green", ChangeKind.EXPOSURE: "yellow", ChangeKind.BREAKING: "red"}
#: More values of a closed set than this are counted, not listed.
_LISTED_VALUES = 8
_OPTIONS = {
    "≥ {}": "minimum",
    "> {}": "exclusive_minimum",
    "≤ {}": "maximum",
    "< {}": "exclusive_maximum",
    "multiple of {}": "multiple_of",
    "at least {} characters": "min_length",
    "at most {} characters": "max_length",
    "matches {}": "pattern",
    "{}": "format",
}


def fault_line(fault: Fault) -> Text:
    """Return one line that begins with file:line, which editors and terminals make a link."""
    where, _, what = str(fault).partition(": ")
    return Text.assemble((where, "bold"), ": ", what)


def change_table(changes: Iterable[ContractChange]) -> Table:
    table = _table("Kind", "Where", "Change", "Reason")
    for change in changes:
        kind = Text(change.kind.value, style=_COLOURS[change.kind])
        table.add_row(kind, escape(change.place), escape(change.what), escape(change.reason))
    return table


def example_lines(checked: Iterable[CheckedExamples]) -> Iterator[Text]:
    """Yield a line for each dataset, and one for each example that failed."""
    for one in checked:
        passed = sum(outcome.has_passed for outcome in one.outcomes)
        counts = f"{passed} of {len(one.outcomes)} examples passed"
        if not one.outcomes:
            counts = f"no examples; expected some in {one.source}"
        yield Text.assemble((one.dataset, "bold"), ": ", counts)
        for outcome in one.outcomes:
            if not outcome.has_passed:
                where = f"{one.source}:{outcome.example.line}"
                yield Text.assemble((where, "bold"), f": {outcome.example.name}: {_contrast(outcome)}")


def _contrast(outcome: ExampleOutcome) -> str:
    pairs = zip(outcome.rules, outcome.reasons, strict=True)
    found = ", ".join(f"{rule} ({reason})" for rule, reason in pairs)
    example = outcome.example
    wanted = ", ".join(example.rules) or "any rule"
    reason = f" ({example.reason})" if example.reason else ""
    expected = "accepted" if example.is_accepted else f"rejected by {wanted}{reason}"
    return f"{f'rejected by {found}' if found else 'accepted'}; expected {expected}"


def show_contract(contract: Contract, console: Console) -> None:
    """Print a contract: its fields and their rules, references, access, service levels."""
    name = contract.name or contract.id
    title = f"{name} {contract.version} ({contract.status})"
    console.print(Text(title, style="bold"))
    if contract.description:
        console.print(Text(contract.description))
    _print_facts(console, _facts(contract))
    for dataset in contract.datasets:
        console.print()
        _show_dataset(dataset, console)


def _facts(contract: Contract) -> Iterator[tuple[str, str]]:
    yield "contract", contract.id
    yield "standard", f"ODCS {contract.api_version}"
    yield "domain", contract.domain or ""
    yield "owner", contract.owner or ""
    yield "support", ", ".join(contract.support)
    yield "service levels", ", ".join(f"{name} {level}" for name, level in contract.service_levels.items())
    yield "file", contract.source
    yield "hash", contract.hash[:16]


def _show_dataset(dataset: Dataset, console: Console) -> None:
    console.print(Text(f"{dataset.name}: {dataset.description}".rstrip(": "), style="bold"))
    _print_facts(console, _dataset_facts(dataset))
    fields = _table("Field", "Type", "Rules", "Class", "Description")
    for field in dataset.fields:
        rules = ", ".join(_rules_of(field))
        row = (field.name, type_of_field(field), rules, field.classification or "", field.description)
        fields.add_row(*map(escape, row))
    console.print(fields)
    if dataset.rules:
        rules_table = _table("Rule", "Condition", "A row that breaks it")
        for rule in dataset.rules:
            rules_table.add_row(*map(escape, (rule.id, rule.expression, rule.message)))
        console.print(rules_table)
    if dataset.access:
        access = _table("Role", "May", "Rows", "Fields", "Masked")
        for entry in dataset.access:
            fields_seen = ", ".join(entry.fields) or "all"
            row = (
                entry.role,
                ", ".join(entry.operations),
                str(entry.rows),
                fields_seen,
                ", ".join(entry.masked),
            )
            access.add_row(*map(escape, row))
        console.print(access)


def _dataset_facts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    yield "kind", dataset.kind.value
    yield "key", ", ".join(dataset.key)
    yield "on conflict", dataset.conflict.value
    yield "about", dataset.subject or ""
    yield "purpose", dataset.purpose or ""
    yield "lawful basis", dataset.lawful_basis or ""
    yield "retention", f"{dataset.retention.days} days" if dataset.retention else ""
    if dataset.partitioning:
        yield "partitions", f"by {dataset.partitioning.every.value} of {dataset.partitioning.field}"
    for relation in dataset.relationships:
        target = f"{relation.target} ({', '.join(relation.target_fields)})"
        yield "refers", f"{', '.join(relation.fields)} → {target}"
    if dataset.no_overlap:
        overlap = dataset.no_overlap
        yield "no overlap", f"{overlap.start} to {overlap.end} of one {', '.join(overlap.key)}"


def _rules_of(field: Field) -> Iterator[str]:
    flags = {
        "key": field.is_key,
        "required": field.required,
        "unique": field.unique,
        "sealed": field.protection.sealed,
    }
    yield from (name for name, holds in flags.items() if holds)
    for words, attribute in _OPTIONS.items():
        value = getattr(field.options, attribute)
        if value is not None:
            yield words.format(value)
    if field.allowed:
        few = len(field.allowed) <= _LISTED_VALUES
        yield f"one of {', '.join(field.allowed)}" if few else f"one of {len(field.allowed)} values"


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _print_facts(console: Console, facts: Iterable[tuple[str, str]]) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts:
        if value:
            grid.add_row(name, escape(value))
    console.print(grid)
