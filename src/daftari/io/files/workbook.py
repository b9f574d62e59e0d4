"""The rows of a sheet of a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods), each cell as canonical text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from daftari.errors import SourceError
from daftari.io.delimited.header import SAMPLE_RECORDS, Sought
from daftari.io.delimited.layout import Layout
from daftari.io.files.table import table_blocks, table_layout
from daftari.rows.intake.block import Block
from daftari.rows.mapping.header_names import hits

#: The library's name for an error cell, and the spreadsheet's.
_ERRORS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
_ERROR = re.compile(r"Error\((\w+)\)")
_MOMENT = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
_MIDNIGHT = " 00:00:00"
#: A time of day is stored as a moment of Excel's day 0.
_TIME_OF_DAY = r"^(?:1899-12-3[01]) (\d{2}:\d{2}:\d{2})"
#: The library writes a number with nine decimals, which from 2^23 on is more than a double holds:
#: 15280244.44 becomes 15280244.439999999.
_MORE_THAN_A_DOUBLE = r"^-?\d{7,15}\.\d{9}$"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    name: str
    layout: Layout
    rows: pl.DataFrame  #: after the header

    def blocks(self) -> Iterator[Block]:
        return table_blocks(self.rows, self.layout)


def open_sheet(path: Path, sought: Sought) -> Sheet:
    """
    Open the sheet that the mapping names, or the only one with rows, or the one with the best known header.

    Raises:
        SourceError: the workbook is damaged or has no such sheet, or the sheet is ambiguous.
    """
    try:
        book = fastexcel.read_excel(path)
        tables = {name: _cells(book, name) for name in _wanted(book, sought)}
    except fastexcel.FastExcelError as error:
        raise SourceError(
            f"{sought.name}: is not a workbook that can be read ({str(error).splitlines()[0]})",
            hint="Open it in a spreadsheet program and save it as .xlsx, without a password.",
        ) from None
    name = _chosen({name: table for name, table in tables.items() if table.height}, sought)
    layout, before = table_layout(tables[name], sought)
    rows = tables[name].slice(before)
    return Sheet(name=name, layout=layout, rows=rows.select(_dates_bare(rows)))


def _wanted(book: fastexcel.ExcelReader, sought: Sought) -> list[str]:
    declared = sought.mapping.sheet if sought.mapping else None
    if declared is None:
        return list(book.sheet_names)
    if declared not in book.sheet_names:
        raise SourceError(
            f"{sought.name}: has no sheet {declared!r}; it has {', '.join(map(repr, book.sheet_names))}",
            hint="Correct `sheet` in the source mapping.",
        )
    return [declared]


def _cells(book: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    batch, faults = sheet.to_arrow_with_errors()
    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)
    columns = frame.get_columns()
    for fault in faults.errors if faults else ():
        found = _ERROR.search(fault.detail)
        row, column = fault.offset_position
        columns[column][row] = _ERRORS.get(found[1], "#ERROR") if found else "#ERROR"
    text = pl.DataFrame(columns).with_columns(pl.all().replace("", None))
    text = text.with_columns(pl.all().str.replace(_TIME_OF_DAY, "$1"))
    return text.with_columns(_shortest(name) for name in text.columns)


def _shortest(name: str) -> pl.Expr:
    """Write a number with the fewest digits that give back the double that the cell holds."""
    cell = pl.col(name)
    shortest = cell.cast(pl.Float64, strict=False).cast(pl.String)
    return pl.when(cell.str.contains(_MORE_THAN_A_DOUBLE)).then(shortest).otherwise(cell).alias(name)


def _dates_bare(rows: pl.DataFrame) -> list[pl.Expr]:
    """Write the moments of a column as days where all of them are midnights: a sheet has no other date type."""
    exprs = []
    for name in rows.columns:
        moments = rows[name].filter(rows[name].str.contains(_MOMENT))
        is_dated = len(moments) > 0 and moments.str.ends_with(_MIDNIGHT).all()
        bare = pl.col(name).str.replace(_MIDNIGHT + "$", "") if is_dated else pl.col(name)
        exprs.append(bare)
    return exprs


def _chosen(tables: dict[str, pl.DataFrame], sought: Sought) -> str:
    if not tables:
        raise SourceError(f"{sought.name}: has no sheet with rows", hint="Ask the sender for the file again.")
    if len(tables) == 1:
        return next(iter(tables))
    scores = {name: _known(table, sought) for name, table in tables.items()}
    best = max(scores.values())
    leaders = [name for name, score in scores.items() if score == best]
    if best and len(leaders) == 1:
        return leaders[0]
    raise SourceError(
        f"{sought.name}: has {len(tables)} sheets with rows ({', '.join(tables)}); one was expected",
        hint="Name it with `sheet` in the source mapping.",
    )


def _known(table: pl.DataFrame, sought: Sought) -> int:
    rows = table.head(SAMPLE_RECORDS).iter_rows()
    return max((hits([cell or "" for cell in row], sought.known) for row in rows), default=0)
