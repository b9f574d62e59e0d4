"""The table in a sheet: which row is its header, and its rows below as blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from daftari.io.delimited.header import Sought, declared_names, header_place
from daftari.io.delimited.layout import Layout
from daftari.io.files.non_rows import sift
from daftari.io.files.table import named_layout
from daftari.io.workbooks.merged_cells import MergedCells
from daftari.io.workbooks.sheet_rows import SheetRows, cell_address
from daftari.io.workbooks.sheet_store import SheetStore
from daftari.io.workbooks.xml_stream import damaged
from daftari.rows.intake.block import Block, Malformed, shape_of
from daftari.rows.intake.remarks import Remark, RemarkKind


@dataclass(frozen=True, kw_only=True)
class SheetTable:
    """Where the table of a sheet is."""

    layout: Layout
    columns: range  #: places in the sheet, from 0
    header_line: int  #: 0: there is no header


def find_table(sample: SheetRows, sought: Sought) -> SheetTable:
    """
    Find the header among the first rows of a sheet, *sample*.

    Raises:
        SourceError: the mapping names a row that the sheet does not have.
    """
    left = min((place for place, texts in sample.columns.items() if _has_text(texts)), default=0)
    rows, lines = first_rows(sample, left=left), sample.lines.to_list()
    place = header_place(rows, sought, lines)
    found = () if place is None else tuple(rows[place])
    while found and not found[-1].strip():
        found = found[:-1]
    names, header = declared_names(found, rows[0 if place is None else place + 1 :], sought)
    line = 0 if place is None else lines[place]
    layout = named_layout(sought.name, header, first_line=line + 1)
    return SheetTable(
        layout=replace(layout, columns=names),
        columns=range(left, left + len(header)),
        header_line=line,
    )


def first_rows(sample: SheetRows, *, left: int = 0) -> list[list[str]]:
    """Return the cells of the rows of *sample*, from column *left* to the last one of each row."""
    rows: list[list[str]] = [[] for _ in sample.lines]
    for place, texts in sample.columns.items():
        for row, text in zip(rows, texts, strict=True):
            if text is not None and place >= left:
                row.extend([""] * (place - left + 1 - len(row)))
                row[place - left] = text
    return rows


def _has_text(texts: pl.Series) -> bool:
    return bool(_filled(texts).any())


def _filled(texts: pl.Series) -> pl.Series:
    return texts.str.strip_chars().ne("").fill_null(False)


@dataclass(kw_only=True)
class Sheet:
    """The rows of one sheet. They are read from the workbook once, when they are first needed."""

    name: str
    table: SheetTable
    remarks: tuple[Remark, ...]
    fills: bool  #: whether the cells of a merged area take its value
    store: Callable[[], SheetStore] | None = field(
        default=None, repr=False
    )  #: None: while a process sends it
    _store: SheetStore | None = field(default=None, repr=False)

    def blocks(self) -> Iterator[Block]:
        """
        Yield the rows below the header. May be called again.

        Raises:
            SourceError: the sheet is damaged.
        """
        if self._store is None:
            assert self.store is not None, "whoever received the sheet says how its rows are read"
            self._store = self.store()
        table, first_row = self.table, self.table.header_line + 1
        merged = MergedCells(self._store.merged, first_row=first_row, fills=self.fills)
        last = self.table.header_line
        remarks = _hidden_columns(self._store.hidden_columns, table)
        for stored in self._store.blocks():
            rows = below(stored, table.header_line)
            if not len(rows.lines):
                continue
            try:
                rows, covered = merged.of(rows, table.columns)
            except ValueError as error:
                raise damaged(table.layout.name, str(error)) from None
            block = _block(rows, table)
            gap = int(rows.lines[-1]) - last - len(rows.lines)
            said = (*remarks, *block.remarks, *_remarks(rows, table), *self._merged(covered))
            yield replace(block, blank=block.blank + gap, remarks=said)
            last, remarks = int(rows.lines[-1]), ()

    def _merged(self, covered: dict[int, int]) -> Iterator[Remark]:
        done = (
            "cells of merged areas take the value of their area"
            if self.fills
            else "cells of merged areas are read as empty; `merged: fill` in the source mapping gives them"
            " the value of their area"
        )
        for place, count in covered.items():
            name = self.table.layout.names[place - self.table.columns.start]
            yield Remark(kind=RemarkKind.MERGED_CELLS, text=f"column {name!r}: {done}", count=count)


def below(rows: SheetRows, line: int) -> SheetRows:
    """Return those of *rows* that are below *line*."""
    return rows if not len(rows.lines) or rows.lines[0] > line else chosen(rows, rows.lines > line)


def chosen(rows: SheetRows, mask: pl.Series) -> SheetRows:
    """Return those of *rows* that *mask* marks."""
    lines = rows.lines.filter(mask)
    return replace(
        rows,
        lines=lines,
        columns={place: texts.filter(mask) for place, texts in rows.columns.items()},
        typed={place: marks.filter(mask) for place, marks in rows.typed.items()},
        notes=rows.notes.filter(rows.notes["line"].is_in(lines.implode())),
    )


def _block(rows: SheetRows, table: SheetTable) -> Block:
    beyond = [texts for place, texts in rows.columns.items() if place >= table.columns.stop]
    astray = _any([_filled(texts) for texts in beyond])
    malformed: tuple[Malformed, ...] = ()
    if astray is not None:
        malformed, rows = _astray(chosen(rows, astray), table), chosen(rows, ~astray)
    names = dict(zip(table.columns, table.layout.names, strict=True))
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(rows.lines))
    cells = pl.DataFrame([rows.columns.get(place, nothing).alias(name) for place, name in names.items()])
    block = sift(cells, rows.lines, malformed, table.layout)
    keep = rows.lines.is_in(block.lines.implode()) if len(block.lines) < len(rows.lines) else None
    typed = {
        names[place]: marks if keep is None else marks.filter(keep)
        for place, marks in rows.typed.items()
        if place in names
    }
    return replace(block, typed=typed, notes=_named_notes(rows.notes, names))


def _named_notes(notes: pl.DataFrame, names: dict[int, str]) -> pl.DataFrame | None:
    if notes.is_empty():
        return None
    by_place = {str(place): name for place, name in names.items()}
    column = pl.col("column").replace_strict(by_place, default=None, return_dtype=pl.String)
    return notes.with_columns(column).drop_nulls("column")


def _any(masks: list[pl.Series]) -> pl.Series | None:
    found = [mask for mask in masks if mask.any()]
    if not found:
        return None
    return (
        pl.DataFrame([mask.alias(str(at)) for at, mask in enumerate(found)])
        .select(pl.any_horizontal(pl.all()))
        .to_series()
    )


def _astray(rows: SheetRows, table: SheetTable) -> tuple[Malformed, ...]:
    reason = f"has a value beyond column {len(table.layout.columns)}, under a column without a name"
    cells = pl.DataFrame([texts.alias(str(place)) for place, texts in rows.columns.items()])
    return tuple(
        Malformed(line=line, reason=reason, preview=shape_of("\t".join(text or "" for text in row)))
        for line, row in zip(rows.lines, cells.iter_rows(), strict=True)
    )


def _remarks(rows: SheetRows, table: SheetTable) -> Iterator[Remark]:
    if rows.hidden:
        yield Remark(kind=RemarkKind.HIDDEN, text="hidden rows are read like the others", count=rows.hidden)
    if rows.stale:
        said = (
            "formulas are read as they were last stored; the workbook asks to be calculated when it is opened"
        )
        yield Remark(kind=RemarkKind.STALE_FORMULA, text=said, count=rows.stale)
    names = dict(zip(table.columns, table.layout.names, strict=True))
    for place, shown in sorted(rows.adds):
        if place in names:
            said = f"column {names[place]!r}: its numbers are read without the text that their format {shown!r} adds"
            yield Remark(kind=RemarkKind.CELL_FORMAT, text=said)
    left = [
        texts for place, texts in rows.columns.items() if place < table.columns.start and _has_text(texts)
    ]
    if left:
        said = f"cells to the left of column {cell_address(table.columns.start)}, where the table begins, are not read"
        count = sum(int(_filled(texts).sum()) for texts in left)
        yield Remark(kind=RemarkKind.OUTSIDE_TABLE, text=said, count=count)


def _hidden_columns(places: frozenset[int], table: SheetTable) -> tuple[Remark, ...]:
    names = dict(zip(table.columns, table.layout.names, strict=True))
    found = [name for place, name in names.items() if place in places]
    text = f"hidden columns are read like the others: {', '.join(found)}"
    return (Remark(kind=RemarkKind.HIDDEN, text=text),) if found else ()
