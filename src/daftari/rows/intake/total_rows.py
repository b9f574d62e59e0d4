"""
Total rows: lines of a file that sum the lines above them. They are compared with those and never loaded.

A total row lacks required values, or has its label in place of a key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from daftari.contract.model import Dataset
from daftari.rows.formats.parse import ParsedRows
from daftari.rows.intake.block import Block
from daftari.rows.intake.control_totals import ControlTotals, reconcile
from daftari.rows.mapping.column_plan import ColumnPlan
from daftari.rows.mapping.mapping import TotalRow


@dataclass(frozen=True, kw_only=True)
class Total:
    """A row that states the sum of all rows above it, or of those since the last total. Never data."""

    line: int
    stated: ControlTotals  #: by field
    found: ControlTotals

    @property
    def agrees(self) -> bool:
        return not reconcile(self.stated, self.found)


def possible_total_rows(
    rows: ParsedRows, block: Block, plan: ColumnPlan, dataset: Dataset, summed: Collection[str]
) -> list[tuple[int, bool]]:
    """
    Return the line of each possible total row, and whether it is one even if its sum differs.

    *summed* are the fields whose values are summed. A file without total rows costs only a check of nulls and keys.
    """
    rule = plan.mapping.total_row
    own = {one.field.name: one for one in plan.fields if one.columns}
    numbers = [name for name in summed if name in own]
    if rule == "none" or not numbers:
        return []
    required = [name for name, one in own.items() if one.field.required]
    titles = [name for name in dataset.key if name in own and name not in numbers]
    label = rule if isinstance(rule, TotalRow) else TotalRow()
    suspect = _lacks(rows.values, required) | _any(rows.text, _is_label(pl.col(titles), label))
    if not suspect.any():
        return []
    few, cells = rows.only(suspect), block.cells.filter(suspect)
    counted = _any(few.values, pl.col(numbers).is_not_null())
    lacking = _lacks(few.values, required) & counted
    titled = _any(few.text, _is_label(pl.col(titles), label)) & counted
    bare = ~_any(few.text, pl.col([name for name in own if name not in numbers]).is_not_null())
    # in a cell of the file, mapped or not
    columns = pl.col(label.column) if label.column in cells.columns else pl.all()
    is_total = lacking & _any(cells, _is_label(columns.str.strip_chars(), label))
    chosen = is_total | (lacking & bare) | titled
    return list(zip(few.lines.filter(chosen), is_total.filter(chosen), strict=True))


def stated_figures(row: pl.DataFrame, summed: Iterable[str]) -> ControlTotals:
    """Return what a total row states of the fields that are *summed*."""
    figures = {name: row[name][0] for name in summed}
    return ControlTotals(sums={name: Decimal(one) for name, one in figures.items() if one is not None})


def total_of(
    line: int, stated: ControlTotals, sums_above: Iterable[Mapping[str, Decimal]], *, is_labelled: bool
) -> Total | None:
    """
    Return the row at *line* as a total: one whose figures agree with one of *sums_above*, or a labelled one.

    A labelled one that agrees with none is compared with the first of *sums_above*.
    """
    totals = [Total(line=line, stated=stated, found=ControlTotals(sums=dict(sums))) for sums in sums_above]
    agreeing = next((total for total in totals if total.agrees), None)
    return agreeing or (totals[0] if is_labelled and totals else None)


def _lacks(values: pl.DataFrame, required: list[str]) -> pl.Series:
    """Mark the rows with a null in one of the *required* columns."""
    return _any(values, pl.col([name for name in required if values[name].null_count()]).is_null())


def _any(frame: pl.DataFrame, condition: pl.Expr) -> pl.Series:
    """Mark the rows for which *condition* is true in any of its columns; it may have none."""
    return frame.select(pl.any_horizontal(pl.repeat(False, pl.len()), condition)).to_series()


def _is_label(text: pl.Expr, label: TotalRow) -> pl.Expr:
    return text.str.contains(f"(?i)^(?:{label.label})$").fill_null(False)
