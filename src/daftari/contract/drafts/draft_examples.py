"""Example rows and a sample file of a new pipeline. Their values are invented; none is of the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from daftari.contract.draft_contract import TableProfile, field_names
from daftari.contract.drafts.draft_mapping import ROW_KEY
from daftari.contract.model import Dataset, Field, LogicalType

_DAY = datetime(2026, 3, 14, 9, tzinfo=UTC)
_VALUES = {
    LogicalType.INTEGER: "12",
    LogicalType.NUMBER: "12",
    LogicalType.DATE: "2026-03-14",
    LogicalType.TIMESTAMP: "2026-03-14T09:00:00+00:00",
    LogicalType.TIME: "09:00:00",
    LogicalType.BOOLEAN: "true",
}
_READABLE = (LogicalType.INTEGER, LogicalType.NUMBER, LogicalType.DATE, LogicalType.TIMESTAMP)


def examples_text(dataset: Dataset) -> str:
    """Return example rows: one that is accepted, and one for each kind of rule that is rejected."""
    row = {field.name: _value(field, 1) for field in dataset.fields}
    lines = [
        f"# Example rows and their expected verdicts. Run: daftari contract test {dataset.name}",
        "- name: a record",
        "  row: &record",
        *(f"    {name}: {_quoted(value)}" for name, value in row.items()),
        "  verdict: accepted",
    ]
    for name, change, rule in _rejected(dataset):
        lines += [
            f"- name: {name}",
            f"  row: {{<<: *record, {change}}}",
            "  verdict: rejected",
            f"  rule: {rule}",
        ]
    return "\n".join(lines) + "\n"


def _rejected(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    required = next((it for it in dataset.fields if it.required), None)
    if required is not None:
        yield f"a record without {required.name}", f"{required.name}: null", f"{required.name}.required"
    typed = next((it for it in dataset.fields if it.logical_type in _READABLE), None)
    if typed is not None:
        yield f"text in place of {typed.name}", f'{typed.name}: "not one"', f"{typed.name}.type"
    closed = next((it for it in dataset.fields if it.allowed), None)
    if closed is not None:
        yield f"an unknown {closed.name}", f'{closed.name}: "not one of them"', f"{closed.name}.allowed"


def sample_text(
    profile: TableProfile, dataset: Dataset, formats: Mapping[str, str], *, header_row: int | None = None
) -> str:
    """
    Return a CSV file of three invented records, with the file's headers in line *header_row*; 0: without them.

    *formats* are strftime, by column.
    """
    names = field_names(column.name for column in profile.columns)
    columns = [column for column in profile.columns if column.name != ROW_KEY]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for _ in range(1, header_row or 1):
        writer.writerow(["above the header"])
    if header_row != 0:
        writer.writerow(column.name for column in columns)
    for n in (1, 2, 3):
        writer.writerow(
            _DAY.strftime(formats[column.name])
            if column.name in formats
            else _value(dataset.field(names[column.name]), n)
            for column in columns
        )
    return text.getvalue()


def _value(field: Field, n: int) -> str:
    if field.allowed:
        return field.allowed[0]
    if field.logical_type is LogicalType.STRING:
        return f"K-{n}" if field.is_key or field.unique else "text"
    if field.is_key or field.unique:
        return str(n)
    return _VALUES[field.logical_type]


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
