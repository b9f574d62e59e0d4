"""Records of an API request or a contract's example, read like the rows of a file."""

from __future__ import annotations

import json
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any

import polars as pl

from daftari.contract.model import Dataset
from daftari.errors import UnknownName
from daftari.rows.formats.inference import canonical
from daftari.rows.intake.block import WHITE_SPACE, Block, Malformed
from daftari.rows.mapping.column_plan import ColumnPlan, resolve_columns
from daftari.rows.mapping.mapping import Mapping


def record_block(record: AnyMapping[str, Any], dataset: Dataset) -> Block:
    """
    Return *record* (values by field; absent fields are missing) as a block of one row, at line 1.

    Raises:
        UnknownName: it has an unknown field; nothing is dropped silently.
    """
    return records_block([record], dataset)


def records_block(
    records: Sequence[AnyMapping[str, Any] | None], dataset: Dataset, *, keeps_absent: bool = False
) -> Block:
    """
    Return *records* as a block, numbered from 1. None stands for an item that is not a record.

    A field that a record lacks is empty, or with *keeps_absent* left as it is in an existing row.

    Raises:
        UnknownName: one has an unknown field.
    """
    require_known_names(records, dataset)
    names = [field.name for field in dataset.fields]
    sound = [(line, record) for line, record in enumerate(records, 1) if record is not None]
    cells = {name: _texts([record.get(name) for _, record in sound]) for name in names}
    return Block(
        cells=pl.DataFrame([pl.Series(name, texts, dtype=pl.String) for name, texts in cells.items()]),
        lines=pl.Series([line for line, _ in sound], dtype=pl.Int64),
        malformed=tuple(
            Malformed(line=line, reason="is not a JSON object", preview="")
            for line, record in enumerate(records, 1)
            if record is None
        ),
        may_hold_nul=any("\0" in "".join(filter(None, texts)) for texts in cells.values()),
        is_trimmed=True,
        absent=_absent([record for _, record in sound], names) if keeps_absent else None,
    )


def _absent(records: Sequence[AnyMapping[str, Any]], names: Sequence[str]) -> pl.DataFrame | None:
    lacks = {name: [name not in record for record in records] for name in names}
    found = {name: pl.Series(lacking, dtype=pl.Boolean) for name, lacking in lacks.items() if any(lacking)}
    return pl.DataFrame(found) if found else None


def require_known_names(records: Sequence[AnyMapping[str, Any] | None], dataset: Dataset) -> None:
    """Raise UnknownName if one of *records* has an unknown field."""
    names = {field.name for field in dataset.fields}
    for line, record in enumerate(records, 1):
        if record is not None and not record.keys() <= names:
            where = f"record {line}" if len(records) > 1 else "record"
            raise UnknownName(where, "field", next(it for it in record if it not in names), known=names)


def record_plan(dataset: Dataset) -> ColumnPlan:
    """
    Return the plan for records: each field by its own name, in its canonical form (ISO 8601, plain digits).

    Records never include a total row.
    """
    mapping = Mapping(dataset=dataset.name, total_row="none")
    return canonical(resolve_columns(mapping, [field.name for field in dataset.fields], dataset))


def cell(value: Any) -> str | None:
    """Return a value of JSON or YAML as the text that a file would hold; None if missing."""
    match value:
        case None | "":
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case date() | time():  # includes datetime
            return value.isoformat()
        case _:
            return _written(value)


def _texts(values: list[Any]) -> list[str | None]:
    """Return the texts of one field, trimmed; None if missing or empty."""
    texts = values if {*map(type, values)} <= _TEXTS else map(cell, values)
    return [text.strip(WHITE_SPACE) or None if text else None for text in texts]


_TEXTS = {str, type(None)}


def _written(value: Any) -> str:
    """Write a value as JSON, with its original digits."""
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)}: {_written(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_written, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
