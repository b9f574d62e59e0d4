"""Writes rows as Parquet while they arrive: memory holds one row group and the footer."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from daftari.rows.url_query import VisibleColumn

_NUMERIC = re.compile(r"numeric\((\d+)(?:,\s*(\d+))?\)")
_TYPES = {
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double precision": pa.float64(),
}
#: Rows of a group: readers skip whole groups, and need them large.
_ROWS = 20_000


def parquet_type(column: VisibleColumn) -> pa.DataType:
    """Return the type that holds a column exactly; text where there is none."""
    number = _NUMERIC.fullmatch(column.type)
    if number:
        return pa.decimal128(int(number[1]), int(number[2] or 0))
    return _TYPES.get(column.type, pa.string())


def comes_as_text(column: VisibleColumn) -> bool:
    """Whether the server returns it as text: enums, documents, and numbers without a declared scale."""
    return bool(parquet_type(column) == pa.string())


def parquet(columns: Sequence[VisibleColumn], found: Iterable[list[tuple[Any, ...]]]) -> Iterator[bytes]:
    """Yield a Parquet file of rows with *columns*, piece by piece."""
    schema = pa.schema([pa.field(it.name, parquet_type(it)) for it in columns])
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        waiting: list[tuple[Any, ...]] = []
        for rows in found:
            waiting += rows
            if len(waiting) >= _ROWS:
                writer.write_table(_table(waiting, schema))
                waiting.clear()
                yield sink.take()
        writer.write_table(_table(waiting, schema))
    yield sink.take()


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table([pa.array(it, kind) for it, kind in zip(cells, schema.types, strict=True)], schema=schema)


class _Sink(io.RawIOBase):
    """The writer's target: counts the bytes written, and keeps those not taken yet."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken
