"""
Rows as PostgreSQL's binary COPY format, a block at a time.

The server takes the binary format in two thirds of the time of CSV (benchmarks/README.md), and making it
costs the loader less than the server saves. Format: PostgreSQL's documentation of COPY, "Binary Format".
Pieces of fields are laid out with numpy and put together row by row by Arrow, never in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from daftari.rows.parse import UNDECLARED_SCALE

Array = np.ndarray[tuple[int, ...], np.dtype[Any]]

HEADER = b"PGCOPY\n\xff\r\n\x00" + (0).to_bytes(4, "big") + (0).to_bytes(4, "big")
TRAILER = (-1).to_bytes(2, "big", signed=True)


def _constant(content: bytes) -> pa.Scalar:
    """A scalar by way of an array: pa.scalar would import pandas, which takes a second."""
    offsets = np.array([0, len(content)], dtype=np.int64)
    return pa.Array.from_buffers(pa.large_binary(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(content)])[
        0
    ]


_NULL = _constant((-1).to_bytes(4, "big", signed=True))
_NOTHING = _constant(b"")
_JSONB_VERSION = _constant(b"\x01")
#: PostgreSQL counts days and microseconds from 2000-01-01.
_EPOCH_DAYS = 10_957
_EPOCH_MICROSECONDS = _EPOCH_DAYS * 86_400_000_000


def encode(frame: pl.DataFrame, *, jsonb: Sequence[str] = (), uuid: Sequence[str] = ()) -> bytes:
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
    count = np.full((frame.height, 1), frame.width, dtype=">i2").view(np.uint8)
    pieces = [_binary(count)]
    for column in frame.iter_columns():
        if column.name in jsonb:
            pieces.extend(_jsonb(column))
        elif column.name in uuid:
            pieces.extend(_field(column.str.replace_all("-", "").str.decode("hex")))
        else:
            pieces.extend(_field(column))
    joined = pc.binary_join_element_wise(*pieces, _NOTHING)
    return _content(joined)


def _field(column: pl.Series) -> list[pa.Array]:
    """The pieces of one field: its length, then its bytes; a null is a length of -1 and no bytes."""
    if column.dtype in (pl.String, pl.Binary):
        return _variable(column.to_arrow().cast(pa.large_binary()))
    encoded = _fixed(column)
    if column.null_count():
        return [pc.if_else(column.is_null().to_arrow(), _NULL, encoded)]
    return [encoded]


def _variable(content: pa.Array) -> list[pa.Array]:
    lengths = pl.Series(pc.binary_length(content)).fill_null(-1).to_numpy()
    prefix = lengths.astype(">i4").view(np.uint8).reshape(-1, 4)
    return [_binary(prefix), pc.fill_null(content, _NOTHING)]


def _jsonb(column: pl.Series) -> list[pa.Array]:
    """jsonb travels as a version byte, 1, and its text."""
    content = column.to_arrow().cast(pa.large_binary())
    versioned = pc.binary_join_element_wise(_JSONB_VERSION, content, _NOTHING)
    return _variable(versioned)


def _fixed(column: pl.Series) -> pa.Array:
    dtype = column.dtype
    if isinstance(dtype, pl.Decimal):
        return _numeric(column, dtype.scale)
    if isinstance(dtype, pl.Datetime):
        return _big_endian(column.dt.timestamp("us") - _EPOCH_MICROSECONDS, ">i8")
    layout = _LAYOUTS.get(type(dtype) if isinstance(dtype, pl.DataType) else dtype)
    if layout is None:
        raise TypeError(f"{column.name}: no binary form for {dtype}")
    values, form = layout
    return _big_endian(values(column), form)


_LAYOUTS: dict[object, tuple[Callable[[pl.Series], pl.Series], str]] = {
    pl.Boolean: (lambda c: c.cast(pl.UInt8), ">u1"),
    pl.Int16: (lambda c: c, ">i2"),
    pl.Int32: (lambda c: c, ">i4"),
    pl.Int64: (lambda c: c, ">i8"),
    pl.Float64: (lambda c: c, ">f8"),
    pl.Date: (lambda c: c.to_physical() - _EPOCH_DAYS, ">i4"),
    pl.Time: (lambda c: c.to_physical() // 1000, ">i8"),
}


def _big_endian(values: pl.Series, form: str) -> pa.Array:
    numbers = values.fill_null(0).to_numpy().astype(form)
    width = numbers.dtype.itemsize
    row = np.empty((len(numbers), 4 + width), dtype=np.uint8)
    row[:, :4] = np.frombuffer(width.to_bytes(4, "big"), dtype=np.uint8)
    row[:, 4:] = numbers.view(np.uint8).reshape(-1, width)
    return _binary(row)


def _numeric(column: pl.Series, scale: int) -> pa.Array:
    """
    numeric travels as base-10000 digits: how many, the weight of the first, the sign, the decimals shown, digits.

    Every value of a block gets the same number of digits; the server drops leading and trailing zeros.
    """
    negative, digits = _digits(column.fill_null(0), scale)
    count = digits.shape[1]
    fraction = -(-scale // 4)
    row = np.zeros((len(column), 4 + 8 + 2 * count), dtype=np.uint8)
    row[:, :4] = np.frombuffer((8 + 2 * count).to_bytes(4, "big"), dtype=np.uint8)
    row[:, 4:8] = np.array([count, count - fraction - 1], dtype=">i2").view(np.uint8)
    row[:, 8] = np.where(negative, 0x40, 0)
    shown = _decimals(digits[:, count - fraction :]) if scale == UNDECLARED_SCALE else np.array([[scale]])
    row[:, 10:12] = shown.astype(">i2").view(np.uint8)
    row[:, 12:] = digits.astype(">i2").view(np.uint8)
    return _binary(row)


def _decimals(groups: Array) -> Array:
    """How many decimals each value needs: where nothing says how many to show, 12.5 shows one."""
    needed = np.zeros((len(groups), 1), dtype=np.int64)
    for at, digit in enumerate(groups.T):
        own = np.select([digit == 0, digit % 10 > 0, digit % 100 > 0, digit % 1000 > 0], [0, 4, 3, 2], 1)
        needed[digit > 0, 0] = 4 * at + own[digit > 0]
    return needed


def _digits(column: pl.Series, scale: int) -> tuple[Array, Array]:
    """Return which values are negative, and their base-10000 digits as an array of rows x digits."""
    limbs = np.frombuffer(column.to_arrow().buffers()[1], dtype="<i8").reshape(-1, 2)[: len(column)]
    low, high = limbs[:, 0], limbs[:, 1]
    shift = 10 ** (-scale % 4)
    if bool(((high == low >> 63) & (low > -(2**62) // shift) & (low < 2**62 // shift)).all()):
        magnitude = np.abs(low) * shift
        groups = _groups(magnitude, -(-scale // 4))
        return low < 0, groups
    return _wide_digits(column, scale)


def _groups(magnitude: Array, fraction: int) -> Array:
    groups: list[Array] = []
    while len(groups) <= fraction or magnitude.any():
        magnitude, digit = np.divmod(magnitude, 10_000)
        groups.append(digit)
    return np.stack(groups[::-1], axis=1)


def _wide_digits(column: pl.Series, scale: int) -> tuple[Array, Array]:
    """The same for values past 64 bits, by way of their text: slower, and rare."""
    text = column.cast(pl.String).str.strip_chars_start("-")
    whole = text.str.split(".").list.get(0).str.zfill(40)
    fraction = (
        text.str.split(".").list.get(1, null_on_oob=True).fill_null("").str.pad_end(-(-scale // 4) * 4, "0")
    )
    joined = whole + fraction
    width = 40 + -(-scale // 4) * 4
    groups = [joined.str.slice(at, 4).cast(pl.Int64).to_numpy() for at in range(0, width, 4)]
    return (column < 0).to_numpy(), np.stack(groups, axis=1)


def _binary(rows: Array) -> pa.Array:
    """An array of rows x bytes as an Arrow array of byte strings, without copying the bytes."""
    height, width = rows.shape
    offsets = np.arange(0, (height + 1) * width, width, dtype=np.int64)
    content = np.ascontiguousarray(rows)
    return pa.Array.from_buffers(
        pa.large_binary(), height, [None, pa.py_buffer(offsets), pa.py_buffer(content)]
    )


def _content(array: pa.Array) -> bytes:
    _, offsets, content = array.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)
    start, end = bounds[array.offset], bounds[array.offset + len(array)]
    return bytes(memoryview(content)[start:end])
