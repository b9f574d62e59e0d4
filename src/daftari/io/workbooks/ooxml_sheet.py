"""The rows of a sheet of an .xlsx or .xlsm workbook, read in one pass (ECMA-376, 18.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from daftari.io.workbooks.cell_texts import ERROR, NO_VALUE, SHARED, TEXT, TRUTH, TYPED
from daftari.io.workbooks.ooxml import OoxmlBook, SheetPart, cell_text, is_true
from daftari.io.workbooks.sheet_rows import (
    BLOCK_ROWS,
    MOST_AREAS,
    MOST_COLUMNS,
    MOST_ROWS,
    Area,
    RowCollector,
    SheetRows,
)
from daftari.io.workbooks.xml_stream import Attributes, Handler, damaged, parse_part

_CODES = {"s": SHARED, "str": TEXT, "inlineStr": TEXT, "b": TRUTH, "e": ERROR, "d": TYPED}
_CELL = re.compile(r"\$?([A-Z]{1,3})\$?([1-9]\d{0,6})")


def ooxml_rows(book: OoxmlBook, sheet: SheetPart, *, most_rows: int = BLOCK_ROWS) -> Iterator[SheetRows]:
    """
    Yield the rows of *sheet* with a cell, in blocks of at most *most_rows*.

    Raises:
        SourceError: it is damaged.
    """
    reading = _Sheet(book, most_rows)
    for _ in parse_part(book.package, sheet.part, reading):
        yield from reading.ready
        reading.ready.clear()
    yield reading.rest()


class _Sheet(Handler):
    """Takes the elements of a sheet. The order of rows and cells is that of the file."""

    def __init__(self, book: OoxmlBook, most_rows: int) -> None:
        self.ready: list[SheetRows] = []
        self._book = book
        self._name = book.package.name
        self._collector = RowCollector(self._name, book.styles, most_rows=most_rows)
        self._places: dict[str, int] = {}  #: of columns, by their letters
        self._merged: list[Area] = []
        self._hidden_columns: set[int] = set()
        self._row = 0
        self._column = -1
        self._row_has_cells = self._row_is_hidden = False
        # the cell at hand
        self._kind: str | None = None
        self._style = 0
        self._parts: list[str] = []
        self._takes = self._has_formula = self._has_value = self._is_spoken = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v" or name == "t":
            self._takes = not self._is_spoken
            self._has_value = True
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._begin_row(attributes)
        else:
            self._begin_other(name, attributes)

    def text(self, content: str) -> None:
        if self._takes:
            self._parts.append(content)

    def end(self, name: str) -> None:
        if name == "v" or name == "t":
            self._takes = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            if self._row_is_hidden and self._row_has_cells:
                self._collector.hide()
            if self._collector.is_full:
                self.ready.append(self._take())
        elif name == "rPh":
            self._is_spoken = False

    def rest(self) -> SheetRows:
        return self._take(tuple(self._merged), frozenset(self._hidden_columns))

    def _take(self, merged: tuple[Area, ...] = (), hidden_columns: frozenset[int] = frozenset()) -> SheetRows:
        try:
            return self._collector.take(merged, hidden_columns)
        except ValueError as error:
            raise damaged(self._name, f"a cell before row {self._row + 1} {error}") from None

    def _begin_row(self, attributes: Attributes) -> None:
        given = attributes.get("r")
        row = self._row + 1 if given is None else int(given) if given.isdecimal() else 0
        if not self._row < row <= MOST_ROWS:
            raise damaged(self._name, f"row {given} after row {self._row}")
        self._row, self._column = row, -1
        self._row_has_cells, self._row_is_hidden = False, is_true(attributes.get("hidden"))

    def _begin_cell(self, attributes: Attributes) -> None:
        reference = attributes.get("r")
        column = self._column + 1
        if reference is not None:
            letters = reference.rstrip("0123456789")
            found = self._places.get(letters)
            column = self._place(letters) if found is None else found
        if not self._column < column < MOST_COLUMNS:
            raise damaged(self._name, f"cell {column + 1} after cell {self._column + 1} of row {self._row}")
        self._column = column
        self._kind = attributes.get("t")
        style = attributes.get("s", "0")
        self._style = int(style) if style.isdecimal() else 0
        self._parts = []
        self._has_formula = self._has_value = False

    def _place(self, letters: str) -> int:
        if not re.fullmatch("[A-Z]{1,3}", letters):
            raise damaged(self._name, f"a cell of row {self._row} without an address")
        place = 0
        for letter in letters:
            place = 26 * place + ord(letter) - ord("A") + 1
        self._places[letters] = place - 1
        return place - 1

    def _end_cell(self) -> None:
        kind, has_text = self._kind, bool(self._parts)
        if has_text:
            text = cell_text(self._parts, self._name)
            if kind is None or kind == "n":
                self._add(text, self._style)
            else:
                self._add(text, _CODES.get(kind, TEXT))
            if self._has_formula and self._book.is_stale:
                self._collector.stale += 1
        elif self._has_formula and not (self._has_value and kind == "str"):
            self._add("", NO_VALUE)

    def _add(self, text: str, code: int) -> None:
        if text or code == NO_VALUE:
            self._row_has_cells = True
            self._collector.add(self._row, self._column, text, code)

    def _begin_other(self, name: str, attributes: Attributes) -> None:
        if name == "rPh":
            self._is_spoken = True
        elif name == "mergeCell":
            self._merged.append(self._area(attributes.get("ref", "")))
            if len(self._merged) > MOST_AREAS:
                raise damaged(self._name, f"more than {MOST_AREAS:,} merged areas")
        elif name == "col" and is_true(attributes.get("hidden")):
            first, last = attributes.get("min", "1"), attributes.get("max", "1")
            if first.isdecimal() and last.isdecimal():
                self._hidden_columns |= set(range(int(first) - 1, min(int(last), MOST_COLUMNS)))

    def _area(self, reference: str) -> Area:
        first, _, last = reference.partition(":")
        one, other = _CELL.fullmatch(first), _CELL.fullmatch(last or first)
        if not one or not other:
            raise damaged(self._name, "a merged area without an address")
        return Area(
            first_row=int(one[2]),
            last_row=int(other[2]),
            first_column=self._place(one[1]),
            last_column=self._place(other[1]),
        )
