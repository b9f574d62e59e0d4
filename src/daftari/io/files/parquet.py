"""The rows of a Parquet file, each cell as canonical text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from daftari.errors import SourceError
from daftari.io.delimited.layout import Layout
from daftari.io.files.non_rows import sift
from daftari.io.files.table import BLOCK_ROWS, named_layout
from daftari.rows.intake.block import Block


def parquet_layout(path: Path, name: str) -> Layout:
    """
    Return the columns of a Parquet file.

    Raises:
        SourceError: it is damaged.
    """
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(
            f"{name}: is damaged ({str(error).splitlines()[0]})", hint="Ask the sender for the file again."
        ) from None
    return named_layout(name, tuple(names))


def parquet_blocks(path: Path, layout: Layout) -> Iterator[Block]:
    """
    Yield the rows, a batch at a time.

    Raises:
        SourceError: a page of the file is damaged.
    """
    row = 1
    with pq.ParquetFile(path) as file:
        batches = file.iter_batches(batch_size=BLOCK_ROWS)
        while (batch := _next(batches, layout, row)) is not None:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            text = pl.DataFrame([as_text(column) for column in frame.get_columns()])
            text.columns = list(layout.names)
            lines = pl.Series("line", range(row, row + text.height), dtype=pl.Int64)
            yield _marked(sift(text, lines, (), layout), frame)
            row += text.height


def _next(batches: Iterator[pa.RecordBatch], layout: Layout, row: int) -> pa.RecordBatch | None:
    try:
        return next(batches, None)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(
            f"{layout.name}: is damaged after row {row - 1} ({str(error).splitlines()[0]})",
            hint="Ask the sender for the file again.",
        ) from None


def _marked(block: Block, frame: pl.DataFrame) -> Block:
    """Mark the numbers of *frame* as such."""
    marks = pl.Series([True]).new_from_index(0, len(block.lines))
    names = zip(block.cells.columns, frame.dtypes, strict=False)
    return replace(block, typed={name: marks for name, kind in names if kind.is_numeric()})


def as_text(column: pl.Series) -> pl.Series:
    """Write a typed column as the text that is read back to the same values."""
    kind = column.dtype
    if kind == pl.String:
        return column.replace("", None)
    if kind.is_float():
        return _floats_as_text(column)
    if isinstance(kind, pl.Datetime):
        zoned = column.dt.convert_time_zone("UTC") if kind.time_zone else column
        return zoned.dt.to_string("%Y-%m-%dT%H:%M:%S%.f" + ("Z" if kind.time_zone else ""))
    if kind == pl.Time:
        return column.dt.to_string("%H:%M:%S%.f")
    if kind == pl.Binary:
        return column.bin.encode("hex")
    if kind.is_nested():
        texts = [None if one is None else json.dumps(one, default=str) for one in column.to_list()]
        return pl.Series(column.name, texts, dtype=pl.String)
    return column.cast(pl.String)


def _floats_as_text(column: pl.Series) -> pl.Series:
    """Write each float as the shortest digits that give it back, never with an exponent."""
    text = column.cast(pl.Float64).cast(pl.String) if column.dtype == pl.Float64 else column.cast(pl.String)
    powers = text.str.contains("e", literal=True).fill_null(False)
    if not powers.any():
        return text
    plain = [
        f"{Decimal(one):f}" if has_power and one else one for one, has_power in zip(text, powers, strict=True)
    ]
    return pl.Series(column.name, plain, dtype=pl.String)
