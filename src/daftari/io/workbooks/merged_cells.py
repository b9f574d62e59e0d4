"""Merged areas: their value is in their first cell alone; the others take it, or say that they are empty for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from daftari.io.workbooks.sheet_rows import Area, SheetRows, cell_address
from daftari.rows.intake.block import CellNoteKind


@dataclass(frozen=True, kw_only=True)
class _Open:
    """An area whose first row was read."""

    area: Area
    value: str
    is_typed: bool
    fault: str | None  #: why its first cell holds no value


class MergedCells:
    """The merged areas of a sheet, for its blocks in order."""

    def __init__(self, areas: Sequence[Area], *, first_row: int, fills: bool) -> None:
        """Keep *areas* that begin at *first_row* or below: those of titles and headers hold no rows."""
        kept = (one for one in areas if one.first_row >= first_row)
        self._waiting = sorted(kept, key=lambda one: one.first_row)
        self._open: list[_Open] = []
        self._fills = fills

    def of(self, rows: SheetRows, columns: range) -> tuple[SheetRows, dict[int, int]]:
        """
        Return *rows* with what the areas say of their cells in *columns*, and the number of these by column.

        Raises:
            ValueError: areas overlap.
        """
        if not len(rows.lines) or not (self._waiting or self._open):
            return rows, {}
        self._begin(rows)
        last = rows.lines[-1]
        cells = _empty(rows, _covered(rows.lines, self._open, columns))
        self._open = [one for one in self._open if one.area.last_row > last]
        if cells.is_empty():
            return rows, {}
        counts = dict(cells.group_by("place").len().sort("place").iter_rows())
        return (_filled(rows, cells) if self._fills else _noted(rows, cells)), counts

    def _begin(self, rows: SheetRows) -> None:
        """Open the areas that begin in *rows*, with the values of their first cells."""
        last = rows.lines[-1]
        count = next((at for at, one in enumerate(self._waiting) if one.first_row > last), len(self._waiting))
        begun, self._waiting = self._waiting[:count], self._waiting[count:]
        places = rows.lines.search_sorted(pl.Series([one.first_row for one in begun], dtype=pl.Int64))
        faults = rows.notes.filter(pl.col("kind") == CellNoteKind.FAULT)
        said = {(line, column): why for line, column, why in faults.select("line", "column", "reason").rows()}
        for area, place in zip(begun, places, strict=True):
            column = rows.columns.get(area.first_column)
            if column is None or rows.lines[place] != area.first_row or column[place] is None:
                continue
            marks = rows.typed.get(area.first_column)
            self._open.append(
                _Open(
                    area=area,
                    value=column[place],
                    is_typed=marks is not None and marks[place],
                    fault=said.get((area.first_row, str(area.first_column))),
                )
            )


def _covered(lines: pl.Series, areas: list[_Open], columns: range) -> pl.DataFrame:
    """Return each cell of the rows with *lines* that an area covers, by its place, with what the area says."""
    spans = pl.DataFrame(
        [
            (
                one.area.first_row,
                one.area.last_row,
                max(one.area.first_column, columns.start),
                min(one.area.last_column + 1, columns.stop),
                str(one.area),
                one.value,
                one.is_typed,
                one.fault,
            )
            for one in areas
        ],
        schema=_SPANS,
        orient="row",
    )
    spans = spans.with_columns(
        start=lines.search_sorted(spans["first_row"]).cast(pl.Int64),
        end=lines.search_sorted(spans["last_row"], side="right").cast(pl.Int64),
    ).filter((pl.col("start") < pl.col("end")) & (pl.col("left") < pl.col("right")))
    size = (pl.col("end") - pl.col("start")) * (pl.col("right") - pl.col("left"))
    if spans.select(size.sum()).item() > len(lines) * len(columns):
        raise ValueError("its merged areas overlap")
    spans = spans.with_columns(row=pl.int_ranges("start", "end"), place=pl.int_ranges("left", "right"))
    return spans.explode("row").explode("place")


_SPANS = pl.Schema(
    [
        ("first_row", pl.Int64()),
        ("last_row", pl.Int64()),
        ("left", pl.Int64()),
        ("right", pl.Int64()),
        ("area", pl.String()),
        ("value", pl.String()),
        ("typed", pl.Boolean()),
        ("fault", pl.String()),
    ]
)


def _empty(rows: SheetRows, covered: pl.DataFrame) -> pl.DataFrame:
    """Return those of the *covered* cells that are empty."""
    found = [covered.clear()]
    for (place,), cells in covered.group_by("place", maintain_order=True):
        column = rows.columns.get(int(str(place)))
        found.append(cells if column is None else cells.filter(column.gather(cells["row"]).is_null()))
    return pl.concat(found)


def _filled(rows: SheetRows, cells: pl.DataFrame) -> SheetRows:
    columns, typed, height = dict(rows.columns), dict(rows.typed), len(rows.lines)
    for (key,), some in cells.group_by("place", maintain_order=True):
        place = int(str(key))
        column = columns.get(place, pl.Series([None], dtype=pl.String).new_from_index(0, height))
        columns[place] = column.scatter(some["row"], some["value"])
        marks = typed.get(place, pl.repeat(False, height, dtype=pl.Boolean, eager=True))
        typed[place] = marks.scatter(some["row"], some["typed"])
    faults = cells.filter(pl.col("fault").is_not_null()).select(
        line=rows.lines.gather(cells.filter(pl.col("fault").is_not_null())["row"]),
        column=pl.col("place").cast(pl.String),
        kind=pl.lit(CellNoteKind.FAULT.value),
        reason="fault",
    )
    return replace(rows, columns=columns, typed=typed, notes=pl.concat([rows.notes, faults]))


def _noted(rows: SheetRows, cells: pl.DataFrame) -> SheetRows:
    lines = rows.lines.gather(cells["row"])
    letters = {place: cell_address(place) for place in cells["place"].unique()}
    letter = pl.col("place").replace_strict(letters, return_dtype=pl.String)
    said = pl.concat_str(
        pl.lit("is missing: "),
        letter,
        lines,
        pl.lit(" is part of the merged area "),
        pl.col("area"),
        pl.lit(", whose value is in its first cell alone"),
    )
    notes = cells.select(
        line=lines,
        column=pl.col("place").cast(pl.String),
        kind=pl.lit(CellNoteKind.MERGED.value),
        reason=said,
    )
    return replace(rows, notes=pl.concat([rows.notes, notes]))
