"""The rows of a sheet of an .ods workbook, read in one pass (OpenDocument 1.3, part 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from daftari.io.workbooks.cell_texts import ERROR, ERRORS, NO_VALUE, TEXT, TRUTH, TYPED, CellStyles
from daftari.io.workbooks.ooxml import cell_text
from daftari.io.workbooks.sheet_rows import (
    BLOCK_ROWS,
    MOST_AREAS,
    MOST_COLUMNS,
    MOST_ROWS,
    Area,
    RowCollector,
    SheetRows,
)
from daftari.io.workbooks.xml_stream import (
    MOST_NAME_CHARACTERS,
    Attributes,
    Handler,
    Package,
    damaged,
    parse_part,
)
from daftari.rows.formats.numbers import CURRENCIES

_CONTENT = "content.xml"
#: Cells, and characters, that a file may have by repeating others; beyond this, a small file would fill the disk.
_MOST_REPEATED, _MOST_REPEATED_CHARACTERS = 2**22, 2**26
_TIME = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?")
_NUMBER = 0  #: the code of a number, which has the only style


def ods_sheets(package: Package) -> tuple[tuple[str, bool], ...]:
    """Return the name of each sheet, and whether it is hidden."""
    found = _Tables(package.name)
    for _ in parse_part(package, _CONTENT, found):
        pass
    return tuple((name, style in found.hidden) for name, style in found.tables)


def ods_rows(package: Package, place: int, *, most_rows: int = BLOCK_ROWS) -> Iterator[SheetRows]:
    """
    Yield the rows with a cell of the sheet at *place*, in blocks of at most *most_rows*.

    Raises:
        SourceError: it is damaged.
    """
    reading = _Sheet(package.name, place, most_rows)
    for _ in parse_part(package, _CONTENT, reading):
        yield from reading.ready
        reading.ready.clear()
        if reading.is_past:
            break
    yield reading.rest()


def ods_samples(package: Package, most_rows: int) -> tuple[SheetRows, ...]:
    """
    Return the first rows with a cell of each sheet, at most *most_rows*, in one pass.

    Raises:
        SourceError: it is damaged.
    """
    reading = _Samples(package.name, most_rows)
    for _ in parse_part(package, _CONTENT, reading):
        pass
    return tuple(reading.found)


class _Tables(Handler):
    def __init__(self, name: str) -> None:
        self._name = name
        self.tables: list[tuple[str, str]] = []
        self.hidden: set[str] = set()
        self._style = ""
        self._depth = 0

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table":
            self._depth += 1
            if self._depth == 1:
                title = attributes.get("table:name", "")
                if len(title) > MOST_NAME_CHARACTERS:
                    raise damaged(
                        self._name, f"a sheet's name of more than {MOST_NAME_CHARACTERS} characters"
                    )
                self.tables.append((title, attributes.get("table:style-name", "")))
        elif name == "style":
            self._style = attributes.get("style:name", "")
        elif name == "table-properties" and attributes.get("table:display") == "false":
            self.hidden.add(self._style)

    def end(self, name: str) -> None:
        if name == "table":
            self._depth -= 1


class _Cell:
    """A cell at hand."""

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.times = _count(attributes, "table:number-columns-repeated")
        self.parts: list[str] = []
        self.paragraphs = 0


class _Sheet(Handler):
    def __init__(self, name: str, place: int, most_rows: int) -> None:
        self.ready: list[SheetRows] = []
        self.is_past = False
        self._name = name
        self._place = place
        self._collector = RowCollector(name, CellStyles(), most_rows=most_rows)
        self._merged: list[Area] = []
        self._table, self._depth = -1, 0
        self._row, self._rows = 0, 1  #: the last row, and how often the one at hand is repeated
        self._column = 0
        self._cells: list[tuple[int, int, str, int]] = []  #: of the row: place, times, text, code
        self._cell: _Cell | None = None
        self._notes = 0  #: depth of comments, whose text is not the cell's
        self._repeated = self._repeated_characters = 0

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table":
            self._depth += 1
            self._table += self._depth == 1
        elif self._table == self._place and self._depth == 1:
            self._start(name, attributes)

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "table-row":
            self._rows, self._column, self._cells = _count(attributes, "table:number-rows-repeated"), 0, []
            self._is_hidden = attributes.get("table:visibility", "visible") != "visible"
        elif name in ("table-cell", "covered-table-cell"):
            self._cell = _Cell(attributes)
        elif name == "annotation":
            self._notes += 1
        elif self._cell is not None and not self._notes:
            self._start_text(self._cell, name, attributes)

    def _start_text(self, cell: _Cell, name: str, attributes: Attributes) -> None:
        if name == "p":
            if cell.paragraphs:
                cell.parts.append("\n")
            cell.paragraphs += 1
        elif name == "s":
            cell.parts.append(" " * min(_count(attributes, "text:c"), 1000))
        elif name == "tab":
            cell.parts.append("\t")
        elif name == "line-break":
            cell.parts.append("\n")

    def text(self, content: str) -> None:
        if self._cell is not None and self._cell.paragraphs and not self._notes:
            self._cell.parts.append(content)

    def end(self, name: str) -> None:
        if name == "table":
            self._depth -= 1
            self.is_past = self._table > self._place or (self._table == self._place and not self._depth)
        elif self._table == self._place and self._depth == 1:
            self._end(name)

    def _end(self, name: str) -> None:
        if name == "annotation":
            self._notes -= 1
        elif name in ("table-cell", "covered-table-cell") and self._cell is not None:
            self._end_cell(self._cell)
            self._cell = None
        elif name == "table-row":
            self._end_row()

    def _end_cell(self, cell: _Cell) -> None:
        text, code = self._value(cell)
        if text or code == NO_VALUE:
            self._cells.append((self._column, cell.times, text, code))
        wide = _count(cell.attributes, "table:number-columns-spanned")
        high = _count(cell.attributes, "table:number-rows-spanned")
        if wide > 1 or high > 1:
            first = self._row + 1
            self._merged.append(
                Area(
                    first_row=first,
                    last_row=first + high - 1,
                    first_column=self._column,
                    last_column=self._column + wide - 1,
                )
            )
            if len(self._merged) > MOST_AREAS:
                raise damaged(self._name, f"more than {MOST_AREAS:,} merged areas")
        self._column += cell.times

    def _value(self, cell: _Cell) -> tuple[str, int]:
        shown = cell_text(cell.parts, self._name) if cell.parts else ""
        given = cell.attributes
        kind = given.get("office:value-type", "")
        is_formula = "table:formula" in given
        if given.get("calcext:value-type") == "error" or (is_formula and shown in ERRORS):
            return shown, ERROR
        match kind:
            case "float" | "percentage" | "currency":
                return _number(given, shown)
            case "date":
                return given.get("office:date-value", shown), TYPED
            case "time":
                return _hours(given.get("office:time-value", ""), shown), TYPED
            case "boolean":
                return given.get("office:boolean-value", shown), TRUTH
            case "string":
                return given.get("office:string-value", "") or shown, TEXT
        return (shown, NO_VALUE) if is_formula and not shown else (shown, TEXT)

    def _end_row(self) -> None:
        cells = sum(times for _, times, _, _ in self._cells)
        if cells:
            self._count_copies(cells)
            for row in range(self._row + 1, self._row + self._rows + 1):
                self._add_row(row)
        self._row += self._rows
        if self._row > MOST_ROWS and cells:
            raise damaged(self._name, f"more than {MOST_ROWS:,} rows")

    def _count_copies(self, cells: int) -> None:
        self._repeated += cells * self._rows - len(self._cells)
        if self._repeated > _MOST_REPEATED:
            raise damaged(self._name, f"more than {_MOST_REPEATED:,} cells are copies of others")
        for _, times, text, _ in self._cells:
            self._repeated_characters += len(text) * (times * self._rows - 1)
        if self._repeated_characters > _MOST_REPEATED_CHARACTERS:
            raise damaged(self._name, "its copies of cells hold more text than people write")

    def _add_row(self, row: int) -> None:
        for column, times, text, code in self._cells:
            if column + times > MOST_COLUMNS:
                raise damaged(self._name, f"more than {MOST_COLUMNS:,} columns")
            for at in range(column, column + times):
                self._collector.add(row, at, text, code)
        if self._is_hidden:
            self._collector.hide()
        if self._collector.is_full:
            self.ready.append(self._collector.take())

    def rest(self) -> SheetRows:
        return self._collector.take(tuple(self._merged))


class _Samples(Handler):
    """Takes the elements of each sheet until it has enough rows."""

    def __init__(self, name: str, most_rows: int) -> None:
        self.found: list[SheetRows] = []
        self._name = name
        self._most_rows = most_rows
        self._sheet: _Sheet | None = None
        self._depth = 0

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table":
            self._depth += 1
            if self._depth == 1:
                self._sheet = _Sheet(self._name, 0, self._most_rows)
        if self._sheet is not None and not self._sheet.ready:
            self._sheet.start(name, attributes)

    def text(self, content: str) -> None:
        if self._sheet is not None and not self._sheet.ready:
            self._sheet.text(content)

    def end(self, name: str) -> None:
        sheet = self._sheet
        if sheet is not None and not sheet.ready:
            sheet.end(name)
        if name == "table":
            self._depth -= 1
            if not self._depth and sheet is not None:
                self.found.append(sheet.ready[0] if sheet.ready else sheet.rest())
                self._sheet = None


def _count(attributes: Attributes, name: str) -> int:
    text = attributes.get(name, "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 10 else 1


def _number(given: Attributes, shown: str) -> tuple[str, int]:
    """Return a number as its cell shows it where that has leading zeros, or with the currency of its format."""
    value = given.get("office:value", "")
    if shown[:1] == "0" and shown.isdecimal() and shown.lstrip("0") == value:
        return shown, TYPED
    code = given.get("office:currency", "").upper()
    return (f"{code} {_unlike_thousands(value)}", TEXT) if code in CURRENCIES else (value, _NUMBER)


def _unlike_thousands(value: str) -> str:
    return f"{value}0" if re.search(r"\.\d{3}$", value) else value


def _hours(value: str, shown: str) -> str:
    """Write a duration such as PT26H15M00S as 26:15:00."""
    found = _TIME.fullmatch(value)
    if not found:
        return shown
    hours, minutes, seconds = (int(one or 0) for one in found.groups()[:3])
    minutes += seconds // 60
    fraction = f".{found[4]}".rstrip(".0") if found[4] else ""
    return f"{hours + minutes // 60:02}:{minutes % 60:02}:{seconds % 60:02}{fraction}"
