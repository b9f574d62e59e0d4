"""Records of an API request or a contract's example, read like the rows of a file."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from daftari.contract.model import Dataset
from daftari.errors import UnknownName
from daftari.rows.formats.inference import canonical
from daftari.rows.intake.block import WHITE_SPACE, Block, Malformed
from daftari.rows.json_rows.values import json_cells
from daftari.rows.mapping.column_plan import ColumnPlan, resolve_columns
from daftari.rows.mapping.mapping import Mapping


@dataclass(frozen=True, kw_only=True)
class NotARecord:
    """An item of a request that is no record."""

    reason: str  #: why not


Record = AnyMapping[str, Any] | NotARecord


def record_block(record: AnyMapping[str, Any], dataset: Dataset) -> Block:
    """
    Return *record* (values by field; absent fields are missing) as a block of one row, at line 1.

    Raises:
        UnknownName: it has an unknown field; nothing is dropped silently.
    """
    return records_block([record], dataset)


def records_block(records: Sequence[Record], dataset: Dataset, *, keeps_absent: bool = False) -> Block:
    """
    Return *records* as a block, numbered from 1.

    A field that a record lacks is empty, or with *keeps_absent* left as it is in an existing row.

    Raises:
        UnknownName: one has an unknown field.
    """
    require_known_names(records, dataset)
    sound = [(line, record) for line, record in enumerate(records, 1) if not isinstance(record, NotARecord)]
    cells, faults = {}, {}
    for field in dataset.fields:
        column = json_cells([record.get(field.name) for _, record in sound])
        cells[field.name] = [text.strip(WHITE_SPACE) or None if text else None for text in column.texts]
        if column.reasons is not None:
            faults[field.name] = pl.Series(column.reasons, dtype=pl.String)
    return Block(
        cells=pl.DataFrame([pl.Series(name, texts, dtype=pl.String) for name, texts in cells.items()]),
        lines=pl.Series([line for line, _ in sound], dtype=pl.Int64),
        malformed=tuple(
            Malformed(line=line, reason=record.reason, preview="")
            for line, record in enumerate(records, 1)
            if isinstance(record, NotARecord)
        ),
        may_hold_nul=any("\0" in "".join(filter(None, texts)) for texts in cells.values()),
        is_trimmed=True,
        absent=_absent([record for _, record in sound], list(cells)) if keeps_absent else None,
        faults=faults,
        is_plain=all(_is_plain("\n".join(filter(None, texts))) for texts in cells.values()),
    )


def _is_plain(texts: str) -> bool:
    """As `Block.is_plain`."""
    odd = ("  ", "#", "E+", '="', "'")
    is_printable = texts.isprintable() or texts.replace("\n", "").isprintable()
    return texts.isascii() and is_printable and not any(one in texts for one in odd)


def _absent(records: Sequence[AnyMapping[str, Any]], names: Sequence[str]) -> pl.DataFrame | None:
    lacks = {name: [name not in record for record in records] for name in names}
    found = {name: pl.Series(lacking, dtype=pl.Boolean) for name, lacking in lacks.items() if any(lacking)}
    return pl.DataFrame(found) if found else None


def require_known_names(records: Sequence[Record], dataset: Dataset) -> None:
    """Raise UnknownName if one of *records* has an unknown field."""
    names = {field.name for field in dataset.fields}
    for line, record in enumerate(records, 1):
        if not isinstance(record, NotARecord) and not record.keys() <= names:
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
    (text,) = json_cells([value]).texts
    return text or None
