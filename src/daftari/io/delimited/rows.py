"""
Rows of delimited text, block by block.

A block is read by polars (fast) where that provably gives the same result as the csv module (exact): quoting is
plain and no value spans lines. Records whose width differs from the header's are taken out first.
"""

from __future__ import annotations

import codecs
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
    is_plain,
    line_ends,
    outside,
    plain_quotes,
    scan,
)
from daftari.io.files.non_rows import sift
from daftari.rows.intake.block import Block, Malformed, shape_of
from daftari.rows.intake.remarks import Remark, RemarkKind

#: A longer record is refused: it is held in memory, and may be a quote that never closes.
LONGEST_RECORD_BYTES = 16 * 2**20
#: Fields beyond the header that are read with polars; a record with more is read alone.
_WIDEST_SURPLUS = 32

_UNEVEN = Remark(
    kind=RemarkKind.EMPTY_SURPLUS, text="more or fewer fields than the header, none of them filled: accepted"
)
_MARK = codecs.BOM_UTF8
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
        SourceError: a record is too long, or a quoted field opens and never closes, so that rows cannot be separated.
    """
    rest, line = b"", layout.first_line
    for chunk, is_last in _with_last(chunks):
        rest = rest + chunk if rest else chunk
        if _MARK in rest:  # files that were put one behind the other
            rest = rest.removeprefix(_MARK).replace(b"\n" + _MARK, b"\n")
        while rest and (part := _front(rest, layout, line, is_last)):
            block = replace(
                part.block,
                may_hold_nul=rest.find(b"\0", 0, part.taken) >= 0,
                is_plain=is_plain(rest[: part.taken] if part.taken < len(rest) else rest),
            )
            rest, line = rest[part.taken :], line + part.lines
            yield block
        if len(rest) > LONGEST_RECORD_BYTES:
            raise _too_long(layout, line, is_quoted=b'"' in rest)


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
    """Read the records that may fit the columns with polars, the others one by one."""
    found = scan(data, layout.separator, quotes)
    fields = found.separators + 1
    fits = (fields >= len(layout.columns)) & (fields <= layout.width + _WIDEST_SURPLUS)
    even = data if fits.all() else _joined(data, found, fits)
    frame = _parse(even, layout, quoted=bool(len(quotes)), width=int(fields[fits].max(initial=0)))
    if frame is None or frame.height != int(fits.sum()):
        return None
    astray = _has_text(frame, frame.columns[layout.width :])
    frame = frame.select(layout.names).filter(~astray)
    fits[np.flatnonzero(fits)[astray.to_numpy()]] = False
    others = (
        replace(record, line=line + int(n))
        for n in np.flatnonzero(~fits)
        for record in split_records([data[found.starts[n] : found.stops[n]].decode()], layout.separator)
    )
    lines = np.flatnonzero(fits) + line
    uneven = set((np.flatnonzero(fits & (fields != layout.width)) + line).tolist())
    odd = _one_by_one(others, layout)
    block = _block(frame, lines, replace(odd, uneven=odd.uneven | uneven), layout)
    return _Part(block=block, taken=len(data), lines=found.records)


def _has_text(frame: pl.DataFrame, columns: list[str]) -> pl.Series:
    """Mark the rows with text in one of *columns*; there may be none."""
    texts = pl.col(columns).str.strip_chars().ne("").fill_null(False)
    return frame.select(pl.any_horizontal(pl.repeat(False, pl.len()), texts)).to_series()


def _joined(data: bytes, found: Scan, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> bytes:
    """Join the records to *keep*, run by run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(np.int8)))
    return b"".join(
        data[found.starts[first] : found.stops[after - 1]]
        for first, after in zip(*[iter(edges)] * 2, strict=True)
    )


def _parse(data: bytes, layout: Layout, *, quoted: bool, width: int = 0) -> pl.DataFrame | None:
    """Read *data* with at least *width* columns; missing fields at the end of a record are null."""
    beyond = (f"beyond {n}" for n in range(layout.width, width))
    schema = dict.fromkeys((*layout.names, *beyond), pl.String())
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
            missing_columns="insert" if width else "raise",
        )
    except pl.exceptions.PolarsError:
        return None
    return frame.with_columns(pl.all().replace("", None)) if quoted else frame


def _exact(data: bytes, layout: Layout, line: int, is_last: bool) -> _Part | None:
    """Read *data* record by record with the csv module."""
    physical = data.splitlines(keepends=True)
    lines = [one.decode() for one in physical]
    records: list[Record] = []
    taken = 0
    for record in split_records(lines, layout.separator, skips_space=layout.skips_space):
        if record.fault == "cut" and (not is_last or record.lines > 1):
            if is_last:
                raise _endless(layout, line + record.line)
            break
        taken = record.line + record.lines
        records.append(replace(record, line=line + record.line))
    if not taken:
        return None
    nothing = pl.DataFrame(schema=dict.fromkeys(layout.names, pl.String()))
    block = _block(nothing, np.zeros(0, np.int64), _one_by_one(records, layout), layout)
    return _Part(block=block, taken=sum(map(len, physical[:taken])), lines=taken)


@dataclass(frozen=True, kw_only=True)
class _OneByOne:
    """Records that were read by the csv module."""

    rows: list[list[str | None]]
    lines: list[int]  #: of each row
    uneven: frozenset[int]  #: lines of the rows with more or fewer fields than the header
    malformed: tuple[Malformed, ...]
    blank: int


def _one_by_one(records: Iterable[Record], layout: Layout) -> _OneByOne:
    rows: dict[int, list[str | None]] = {}
    uneven, malformed, blank = [], [], 0
    for record in records:
        fields = record.fields
        if record.fault or not _fits(fields, layout):
            malformed.append(_misfit(record, layout))
        elif is_blank(fields):
            blank += 1
        else:
            filled = [field or None for field in fields[: layout.width]]
            rows[record.line] = filled + [None] * (layout.width - len(filled))
            if len(fields) != layout.width:
                uneven.append(record.line)
    return _OneByOne(
        rows=list(rows.values()),
        lines=list(rows),
        uneven=frozenset(uneven),
        malformed=tuple(malformed),
        blank=blank,
    )


def _fits(fields: list[str], layout: Layout) -> bool:
    """Whether a record has a field for each column, and no text beyond the header. A blank one fits."""
    return is_blank(fields[layout.width :] if len(fields) >= len(layout.columns) else fields)


def _block(frame: pl.DataFrame, lines: Positions, odd: _OneByOne, layout: Layout) -> Block:
    """Put the rows of *frame* and the *odd* ones in the order of the file, and take out what is not a row."""
    numbers = pl.Series("line", lines, dtype=pl.Int64)
    if odd.rows:
        schema = dict.fromkeys(layout.names, pl.String())
        both = pl.concat([frame, pl.DataFrame(odd.rows, schema=schema, orient="row")])
        numbers = pl.concat([numbers, pl.Series("line", odd.lines, dtype=pl.Int64)])
        order = numbers.arg_sort()
        frame, numbers = both[order], numbers.gather(order)
    block = sift(frame, numbers, odd.malformed, layout)
    block = replace(block, blank=block.blank + odd.blank)
    uneven = block.lines.filter(block.lines.is_in(sorted(odd.uneven))).to_list() if odd.uneven else []
    return replace(block, remarks=(replace(_UNEVEN, count=len(uneven), line=uneven[0]),)) if uneven else block


def _misfit(record: Record, layout: Layout) -> Malformed:
    reason = record.fault or f"has {_counted(len(record.fields))}; the header has {layout.width}"
    if record.fault == "cut":
        reason = "ends inside a quoted field: the file is cut"
    if record.lines > 1:
        reason = f"{reason} (lines {record.line} to {record.line + record.lines - 1})"
    fields = tuple(record.fields) if len(record.fields) < len(layout.columns) else ()
    return Malformed(line=record.line, reason=reason, preview=shape_of(record.text), fields=fields)


def _counted(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"


def _endless(layout: Layout, line: int) -> SourceError:
    return SourceError(
        f"{layout.name}:{line}: a quoted field opens in this record and does not close:"
        " the rows after it cannot be separated",
        hint="Close or double the quote at that line, or declare another `separator` in the source mapping.",
    )


def _too_long(layout: Layout, line: int, *, is_quoted: bool) -> SourceError:
    most = f"{LONGEST_RECORD_BYTES // 2**20} MiB"
    return SourceError(
        f"{layout.name}:{line}: the record that begins here is longer than {most}"
        + (", or a quoted field in it does not close" if is_quoted else ", without a line end"),
        hint="Check the quotes at that line, or send the long value as a file of its own."
        if is_quoted
        else "Check the file's line ends, or send the long value as a file of its own.",
    )
