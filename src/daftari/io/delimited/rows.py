"""
Rows of delimited text, block by block.

A block is read by polars (fast) where that provably gives the same result as the csv module (exact): quoting is
plain and no value spans lines. Records whose width differs from the header's are taken out first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from daftari.errors import SourceError
from daftari.io.delimited.layout import Layout, Record, is_blank, split_records
from daftari.io.delimited.scan import (
    Positions,
    Scan,
    has_lone_return,
    line_ends,
    outside,
    plain_quotes,
    scan,
)
from daftari.io.files.non_rows import sift
from daftari.rows.intake.block import Block, Malformed, shape_of

#: A longer record counts as a quote that never closes.
LONGEST_RECORD_BYTES = 16 * 2**20

_NO_QUOTES: Positions = np.zeros(0, np.int64)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What was read from the front of the text."""

    block: Block
    taken: int  #: bytes
    lines: int  #: physical lines


def read_blocks(chunks: Iterable[bytes], layout: Layout) -> Iterator[Block]:
    """
    Read the records after the header; *chunks* are UTF-8 and begin with the first of them.

    Raises:
        SourceError: a quoted field opens and never closes, so that rows cannot be separated.
    """
    rest, line = b"", layout.first_line
    for chunk, is_last in _with_last(chunks):
        rest = rest + chunk if rest else chunk
        while rest and (part := _front(rest, layout, line, is_last)):
            block = replace(part.block, may_hold_nul=rest.find(b"\0", 0, part.taken) >= 0)
            rest, line = rest[part.taken :], line + part.lines
            yield block
        if len(rest) > LONGEST_RECORD_BYTES:
            raise _endless(layout, line)


def _with_last(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    held: bytes | None = None
    for chunk in chunks:
        if held is not None:
            yield held, False
        held = chunk
    if held is not None:
        yield held, True


def _front(data: bytes, layout: Layout, line: int, is_last: bool) -> _Part | None:
    """Read whole records from the front of *data*; None when it holds no whole record."""
    whole = data if is_last else data[: _last_line_end(data)]
    if not whole:
        return None
    part = None if has_lone_return(whole) else _fast(whole, layout, line, is_last)
    return part or _exact(whole, layout, line, is_last)


def _last_line_end(data: bytes) -> int:
    newline = data.rfind(b"\n") + 1
    # A return at the end may be half of a line end.
    return newline or data.rfind(b"\r", 0, len(data) - 1) + 1


def _fast(data: bytes, layout: Layout, line: int, is_last: bool) -> _Part | None:
    """Read *data* with polars; None where only the exact reader is correct."""
    if is_last and not data.endswith(b"\n"):
        part = _fast(data + b"\n", layout, line, is_last=True)
        return part and replace(part, taken=len(data))
    if b'"' not in data:
        return _unquoted(data, layout, line)
    quotes = None if layout.skips_space else plain_quotes(data, layout.separator)
    if quotes is None:
        return None
    ends = line_ends(data)
    record_ends = outside(ends, quotes)
    stop = int(record_ends[-1]) + 1 if len(record_ends) else 0
    if len(record_ends) != int(np.searchsorted(ends, stop)) or (is_last and stop != len(data)):
        return None  # a value spans lines
    whole = data[:stop]
    if not whole:
        return None
    return _told_apart(whole, layout, line, quotes[: np.searchsorted(quotes, stop)])


def _unquoted(data: bytes, layout: Layout, line: int) -> _Part | None:
    text = np.frombuffer(data, dtype=np.uint8)
    lines = int(np.count_nonzero(text == ord("\n")))
    separators = int(np.count_nonzero(text == ord(layout.separator)))
    frame = _parse(data, layout, quoted=False)
    even = frame is not None and frame.height == lines
    if frame is None or not even or separators != lines * (layout.width - 1):
        return _told_apart(data, layout, line, _NO_QUOTES)
    numbers = pl.Series("line", np.arange(line, line + lines))
    return _Part(block=sift(frame, numbers, (), layout), taken=len(data), lines=lines)


def _told_apart(data: bytes, layout: Layout, line: int, quotes: Positions) -> _Part | None:
    """Take the records of another width out of *data*, then read the rest with polars."""
    found = scan(data, layout.separator, quotes)
    fits = found.separators == layout.width - 1
    even = data if fits.all() else _joined(data, found, fits)
    frame = _parse(even, layout, quoted=bool(len(quotes)))
    if frame is None or frame.height != int(fits.sum()):
        return None
    odd = [
        (line + int(n), record)
        for n in np.flatnonzero(~fits)
        for record in split_records([data[found.starts[n] : found.stops[n]].decode()], layout.separator)
    ]
    malformed = tuple(_misfit(record, layout, at) for at, record in odd if not is_blank(record.fields))
    numbers = pl.Series("line", np.flatnonzero(fits) + line)
    block = sift(frame, numbers, malformed, layout)
    block = replace(block, blank=block.blank + len(odd) - len(malformed))
    return _Part(block=block, taken=len(data), lines=found.records)


def _joined(data: bytes, found: Scan, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> bytes:
    """Join the records to *keep*, run by run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(np.int8)))
    return b"".join(
        data[found.starts[first] : found.stops[after - 1]]
        for first, after in zip(*[iter(edges)] * 2, strict=True)
    )


def _parse(data: bytes, layout: Layout, *, quoted: bool) -> pl.DataFrame | None:
    schema = dict.fromkeys(layout.names, pl.String())
    if not data:
        return pl.DataFrame(schema=schema)
    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            schema=schema,
            separator=layout.separator,
            quote_char='"' if quoted else None,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError:
        return None
    return frame.with_columns(pl.all().replace("", None)) if quoted else frame


def _exact(data: bytes, layout: Layout, line: int, is_last: bool) -> _Part | None:
    """Read *data* record by record with the csv module."""
    physical = data.splitlines(keepends=True)
    rows: list[list[str | None]] = []
    at: list[int] = []
    malformed: list[Malformed] = []
    blank = taken = 0
    lines = [one.decode() for one in physical]
    for record in split_records(lines, layout.separator, skips_space=layout.skips_space):
        if record.fault == "cut" and (not is_last or record.lines > 1):
            if is_last:
                raise _endless(layout, line + record.line)
            break
        taken = record.line + record.lines
        if record.fault or (len(record.fields) != layout.width and not is_blank(record.fields)):
            malformed.append(_misfit(record, layout, line + record.line))
        elif is_blank(record.fields):
            blank += 1
        else:
            rows.append([field or None for field in record.fields])
            at.append(line + record.line)
    if not taken:
        return None
    frame = pl.DataFrame(rows, schema=dict.fromkeys(layout.names, pl.String()), orient="row")
    block = sift(frame, pl.Series("line", at, dtype=pl.Int64), tuple(malformed), layout)
    block = replace(block, blank=block.blank + blank)
    return _Part(block=block, taken=sum(map(len, physical[:taken])), lines=taken)


def _misfit(record: Record, layout: Layout, line: int) -> Malformed:
    reason = record.fault or f"has {_counted(len(record.fields))}; the header has {layout.width}"
    if record.fault == "cut":
        reason = "ends inside a quoted field: the file is cut"
    if record.lines > 1:
        reason = f"{reason} (lines {line} to {line + record.lines - 1})"
    return Malformed(line=line, reason=reason, preview=shape_of(record.text))


def _counted(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"


def _endless(layout: Layout, line: int) -> SourceError:
    return SourceError(
        f"{layout.name}:{line}: a quoted field opens in this record and does not close:"
        " the rows after it cannot be separated",
        hint="Close or double the quote at that line, or declare another `separator` in the source mapping.",
    )
