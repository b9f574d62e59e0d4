"""The rows of JSON files: an array of objects, one object with such an array inside, or one object per line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import polars as pl

from daftari.errors import SourceError
from daftari.io.delimited.layout import Layout
from daftari.io.files.non_rows import sift
from daftari.rows.intake.block import Block, Malformed, shape_of
from daftari.rows.json_rows.limits import MOST_NAMES
from daftari.rows.json_rows.reader import JsonRow, begins_array, rows_of_array, rows_of_lines, rows_of_lists
from daftari.rows.json_rows.text import JsonError
from daftari.rows.json_rows.values import json_cells, number_marks

_BLOCK_OBJECTS, _BLOCK_CELLS, _BLOCK_BYTES = 50_000, 2_000_000, 16 * 2**20
_PIECE = 2**16
#: Where none of so many first values is an object with a key, the file holds no rows.
_LATEST_RECORD = 10_000


@dataclass(frozen=True, kw_only=True)
class JsonShape:
    """Where the rows of a JSON file are, and the keys of all of them in order of appearance."""

    is_lines: bool
    path: str | None  #: of the list of objects inside one object: `data.items`; None: the file is that list
    keys: tuple[str, ...]


def json_shape(path: Path, name: str, *, is_lines: bool, wanted: str | None = None) -> JsonShape:
    """
    Find the rows of a file. Reads all of it. *wanted* is the path that the mapping names.

    Raises:
        SourceError: it holds no list of objects, or several.
    """
    with _naming(name):
        if is_lines:
            return JsonShape(is_lines=True, path=None, keys=_keys(rows_of_lines(_Pieces(path)), name))
        if begins_array(_Pieces(path)):
            return JsonShape(is_lines=False, path=None, keys=_keys(rows_of_array(_Pieces(path)), name))
        return _inside_object(path, name, wanted)


def json_blocks(path: Path, layout: Layout, shape: JsonShape) -> Iterator[Block]:
    size = max(1, min(_BLOCK_OBJECTS, _BLOCK_CELLS // len(layout.names)))
    with _naming(layout.name):
        pieces = _Pieces(path)
        rows = _rows(pieces, shape)
        while batch := _batch(rows, size, pieces):
            yield _block(batch, layout)


def _batch(rows: Iterator[JsonRow], size: int, pieces: _Pieces) -> list[JsonRow]:
    """Take *size* rows at most, or as many as came with the bytes of a block."""
    batch: list[JsonRow] = []
    most = pieces.bytes_read + _BLOCK_BYTES
    for row in islice(rows, size):
        batch.append(row)
        if pieces.bytes_read >= most:
            break
    return batch


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Turn what is wrong with the JSON into what is wrong with the file *name*."""
    try:
        yield
    except JsonError as error:
        raise SourceError(
            f"{name}:{error.line}: {error} (column {error.column:,})",
            hint="Ask the sender for the file again.",
        ) from None


def _rows(pieces: _Pieces, shape: JsonShape) -> Iterator[JsonRow]:
    if shape.is_lines:
        return rows_of_lines(pieces, with_blank=True)
    if shape.path is None:
        return rows_of_array(pieces)
    return (row for place, row in rows_of_lists(pieces) if place == shape.path and row is not None)


class _Pieces:
    """The bytes of a file, piece by piece."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.bytes_read = 0

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while piece := file.read(_PIECE):
                self.bytes_read += len(piece)
                yield piece


def _keys(rows: Iterator[JsonRow], name: str) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    unread = None
    for number, row in enumerate(rows):
        _add(keys, row, name)
        unread = unread or (row if row.values is None else None)
        if number > _LATEST_RECORD and not keys:
            break
    if unread is not None and not keys:
        raise SourceError(
            f"{name}: holds no object with a key; line {unread.line} {unread.reason}",
            hint='Send an array of objects, or one object in each line: {"name": "value"}.',
        )
    return tuple(keys)


def _add(keys: dict[str, None], row: JsonRow, name: str) -> None:
    if row.values is not None and not row.values.keys() <= keys.keys():
        keys.update(dict.fromkeys(row.values))
        if len(keys) > MOST_NAMES:
            raise SourceError(
                f"{name}: its objects have more than {MOST_NAMES:,} different keys; expected a table",
                hint="Send a list of objects with the same keys.",
            )


def _inside_object(path: Path, name: str, wanted: str | None) -> JsonShape:
    found: dict[str, dict[str, None]] = {}
    sizes: Counter[str] = Counter()
    for place, row in rows_of_lists(_Pieces(path)):
        keys = found.setdefault(place, {})
        if row is not None:
            sizes[place] += 1
            _add(keys, row, name)
    lists = [place for place in found if sizes[place]]
    if wanted is not None:
        lists = [place for place in lists if place == wanted]
    if len(lists) != 1:
        raise _unclear(name, found, sizes, wanted)
    return JsonShape(is_lines=False, path=lists[0], keys=tuple(found[lists[0]]))


def _unclear(
    name: str, found: dict[str, dict[str, None]], sizes: Counter[str], wanted: str | None
) -> SourceError:
    """Return why it is not certain which list holds the rows."""
    listed = [f"{place} ({sizes[place]:,} objects)" if sizes[place] else f"{place} (none)" for place in found]
    what = ", ".join(listed[:12]) or "no list"
    if wanted is not None:
        return SourceError(
            f"{name}: its mapping names rows: {wanted}; it holds {what}", hint="Correct the mapping."
        )
    hint = "Send the list of objects alone, or JSON Lines."
    if len(sizes) > 1:
        hint = f"Name one in the mapping, e.g. `rows: {next(iter(sizes))}`, or send that list alone."
    return SourceError(
        f"{name}: is one JSON object; expected one list of objects in it, found {what}", hint=hint
    )


def _block(batch: list[JsonRow], layout: Layout) -> Block:
    rows = [row for row in batch if row.values is not None]
    columns: list[pl.Series] = []
    faults: dict[str, pl.Series] = {}
    typed: dict[str, pl.Series] = {}
    for name, key in zip(layout.names, layout.header, strict=True):
        values = [row.values.get(key) for row in rows if row.values is not None]
        cells, numbers = json_cells(values), number_marks(values)
        columns.append(pl.Series(name, cells.texts, dtype=pl.String))
        if numbers is not None:
            typed[name] = pl.Series(numbers, dtype=pl.Boolean)
        if cells.reasons is not None:
            faults[name] = pl.Series(cells.reasons, dtype=pl.String)
    malformed = tuple(
        Malformed(line=row.line, reason=row.reason, preview=shape_of(row.text))
        for row in batch
        if row.values is None
    )
    lines = pl.Series("line", [row.line for row in rows], dtype=pl.Int64)
    block = sift(pl.DataFrame(columns), lines, malformed, layout)
    absent = _absent(rows, layout)
    if len(block.lines) == len(lines):
        return replace(block, faults=faults, typed=typed, absent=absent)
    kept = lines.is_in(block.lines.implode())
    return replace(
        block,
        faults={name: reasons.filter(kept) for name, reasons in faults.items()},
        typed={name: marks.filter(kept) for name, marks in typed.items()},
        absent=None if absent is None else absent.filter(kept),
    )


def _absent(rows: list[JsonRow], layout: Layout) -> pl.DataFrame | None:
    """Return for each column that a row lacks which rows do; None if every row has every column."""
    records = [row.values for row in rows if row.values is not None]
    if all(len(record) == len(layout.header) for record in records):
        return None
    lacks = {
        name: pl.Series([key not in record for record in records], dtype=pl.Boolean)
        for name, key in zip(layout.names, layout.header, strict=True)
    }
    return pl.DataFrame({name: column for name, column in lacks.items() if column.any()})
