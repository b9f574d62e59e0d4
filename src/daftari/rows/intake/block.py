"""What a reader returns: cells as text, the line of each row, and malformed records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl

from daftari.rows.intake.remarks import Remark

#: The characters trimmed from a cell: Unicode's White_Space, the same as polars' strip_chars().
WHITE_SPACE = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

#: Faults of cells that hold JSON. A field that is JSON itself may hold them.
IS_OBJECT, IS_ARRAY = "is a JSON object, not a single value", "is a JSON array, not a single value"

_LETTERS = re.compile(r"[^\W\d_]")
_DIGITS = re.compile(r"\d")
_PREVIEW_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True)
class Malformed:
    """A record that does not fit the header. It is never padded or cut to fit."""

    line: int  #: the record's first physical line, or its row in a sheet; from 1
    reason: str
    preview: str  #: its shape: letters as `a`, digits as `9`, so that no value shows
    rule: str = "shape"  #: the rule that it breaks
    #: where it has too few, which may tell what it is
    fields: tuple[str, ...] = field(default=(), repr=False)


class CellNoteKind(StrEnum):
    """What a note on a cell means for its row."""

    FAULT = "fault"  #: the cell holds no value: a row with a field that needs it is rejected
    LOSS = "loss"  #: its text is not certain to be what was typed: rejected in a text or a key
    TRUTH = "truth"  #: it is a truth value in a column with other cells: rejected in a key
    MERGED = "merged"  #: it is empty because the value of its merged area is in another cell


#: Notes on single cells: the line and column of each, and the reason in words.
CELL_NOTES = pl.Schema(
    [("line", pl.Int64()), ("column", pl.String()), ("kind", pl.String()), ("reason", pl.String())]
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """
    Some consecutive records of a file.

    Rows and malformed records together are all its records, except blank ones and repeated headers.
    """

    cells: pl.DataFrame  #: all String, named as in the header (made unique); an empty cell is null
    lines: pl.Series  #: Int64, the first physical line or sheet row of each row of *cells*, from 1
    malformed: tuple[Malformed, ...] = ()
    blank: int = 0  #: records skipped because every field was empty
    repeated: int = 0  #: records skipped because they repeat the header
    is_trimmed: bool = False  #: whether no cell is empty or has white space around it
    remarks: tuple[Remark, ...] = ()  #: on how these records were read
    #: Boolean, for columns that some rows lack: true where the row lacks the column
    absent: pl.DataFrame | None = None
    may_hold_nul: bool = True  #: whether a cell may hold NUL, which PostgreSQL cannot store
    #: by column: why the reader found a cell to be no value of any type ("is NaN …"); null where it is one
    faults: Mapping[str, pl.Series] = field(default_factory=dict)
    #: whether the cells are printable ASCII without two spaces, `#`, `="`, `'0` or `E+`: no text needs a closer look
    is_plain: bool = False
    has_points: bool = (
        False  #: whether a point in the text of a number is a decimal point if nothing says otherwise
    )
    #: by column: the cells that the file itself marks as a number or a date, in canonical form (ISO 8601, `-1.5`)
    typed: Mapping[str, pl.Series] = field(default_factory=dict)
    notes: pl.DataFrame | None = None  #: on single cells, as CELL_NOTES; None: no note


def shape_of(text: str) -> str:
    """Return *text* with every letter as `a` and every digit as `9`, cut to a line's length."""
    flat = " ".join(text[: 4 * _PREVIEW_CHARACTERS].split())
    shape = _DIGITS.sub("9", _LETTERS.sub("a", flat))
    return shape if len(shape) <= _PREVIEW_CHARACTERS else shape[: _PREVIEW_CHARACTERS - 1] + "…"
