"""
State across the blocks of one file.

Running totals distinguish a total row from the data; counts of each content number the keys that are made of
content.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from daftari.contract.model import Dataset, LogicalType
from daftari.rows.formats.parse import ParsedRows, physical, to_rows
from daftari.rows.intake.block import Block
from daftari.rows.intake.control_totals import ControlTotals
from daftari.rows.intake.remarks import LeftOut, Remark, merged
from daftari.rows.intake.total_rows import Total, possible_total_rows, stated_figures, total_of
from daftari.rows.mapping.column_plan import ColumnPlan

_COUNTED = {LogicalType.INTEGER, LogicalType.NUMBER}


@dataclass(frozen=True, kw_only=True)
class Met:
    """The facts about a file for the ledger."""

    found: ControlTotals = ControlTotals()  #: compared with the sender's totals
    totals: tuple[Total, ...] = ()
    left_out: LeftOut = LeftOut()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileReading:
    """The state after the blocks so far. Holds no row of the file."""

    plan: ColumnPlan
    dataset: Dataset
    sums: dict[str, Decimal]  #: of every exact number field, over accepted and rejected rows
    since: dict[str, Decimal]  #: the same, for the rows after the last total row
    seen: Counter[str]  #: contents so far, if a key counts their occurrences; grows with each block
    rows: int = 0  #: total rows, blank rows and malformed records are not counted
    malformed: int = 0
    left_out: LeftOut = LeftOut()
    totals: tuple[Total, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def met(self) -> Met:
        return Met(found=self.found, totals=self.totals, left_out=self.left_out, remarks=self.remarks)

    @property
    def found(self) -> ControlTotals:
        """Sums by field, and by column if the column is summed unchanged."""
        plain = [one for one in self.plan.fields if one.field.name in self.sums and len(one.columns) == 1]
        as_sent = [one for one in plain if one.source.unit is None and one.source.sign == "keep"]
        by_column = {one.columns[0]: self.sums[one.field.name] for one in as_sent}
        return ControlTotals(rows=self.rows + self.malformed, sums={**by_column, **self.sums})


def start_reading(plan: ColumnPlan, dataset: Dataset) -> FileReading:
    exact = [field.name for field in dataset.fields if not isinstance(physical(field), pl.Float64)]
    counted = [name for name in exact if dataset.field(name).logical_type in _COUNTED]
    nothing = dict.fromkeys(counted, Decimal(0))
    return FileReading(plan=plan, dataset=dataset, sums=nothing, since=nothing, seen=Counter())


def take(reading: FileReading, block: Block) -> tuple[ParsedRows, FileReading]:
    """Read the next *block*, each once and in order: return its rows without total rows, and the new state."""
    rows = to_rows(reading.plan, block, reading.dataset, reading.seen)
    after = replace(
        reading,
        malformed=reading.malformed + len(block.malformed),
        left_out=reading.left_out + LeftOut(blank=block.blank, repeated=block.repeated),
        remarks=merged((*reading.remarks, *block.remarks, *rows.remarks)),
    )
    counted_to = -1
    for line, is_labelled in possible_total_rows(rows, block, reading.plan, reading.dataset, reading.sums):
        above = _between(rows, counted_to, line)
        at = _counted(after, above)
        stated = stated_figures(rows.values.filter(rows.lines == line), reading.sums)
        sums_above = (at.sums, at.since) if at.rows else ()
        total = total_of(line, stated, sums_above, is_labelled=is_labelled)
        if total is None:
            continue
        after = replace(
            at,
            totals=(*after.totals, total),
            since=dict.fromkeys(at.since, Decimal(0)),
            left_out=at.left_out + LeftOut(totals=1),
        )
        counted_to = line
    after = _counted(after, _between(rows, counted_to, None))
    lines = [total.line for total in after.totals[len(reading.totals) :]]
    return (rows.only(~rows.lines.is_in(lines)) if lines else rows), after


def _counted(reading: FileReading, values: pl.DataFrame) -> FileReading:
    if not values.height:
        return reading
    more = {
        name: Decimal(values[name].cast(pl.Decimal(38, _scale(values[name]))).sum()) for name in reading.sums
    }
    return replace(
        reading,
        rows=reading.rows + values.height,
        sums={name: figure + more[name] for name, figure in reading.sums.items()},
        since={name: figure + more[name] for name, figure in reading.since.items()},
    )


def _scale(column: pl.Series) -> int:
    return column.dtype.scale if isinstance(column.dtype, pl.Decimal) else 0


def _between(rows: ParsedRows, after: int, before: int | None) -> pl.DataFrame:
    """Return the values of the rows after line *after* and before line *before*."""
    if before is None:
        return rows.values if after < 0 else rows.values.filter(rows.lines > after)
    return rows.values.filter((rows.lines > after) & (rows.lines < before))
