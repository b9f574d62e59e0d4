"""Remarks: what was done with a file that its reader should know, beyond the count of each outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class RemarkKind(StrEnum):
    NOTE = "note"  #: text that is no row
    ROUNDING = "rounding"  #: a stated total differs by as much as was accepted
    UNUSED_COLUMN = "unused_column"  #: no field takes it, and the mapping does not ignore it
    ABSENT_FIELD = "absent_field"  #: the file has no column for it
    CHANGED_SINCE = "changed_since"  #: later runs changed rows of a file that was loaded before
    JUDGED_AGAIN = "judged_again"  #: the same content was loaded before
    MATCHED_SEVERAL = "matched_several"  #: several columns match a field; one was taken
    OUR_NAMES = "our_names"  #: the columns are named as fields, and not as the mapping says
    STILL_REJECTED = "still_rejected"  #: rows of a file that was loaded before wait in quarantine
    RENAMED_COLUMN = "renamed_column"  #: its name was repeated or empty in the header
    EMPTY_SURPLUS = "empty_surplus"  #: a row has more fields than the header, or fewer, which hold nothing
    UNDECLARED_STEP = "undeclared_step"  #: a change of state that is not a step of the contract
    REPEATED_ROWS = "repeated_rows"  #: rows that a table without a key has already
    CLEANED = "cleaned"  #: invisible characters were removed from texts
    ENCODING = "encoding"  #: guessed, or not followed by every byte
    NULL_WORD = "null_word"  #: in a column of numbers or dates, read as empty
    GUESS = "guess"  #: how values of a field are written, decided without proof
    TOTAL_ROW = "total_row"  #: a row that states the sum of others
    SHEET = "sheet"  #: a sheet of a workbook that was not read, or that is hidden
    HIDDEN = "hidden"  #: rows or columns that a spreadsheet does not show
    MERGED_CELLS = "merged_cells"  #: cells that a merged area covers
    STALE_FORMULA = "stale_formula"  #: a value that its workbook asks to be calculated again
    CELL_FORMAT = "cell_format"  #: a text that only the format of a number shows
    OUTSIDE_TABLE = "outside_table"  #: cells beside the table that are not read


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One thing that was done with a file. It names columns, fields, lines and characters, never a row's value."""

    kind: RemarkKind
    text: str
    count: int = 0  #: of the rows, cells or columns that it concerns; 0: the file as a whole
    line: int | None = None  #: the first line that it concerns

    def __str__(self) -> str:
        first = "" if self.line is None else f" (line {self.line})"
        if self.count < 2:
            return f"{self.text}{first}"
        first = "" if self.line is None else f", first in line {self.line}"
        return f"{self.text} ({self.count:,} times{first})"

    def as_json(self) -> dict[str, Any]:
        """Return its fields, and the sentence under `says`."""
        return {**asdict(self), "says": str(self)}


def merged(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Return *remarks* with those of the same kind and text as one: counts added, the first line kept."""
    found: dict[tuple[RemarkKind, str], Remark] = {}
    for one in remarks:
        known = found.get((one.kind, one.text))
        if known is None:
            found[one.kind, one.text] = one
            continue
        lines = [line for line in (known.line, one.line) if line is not None]
        found[one.kind, one.text] = replace(
            known, count=known.count + one.count, line=min(lines) if lines else None
        )
    return tuple(found.values())


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Records of a file that are no rows of its dataset, and are not counted as received."""

    header: int = 0  #: lines up to and including the header
    blank: int = 0  #: every field was empty
    repeated: int = 0  #: repeat the header
    totals: int = 0  #: state the sum of other rows
    notes: int = 0  #: text before or after the rows: footers, signatures, sources

    @property
    def rows(self) -> int:
        return sum(vars(self).values())

    @property
    def below_header(self) -> LeftOut:
        return replace(self, header=0)

    def __add__(self, other: LeftOut) -> LeftOut:
        return LeftOut(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})

    def __str__(self) -> str:
        return ", ".join(f"{rows:,} {_WORDS[name]}" for name, rows in vars(self).items() if rows)


_WORDS = {
    "header": "above the rows",
    "blank": "blank",
    "repeated": "repeated header",
    "totals": "total",
    "notes": "note",
}
