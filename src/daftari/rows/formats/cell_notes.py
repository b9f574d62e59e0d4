"""What the notes on single cells mean for the fields that are read from them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from daftari.contract.model import Dataset, LogicalType
from daftari.rows.intake.block import Block, CellNoteKind
from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan


def reasons_of_cells(plan: ColumnPlan, block: Block, dataset: Dataset) -> Mapping[str, pl.Series]:
    """Return by field, of those with a note, why the cell of each row has no value; null where it has one."""
    if block.notes is None or block.notes.is_empty():
        return {}
    noted = set(block.notes["column"])
    found = {
        one.field.name: _by_row(_weighty(one, plan, block, dataset), block.lines)
        for one in plan.fields
        if noted & set(one.columns)
    }
    return {name: reasons for name, reasons in found.items() if reasons.null_count() < len(reasons)}


def _weighty(one: FieldPlan, plan: ColumnPlan, block: Block, dataset: Dataset) -> pl.DataFrame:
    """Return the notes that matter for the field."""
    assert block.notes is not None
    notes = block.notes.filter(pl.col("column").is_in(one.columns))
    kinds = {CellNoteKind.FAULT, CellNoteKind.MERGED}
    if _is_key(one, dataset):
        kinds |= {CellNoteKind.TRUTH, CellNoteKind.LOSS}
    if one.field.logical_type is LogicalType.STRING:
        kinds.add(CellNoteKind.LOSS)
    notes = notes.filter(pl.col("kind").is_in([kind.value for kind in kinds]))
    declared = one.source.null_words if one.source.null_words is not None else plan.mapping.null_words
    if not declared:
        return notes
    cells = block.cells.select(
        block.lines.alias("line"), *(pl.col(name).str.strip_chars() for name in one.columns)
    )
    missing = cells.unpivot(one.columns, index="line", variable_name="column").filter(
        pl.col("value").is_in(declared)
    )
    return notes.join(missing, on=("line", "column"), how="anti")


def _is_key(one: FieldPlan, dataset: Dataset) -> bool:
    """Whether its values name a row, of this dataset or of another."""
    name = one.field.name
    refers = any(name in relationship.fields for relationship in dataset.relationships)
    return name in dataset.key or one.field.unique or refers


def _by_row(notes: pl.DataFrame, lines: pl.Series) -> pl.Series:
    rows = pl.DataFrame({"line": lines})
    first = notes.unique("line", keep="first", maintain_order=True)
    return rows.join(first, on="line", how="left", maintain_order="left")["reason"]
