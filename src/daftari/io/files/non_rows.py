"""Removes what is not a row from a table: blank records, repeated headers, values outside the columns."""

from __future__ import annotations

import polars as pl

from daftari.io.delimited.layout import Layout
from daftari.rows.intake.block import Block, Malformed, shape_of


def sift(frame: pl.DataFrame, lines: pl.Series, malformed: tuple[Malformed, ...], layout: Layout) -> Block:
    """Take out what is not a row: blank records, repeated headers, values under a nameless column."""
    frame, lines, blank = _without(frame, lines, _is_blank_row(frame))
    frame, lines, repeated = _without(frame, lines, _repeats(frame, layout))
    shifted: tuple[Malformed, ...] = ()
    if layout.nameless:
        astray = frame.select(pl.any_horizontal(_has_text(pl.col(layout.nameless)))).to_series()
        shifted = _astray(frame.filter(astray), lines.filter(astray), layout)
        frame, lines, _ = _without(frame.select(layout.columns), lines, astray)
    found = sorted((*malformed, *shifted), key=lambda one: one.line)
    return Block(cells=frame, lines=lines, malformed=tuple(found), blank=blank, repeated=repeated)


def _without(
    frame: pl.DataFrame, lines: pl.Series, mask: pl.Series | None
) -> tuple[pl.DataFrame, pl.Series, int]:
    if mask is None or not mask.any():
        return frame, lines, 0
    return frame.filter(~mask), lines.filter(~mask), int(mask.sum())


def _has_text(column: pl.Expr) -> pl.Expr:
    return column.str.strip_chars().ne("").fill_null(False)


def _is_blank_row(frame: pl.DataFrame) -> pl.Series | None:
    """Mark the rows without text; None where there are none. Few rows have an empty first column."""
    if not frame.width:
        return None
    perhaps = ~frame.select(_has_text(pl.first())).to_series()
    blank = frame.filter(perhaps).select(~pl.any_horizontal(_has_text(pl.all()))).to_series()
    return perhaps.scatter(perhaps.arg_true(), blank) if blank.any() else None


def _repeats(frame: pl.DataFrame, layout: Layout) -> pl.Series | None:
    found = list(zip(layout.names, layout.header, strict=True))
    first = next((name for name, text in found if text.strip()), found[0][0])
    # Readers drop a byte order mark at the start of a line.
    texts = {name: [text.lower(), text.lower().removeprefix("\ufeff")] for name, text in found}
    sizes = {
        len(text.encode())
        for name, text in found
        if name == first
        for text in (text, text.removeprefix("\ufeff"))
    }
    perhaps = frame[first].str.len_bytes().is_in(sorted(sizes)).fill_null(False)  # which is cheap to tell
    if not perhaps.any():
        return None
    same = [
        pl.col(name).fill_null("").str.to_lowercase().is_in(texts[name])
        if name in layout.columns
        else ~_has_text(pl.col(name))
        for name in texts
    ]
    alike = frame.filter(perhaps).select(pl.all_horizontal(same)).to_series()
    return perhaps.scatter(perhaps.arg_true(), alike) if alike.any() else None


def _astray(frame: pl.DataFrame, lines: pl.Series, layout: Layout) -> tuple[Malformed, ...]:
    width = len(layout.columns)
    reason = f"has a value beyond column {width}, under a column without a name"
    return tuple(
        Malformed(line=line, reason=reason, preview=shape_of(layout.separator.join(v or "" for v in row)))
        for line, row in zip(lines, frame.iter_rows(), strict=True)
    )
