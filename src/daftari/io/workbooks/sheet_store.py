"""A sheet's rows on disk: read from the workbook once, and from there as often as needed, block by block."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from daftari.io.workbooks.sheet_rows import Area, SheetRows

_LINE = "line"


@dataclass(frozen=True, kw_only=True)
class _Place:
    rows: SheetRows  #: without its lines, columns and notes
    at: int
    sizes: tuple[int, int, int]  #: bytes of cells, marks and notes


class SheetStore:
    """A temporary file without a name; it is gone when the store is."""

    def __init__(self, blocks: Iterable[SheetRows]) -> None:
        """
        Store *blocks*.

        Raises:
            SourceError: as the reader of the sheet.
        """
        self._file = tempfile.TemporaryFile(prefix="daftari-")  # noqa: SIM115 - lives as long as the store
        self._places = [self._stored(block) for block in blocks]
        self.merged: tuple[Area, ...] = tuple(area for one in self._places for area in one.rows.merged)
        self.hidden_columns = frozenset().union(*(one.rows.hidden_columns for one in self._places))

    def blocks(self) -> Iterator[SheetRows]:
        for place in self._places:
            self._file.seek(place.at)
            cells, marks, notes = (pl.read_ipc(io.BytesIO(self._file.read(size))) for size in place.sizes)
            yield replace(
                place.rows,
                lines=cells[_LINE],
                columns={int(name): cells[name] for name in cells.columns[1:]},
                typed={int(name): marks[name] for name in marks.columns},
                notes=notes,
            )

    def _stored(self, rows: SheetRows) -> _Place:
        at = self._file.seek(0, io.SEEK_END)
        cells = pl.DataFrame([rows.lines.alias(_LINE), *_named(rows.columns)])
        sizes = tuple(self._write(one) for one in (cells, pl.DataFrame(_named(rows.typed)), rows.notes))
        nothing = pl.Series([], dtype=pl.Int64)
        return _Place(
            rows=replace(rows, lines=nothing, columns={}, typed={}, notes=rows.notes.clear()),
            at=at,
            sizes=(sizes[0], sizes[1], sizes[2]),
        )

    def _write(self, frame: pl.DataFrame) -> int:
        buffer = io.BytesIO()
        frame.write_ipc(buffer, compression="lz4")
        self._file.write(buffer.getbuffer())
        return buffer.tell()


def _named(columns: Mapping[int, pl.Series]) -> list[pl.Series]:
    return [series.alias(str(place)) for place, series in columns.items()]
