"""
Encode rows in PostgreSQL's binary COPY format, a block at a time.

The server reads the binary format in two thirds of the time of CSV (benchmarks/README.md), and pgpq writes it in
a tenth of that. pgpq cannot write numbers without a declared scale, which keep their own decimals: we do.
Format: PostgreSQL's documentation of COPY, "Binary Format".

pgpq and pyarrow are imported with the first rows: a process that only forwards encoded rows does not need them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from daftari.rows.formats.parse import UNDECLARED_SCALE

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[tuple[int, ...], np.dtype[Any]]

HEADER = b"PGCOPY\n\xff\r\n\x00" + (0).to_bytes(4, "big") + (0).to_bytes(4, "big")
TRAILER = (-1).to_bytes(2, "big", signed=True)


def encode_copy(frame: pl.DataFrame, *, jsonb: Sequence[str] = (), uuid: Sequence[str] = ()) -> bytes:
    """
    Return the rows of *frame* as the body of a binary COPY, without header and trailer.

    Column types: String, Boolean, Int16/32/64, Float64, Decimal, Date, Time, Datetime[us, UTC], Binary.
    Columns named in *jsonb* hold JSON text, those in *uuid* UUIDs as text. Enum labels and varchar are sent
    as strings.

    Raises:
        TypeError: a column has another type.
    """
    if frame.is_empty():
        return b""
    import pyarrow as pa
    from pgpq import ArrowToPostgresBinaryEncoder
    from pgpq.encoders import StringViewEncoderBuilder
    from pgpq.schema import Jsonb

    columns = [_column(column, is_uuid=column.name in uuid) for column in frame.iter_columns()]
    table = pa.Table.from_arrays(columns, names=frame.columns)
    encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(
        table.schema,
        {
            field.name: StringViewEncoderBuilder.new_with_output(field, Jsonb())
            if field.name in jsonb
            else ArrowToPostgresBinaryEncoder.infer_encoder(field)
            for field in table.schema
        },
    )
    encoder.write_header()
    pieces = [encoder.write_batch(batch) for batch in table.to_batches()]
    last = memoryview(encoder.finish())[: -len(TRAILER)]
    return b"".join([*pieces, last])


def _column(column: pl.Series, *, is_uuid: bool) -> pa.Array:
    import pyarrow as pa

    if is_uuid:
        column = column.str.replace_all("-", "").str.decode("hex")
    dtype = column.dtype
    if isinstance(dtype, pl.Decimal) and dtype.scale == UNDECLARED_SCALE:
        return _bare_numeric(column)
    if dtype == pl.Time:
        return column.to_arrow().cast(pa.time64("us"))
    if dtype not in _SENT:
        raise TypeError(f"{column.name}: no binary form for {dtype}")
    # as strings in memory; pgpq does not support this form of bytes
    return column.to_arrow() if dtype == pl.Binary else column.to_arrow(compat_level=pl.CompatLevel.newest())


_SENT = (
    pl.String,
    pl.Binary,
    pl.Boolean,
    pl.Int16,
    pl.Int32,
    pl.Int64,
    pl.Float64,
    pl.Decimal,
    pl.Date,
    pl.Datetime("us", "UTC"),
)

#: Base-10000 digits of a number of 38 decimal ones, before and after its point.
_WHOLE_DIGITS, _FRACTION_DIGITS = 10, -(-UNDECLARED_SCALE // 4)


def _bare_numeric(column: pl.Series) -> pa.Array:
    """
    Encode numeric: number of base-10000 digits, weight of the first, sign, decimals shown, digits.

    Every value gets the same number of digits; the server drops leading and trailing zeros.
    """
    import pyarrow as pa

    digits = _digits(column.fill_null(0))
    count = digits.shape[1]
    row = np.zeros((len(column), 8 + 2 * count), dtype=np.uint8)
    row[:, :4] = np.array([count, _WHOLE_DIGITS - 1], dtype=">i2").view(np.uint8)
    row[:, 4] = np.where((column < 0).fill_null(False), 0x40, 0)
    row[:, 6:8] = _decimals(digits[:, _WHOLE_DIGITS:]).astype(">i2").view(np.uint8)
    row[:, 8:] = digits.astype(">i2").view(np.uint8)
    there = np.packbits(column.is_not_null().to_numpy(), bitorder="little")
    return pa.Array.from_buffers(
        pa.binary(row.shape[1]), len(column), [pa.py_buffer(there), pa.py_buffer(np.ascontiguousarray(row))]
    )


def _digits(column: pl.Series) -> Array:
    """Return the base-10000 digits of each value, as rows x digits. Goes through text: such numbers are rare."""
    text = column.cast(pl.String).str.strip_chars_start("-").str.split(".")
    whole = text.list.get(0).str.zfill(4 * _WHOLE_DIGITS)
    fraction = text.list.get(1, null_on_oob=True).fill_null("").str.pad_end(4 * _FRACTION_DIGITS, "0")
    joined = whole + fraction
    width = 4 * (_WHOLE_DIGITS + _FRACTION_DIGITS)
    return np.stack([joined.str.slice(at, 4).cast(pl.Int64).to_numpy() for at in range(0, width, 4)], axis=1)


def _decimals(groups: Array) -> Array:
    """Return how many decimals each value needs: without a scale, 12.5 shows one."""
    needed = np.zeros((len(groups), 1), dtype=np.int64)
    for at, digit in enumerate(groups.T):
        own = np.select([digit == 0, digit % 10 > 0, digit % 100 > 0, digit % 1000 > 0], [0, 4, 3, 2], 1)
        needed[digit > 0, 0] = 4 * at + own[digit > 0]
    return needed
