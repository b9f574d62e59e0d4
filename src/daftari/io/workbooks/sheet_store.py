"""A sheet's rows on disk: read from the workbook once, and from there as often as needed, block by block."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import polars as pl

from daftari.errors import SourceError
from daftari.io.files.unpack import MOST_RATIO, RATIO_FROM_BYTES
from daftari.io.workbooks.sheet_rows import BLOCK_BYTES, MOST_ROW_BYTES, Area, SheetRows
from daftari.io.workbooks.xml_stream import damaged

_LINE = "line"


@dataclass(frozen=True, kw_only=True)
class _Place:
    rows: SheetRows  #: without its lines, columns and notes
    at: int
    sizes: tuple[int, int, int]  #: bytes of cells, marks and notes


@dataclass(frozen=True, kw_only=True)
class StoredRows:
    """Where the rows of a sheet are in a file."""

    places: tuple[_Place, ...]
    merged: tuple[Area, ...]
    hidden_columns: frozenset[int]


def store_rows(blocks: Iterable[SheetRows], file: IO[bytes], workbook: Path, name: str) -> StoredRows:
    """
    Store the *blocks* of a sheet of a *workbook*, called *name* in messages, in *file*, from its beginning.

    Raises:
        SourceError: as the reader of the sheet, or it holds too much text.
    """
    merged: list[Area] = []
    hidden_columns: set[int] = set()
    places = []
    most_bytes = RATIO_FROM_BYTES + MOST_RATIO * workbook.stat().st_size
    for block in _within_limits(blocks, name, most_bytes):
        merged += block.merged
        hidden_columns |= block.hidden_columns
        places.append(_stored(block, file, name))
    return StoredRows(places=tuple(places), merged=tuple(merged), hidden_columns=frozenset(hidden_columns))


def _within_limits(blocks: Iterable[SheetRows], name: str, most_bytes: int) -> Iterator[SheetRows]:
    """
    Yield *blocks* in parts with little text each.

    Raises:
        SourceError: a row holds more text than people write, or the sheet more than *most_bytes*.
    """
    total = 0
    for block in blocks:
        for part in block.parts(BLOCK_BYTES):
            size = part.text_bytes
            total += size
            if size > MOST_ROW_BYTES:
                raise damaged(
                    name, f"row {part.lines[0]} holds more than {MOST_ROW_BYTES // 2**20} MiB of text"
                )
            if total > most_bytes:
                raise SourceError(
                    f"{name}: its cells hold more than {MOST_RATIO} times its size of text; it looks like a bomb",
                    hint="Save the sheet as CSV if you trust it, and load that.",
                )
            yield part


class SheetStore:
    """The rows of a sheet in a file."""

    def __init__(self, file: IO[bytes], stored: StoredRows) -> None:
        self._file = file
        self._places = stored.places
        self.merged = stored.merged
        self.hidden_columns = stored.hidden_columns

    @classmethod
    def of(cls, blocks: Iterable[SheetRows], workbook: Path, name: str) -> SheetStore:
        """Store *blocks* in a temporary file, which is gone when the store is. Raises as `store_rows`."""
        file = tempfile.TemporaryFile(prefix="daftari-")  # noqa: SIM115 - lives as long as the store
        return cls(file, store_rows(blocks, file, workbook, name))

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


def _stored(rows: SheetRows, file: IO[bytes], name: str) -> _Place:
    cells = pl.DataFrame([rows.lines.alias(_LINE), *_named(rows.columns)])
    try:
        at = file.seek(0, io.SEEK_END)
        sizes = tuple(_written(one, file) for one in (cells, pl.DataFrame(_named(rows.typed)), rows.notes))
        file.flush()
    except OSError as error:
        raise SourceError(
            f"{name}: its rows cannot be kept in a temporary file while they are read"
            f" ({(error.strerror or str(error)).lower()})",
            hint="Free space in the folder for temporary files, or name another one in TMPDIR.",
        ) from None
    nothing = pl.Series([], dtype=pl.Int64)
    return _Place(
        rows=replace(
            rows,
            lines=nothing,
            columns={},
            typed={},
            notes=rows.notes.clear(),
            merged=(),
            hidden_columns=frozenset(),
        ),
        at=at,
        sizes=(sizes[0], sizes[1], sizes[2]),
    )


def _written(frame: pl.DataFrame, file: IO[bytes]) -> int:
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="lz4")
    file.write(buffer.getbuffer())
    return buffer.tell()


def _named(columns: Mapping[int, pl.Series]) -> list[pl.Series]:
    return [series.alias(str(place)) for place, series in columns.items()]
