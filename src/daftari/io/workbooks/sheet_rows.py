"""Some consecutive rows of a sheet, and how a reader collects them. Rows and columns without a cell take no memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from daftari.io.workbooks.cell_texts import CellStyles, Texts, texts_of
from daftari.io.workbooks.xml_stream import damaged
from daftari.rows.intake.block import CELL_NOTES, CellNoteKind

#: A block ends at this many rows, or cells; blocks of hostile sheets are small.
BLOCK_ROWS = 25_000
BLOCK_CELLS = 200_000
#: Of text in a block, and in one row: many cells may share one long text.
BLOCK_BYTES, MOST_ROW_BYTES = 2**24, 2**26
#: Of every spreadsheet program that we know.
MOST_ROWS, MOST_COLUMNS = 2**20, 2**14
#: Columns with a cell: more than twice those of any table.
_MOST_FILLED_COLUMNS = 2**12
#: More merged areas than people make.
MOST_AREAS = 2**17


@dataclass(frozen=True, kw_only=True)
class Area:
    """A merged area; both ends are part of it. Rows count from 1, as people see them; columns from 0."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int

    @property
    def anchor(self) -> str:
        return cell_address(self.first_column, self.first_row)

    def __str__(self) -> str:
        return f"{self.anchor}:{cell_address(self.last_column, self.last_row)}"


@dataclass(frozen=True, kw_only=True)
class SheetRows:
    lines: pl.Series  #: Int64, the row of each; only rows with a cell
    columns: Mapping[int, pl.Series]  #: text of each column with a cell, by its place from 0
    typed: Mapping[int, pl.Series]  #: Boolean, of the columns with a cell that is not text
    notes: pl.DataFrame  #: as CELL_NOTES; `column` is the place
    hidden: int = 0  #: rows that are hidden
    stale: int = 0  #: formulas, if the workbook asks to be calculated when it is opened
    adds: frozenset[tuple[int, str]] = frozenset()  #: columns, and formats that show a text beside a number
    merged: tuple[Area, ...] = ()
    hidden_columns: frozenset[int] = frozenset()

    @property
    def text_bytes(self) -> int:
        """The bytes of its texts. Cells that share a text take little memory until something is done with them."""
        return sum(int(texts.str.len_bytes().sum() or 0) for texts in self.columns.values())

    def parts(self, most_bytes: int) -> Iterator[SheetRows]:
        """Yield the rows in parts of at most *most_bytes* of text, or of one row."""
        height = len(self.lines)
        if height < 2 or self.text_bytes <= most_bytes:
            yield self
            return
        yield from self._some(0, height // 2).parts(most_bytes)
        rest = self._some(height // 2, height - height // 2)
        nothing = replace(rest, hidden=0, stale=0, adds=frozenset(), merged=(), hidden_columns=frozenset())
        yield from nothing.parts(most_bytes)

    def _some(self, first: int, height: int) -> SheetRows:
        lines = self.lines.slice(first, height)
        return replace(
            self,
            lines=lines,
            columns={place: texts.slice(first, height) for place, texts in self.columns.items()},
            typed={place: marks.slice(first, height) for place, marks in self.typed.items()},
            notes=self.notes.filter(pl.col("line").is_in(lines.implode())),
        )


def cell_address(column: int, row: int | None = None) -> str:
    """Return the name of a cell, or of a column: `E2`, `E`."""
    letters, rest = "", column + 1
    while rest:
        rest, place = divmod(rest - 1, 26)
        letters = chr(ord("A") + place) + letters
    return f"{letters}{row or ''}"


@dataclass
class _Column:
    rows: list[int] = field(default_factory=list)  #: the place of the row in the block
    raw: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)


class RowCollector:
    """Collects cells, row by row, until there are enough for a block."""

    def __init__(self, name: str, styles: CellStyles, *, most_rows: int = BLOCK_ROWS) -> None:
        self._name = name  #: of the workbook
        self._styles = styles
        self._most_rows = most_rows
        self._lines: list[int] = []
        self._columns: dict[int, _Column] = {}
        self._hidden = 0
        self.stale = 0

    @property
    def is_full(self) -> bool:
        rows = len(self._lines)
        return rows >= self._most_rows or rows * len(self._columns) >= BLOCK_CELLS

    def add(self, line: int, column: int, raw: str, code: int) -> None:
        """
        Add a cell; of one row after another, and of each column once.

        Raises:
            SourceError: there are too many columns.
        """
        if not self._lines or self._lines[-1] != line:
            self._lines.append(line)
        found = self._columns.get(column)
        if found is None:
            found = self._columns[column] = _Column()
            if len(self._columns) > _MOST_FILLED_COLUMNS:
                raise damaged(self._name, f"it has cells in more than {_MOST_FILLED_COLUMNS:,} columns")
        found.rows.append(len(self._lines) - 1)
        found.raw.append(raw)
        found.codes.append(code)

    def hide(self) -> None:
        """Count a row with cells as hidden."""
        self._hidden += 1

    def take(self, merged: tuple[Area, ...] = (), hidden_columns: frozenset[int] = frozenset()) -> SheetRows:
        """Return the rows so far, and begin the next block."""
        lines = pl.Series("line", self._lines, dtype=pl.Int64)
        columns, typed, notes, adds = {}, {}, [pl.DataFrame(schema=CELL_NOTES)], set()
        for place, cells in sorted(self._columns.items()):
            texts = texts_of(cells.raw, cells.codes, self._styles)
            columns[place] = _spread(texts.text, cells.rows, len(lines))
            if texts.is_typed.any():
                typed[place] = _spread(texts.is_typed, cells.rows, len(lines)).fill_null(False)
            notes += _notes(texts, lines.gather(cells.rows), place)
            adds |= {(place, text) for one in set(cells.codes) if (text := self._styles.of(one).adds)}
        rows = SheetRows(
            lines=lines,
            columns=columns,
            typed=typed,
            notes=pl.concat(notes),
            hidden=self._hidden,
            stale=self.stale,
            adds=frozenset(adds),
            merged=merged,
            hidden_columns=hidden_columns,
        )
        self._lines, self._columns, self._hidden, self.stale = [], {}, 0, 0
        return rows


def _spread(values: pl.Series, rows: list[int], height: int) -> pl.Series:
    if len(values) == height:
        return values
    places = pl.Series([None], dtype=pl.UInt32).new_from_index(0, height)
    return values.gather(places.scatter(rows, pl.int_range(len(values), dtype=pl.UInt32, eager=True)))


def _notes(texts: Texts, lines: pl.Series, place: int) -> list[pl.DataFrame]:
    letters = cell_address(place)
    found = []
    for kind, reasons in (
        (CellNoteKind.FAULT, texts.fault),
        (CellNoteKind.LOSS, texts.loss),
        (CellNoteKind.TRUTH, texts.truth),
    ):
        if reasons is None:
            continue
        where = pl.concat_str(pl.lit(f"is not read: {letters}"), "line", pl.lit(" "), "reason")
        said = pl.DataFrame({"line": lines, "reason": reasons}).drop_nulls().with_columns(reason=where)
        found.append(said.select("line", column=pl.lit(str(place)), kind=pl.lit(kind.value), reason="reason"))
    return found
