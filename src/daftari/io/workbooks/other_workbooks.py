"""The rows of a sheet of an .xls or .xlsb workbook, by a library that holds the whole sheet in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import fastexcel
import polars as pl

from daftari.io.workbooks.cell_texts import ERRORS, hours_text, written_digits
from daftari.io.workbooks.sheet_rows import BLOCK_ROWS, SheetRows, cell_address
from daftari.io.workbooks.xml_stream import damaged
from daftari.rows.intake.block import CELL_NOTES, CellNoteKind

#: The library's name for an error cell, where it is not the spreadsheet's without its signs.
_ERRORS = {one.strip("#!?").replace("/", "").replace("_", "").casefold(): one for one in ERRORS}
_ERROR = re.compile(r"Error\((\w+)\)")
#: The library writes every moment in this form, and a time as a moment of the first days of the calendar.
_MOMENT = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
_TIME = r"^(?:1899-12-3[01]|1900-0[12]-\d\d) \d{2}:\d{2}:\d{2}"


class OtherBook:
    """An opened workbook."""

    def __init__(self, path: Path, name: str) -> None:
        """
        Open the workbook at *path*.

        Raises:
            SourceError: it is damaged.
        """
        self._name = name
        try:
            self._book = fastexcel.read_excel(path)
        except fastexcel.FastExcelError as error:
            raise damaged(name, str(error).splitlines()[0]) from None
        self.sheets: tuple[str, ...] = tuple(self._book.sheet_names)

    def rows(self, sheet: str, *, most_rows: int = BLOCK_ROWS) -> Iterator[SheetRows]:
        """Yield the rows of *sheet* in blocks of *most_rows*."""
        try:
            found = self._book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
            batch, faults = found.to_arrow_with_errors()
        except fastexcel.FastExcelError as error:
            raise damaged(self._name, str(error).splitlines()[0]) from None
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        errors = [
            (*fault.offset_position, _error(fault.detail)) for fault in (faults.errors if faults else ())
        ]
        yield from _blocks(frame, errors, most_rows)


def _error(detail: str) -> str:
    found = _ERROR.search(detail)
    return _ERRORS.get(found[1].casefold(), "#ERROR") if found else "#ERROR"


def _blocks(frame: pl.DataFrame, errors: list[tuple[int, int, str]], most_rows: int) -> Iterator[SheetRows]:
    columns = frame.get_columns()
    for row, column, error in errors:
        columns[column][row] = error
    texts = pl.DataFrame([_text(column).alias(str(place)) for place, column in enumerate(columns)])
    texts = texts.with_row_index("line", offset=1).cast({"line": pl.Int64})
    texts = texts.filter(pl.any_horizontal(pl.exclude("line").is_not_null()))
    notes = pl.DataFrame(
        [
            (
                row + 1,
                str(column),
                CellNoteKind.FAULT.value,
                f"is not read: {cell_address(column, row + 1)} holds the error {error}",
            )
            for row, column, error in errors
        ],
        schema=CELL_NOTES,
        orient="row",
    )
    for start in range(0, max(1, texts.height), most_rows):
        some = texts.slice(start, most_rows)
        yield SheetRows(
            lines=some["line"],
            columns={int(name): some[name] for name in some.columns[1:]},
            typed={},
            notes=notes.filter(pl.col("line").is_in(some["line"].implode())),
        )


def _text(column: pl.Series) -> pl.Series:
    """Write the library's text of numbers and moments as other workbooks' are written."""
    frame = column.alias("t").to_frame()
    text = pl.col("t")
    is_time, is_moment = text.str.contains(_TIME), text.str.contains(_MOMENT)
    moment = pl.when(is_moment & ~is_time).then(text.str.replace(" 00:00:00$", ""))
    hours = pl.when(is_time).then(hours_text(_elapsed(text)))
    frame = frame.select(pl.coalesce(hours, moment, text).replace("", None).alias("t"))
    is_number = frame.select(text.str.contains(r"^-?\d{7,15}\.\d{9}$").fill_null(False)).to_series()
    if not is_number.any():
        return frame.to_series()
    return frame.to_series().scatter(
        is_number.arg_true(), written_digits(frame.to_series().filter(is_number))
    )


def _elapsed(text: pl.Expr) -> pl.Expr:
    """Return the milliseconds since the first midnight of the calendar."""
    moment = text.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="ms")
    first = pl.datetime(1899, 12, 31, time_unit="ms")
    start = pl.when(text.str.starts_with("1899-12-30")).then(first.dt.offset_by("-1d")).otherwise(first)
    return (moment - start).dt.total_milliseconds()
