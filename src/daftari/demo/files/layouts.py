"""Turn lines into cells, and cells into the bytes of a CSV, Excel or JSON Lines file."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import openpyxl

from daftari.demo.files.lines import FileLine

Row = Sequence[Any]
_EPOCH = (2026, 11, 1, 0, 0, 0)


def as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class LayoutColumn:
    header: str
    field: str
    #: turns a date, a timestamp, a number or a boolean into a cell; texts and None stay as they are
    show: Callable[[Any], Any] = as_it_is
    #: the publisher's words for texts
    words: Mapping[str, str] | None = None

    def cell(self, value: Any) -> Any:
        if value is None:
            return ""
        if isinstance(value, str):
            return self.words.get(value, value) if self.words else value
        return self.show(value)


def column(
    header: str,
    field: str,
    show: Callable[[Any], Any] = as_it_is,
    words: Mapping[str, str] | None = None,
) -> LayoutColumn:
    return LayoutColumn(header=header, field=field, show=show, words=words)


def headers(columns: Sequence[LayoutColumn]) -> list[str]:
    return [it.header for it in columns]


def body(columns: Sequence[LayoutColumn], lines: Iterable[FileLine]) -> list[list[Any]]:
    return [_cells(columns, line) for line in lines]


def _cells(columns: Sequence[LayoutColumn], line: FileLine) -> list[Any]:
    cells = [it.cell(line.values[it.field]) for it in columns]
    if line.more_cells < 0:
        return cells[: line.more_cells]
    return cells + ["?"] * line.more_cells


def total(lines: Iterable[FileLine], field: str) -> Decimal:
    """Return the sum of *field* over every line, right or wrong; each must hold a number."""
    return sum((line.values[field] for line in lines), Decimal(0))


def csv_bytes(rows: Iterable[Row], *, separator: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(encoding)


def json_lines_bytes(columns: Sequence[LayoutColumn], lines: Iterable[FileLine]) -> bytes:
    """Return one JSON object per line; a line with missing cells is cut off in the middle."""
    text = []
    for line in lines:
        cells = {it.header: it.cell(line.values[it.field]) for it in columns}
        whole = json.dumps({name: None if cell == "" else cell for name, cell in cells.items()})
        text.append(whole if line.more_cells == 0 else whole[: len(whole) // 2])
    return ("\n".join(text) + "\n").encode()


def excel_bytes(rows: Iterable[Row], *, sheet: str, merged: Sequence[str] = ()) -> bytes:
    """Return a workbook of one sheet, with the ranges *merged* (as A1:K1) merged."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None  # a new workbook has a sheet
    page.title = sheet
    for row in rows:
        page.append([None if cell == "" else cell for cell in row])
    for cells in merged:
        page.merge_cells(cells)
    written = io.BytesIO()
    book.save(written)
    return _without_clock(written.getvalue())


def _without_clock(workbook: bytes) -> bytes:
    """Return the workbook with a fixed modification time, so that the same rows give the same bytes."""
    result = io.BytesIO()
    with ZipFile(io.BytesIO(workbook)) as source, ZipFile(result, "w", ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "docProps/core.xml":
                stamp = datetime(*_EPOCH).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content)
            target.writestr(ZipInfo(name, _EPOCH), content, ZIP_DEFLATED)
    return result.getvalue()
