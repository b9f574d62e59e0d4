"""The layout of a text file: decided once, before its rows are read."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from daftari.errors import SourceError
from daftari.rows.intake.block import WHITE_SPACE
from daftari.rows.intake.remarks import Remark, RemarkKind

#: A quoted field may hold a document; the csv module's limit of 128 KiB is too small.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
#: The columns of a spreadsheet's sheet; a table of PostgreSQL has 1,600.
MOST_COLUMNS = 16_384


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of a delimited file and where its rows start, in the text as UTF-8."""

    name: str  #: of the file, for messages
    separator: str
    columns: tuple[str, ...]  #: unique; nameless columns at the right end are left out
    header: tuple[str, ...]  #: the header as found, nameless columns included
    offset: int  #: bytes before the first record after the header
    first_line: int  #: physical line of that record
    skips_space: bool = False  #: whether a quote after a separator and spaces opens a field

    @property
    def width(self) -> int:
        """Fields that a record has, nameless columns included."""
        return len(self.header)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for every field, nameless columns included."""
        return (*self.columns, *(f"column {n}" for n in range(len(self.columns) + 1, self.width + 1)))

    @property
    def nameless(self) -> tuple[str, ...]:
        return self.names[len(self.columns) :]


def column_names(header: Sequence[str]) -> tuple[str, ...]:
    """
    Name the columns of *header*: unique, and without the nameless ones at its right end.

    Of two columns with one name the second becomes `name (2)`; one without a name is `column 3`.
    """
    cells = [" ".join(cell.split()) for cell in header]
    while cells and not cells[-1]:
        cells.pop()
    names: dict[str, None] = {}
    for place, cell in enumerate(cells, start=1):
        name = cell or f"column {place}"
        again = 2
        while name in names:
            name = f"{cell or f'column {place}'} ({again})"
            again += 1
        names[name] = None
    return tuple(names)


def renamed_columns(header: Sequence[str], columns: Sequence[str]) -> tuple[Remark, ...]:
    """Return a remark on each of *columns* that `column_names` named otherwise than the header does."""
    found = []
    for place, (cell, name) in enumerate(zip(header, columns, strict=False), start=1):
        plain = " ".join(cell.split())
        if name != plain:
            what = f"{plain!r} comes again" if plain else "has no name"
            text = f"column {place} {what} in the header; it is read as {name!r}"
            found.append(Remark(kind=RemarkKind.RENAMED_COLUMN, text=text))
    return tuple(found)


def require_few_columns(name: str, count: int) -> None:
    """
    Refuse a file with more columns than any table has.

    Raises:
        SourceError: it has more.
    """
    if count > MOST_COLUMNS:
        raise SourceError(
            f"{name}: has {count:,} columns; at most {MOST_COLUMNS:,} are read",
            hint="Declare another `separator` in the source mapping, or send only the columns that are needed.",
        )


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record by the rules of RFC 4180; *fields* is empty when it breaks them, and *fault* says how."""

    line: int  #: physical line, from 0 in the text given
    lines: int  #: physical lines it spans
    fields: list[str]
    text: str
    fault: str | None = None


def split_records(lines: Sequence[str], separator: str, *, skips_space: bool = False) -> Iterator[Record]:
    """
    Split *lines* (with their ends) into records, exactly.

    The last record has the fault `cut` when the text ends inside a quoted field.
    """
    fed = _Feed(lines)
    reader = csv.reader(fed, delimiter=separator, strict=True, skipinitialspace=skips_space)
    start = 0
    while start < len(lines):
        fault, fields = None, []
        try:
            fields = next(reader)
        except csv.Error:
            fault = "cut" if fed.is_exhausted else "has text after a closing quote"
        stop = max(fed.taken, start + 1)
        yield Record(
            line=start, lines=stop - start, fields=fields, text="".join(lines[start:stop]), fault=fault
        )
        start = stop


class _Feed:
    """An iterator over lines that records how many were taken and whether more were wanted."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self.taken = 0
        self.is_exhausted = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.taken == len(self._lines):
            self.is_exhausted = True
            raise StopIteration
        self.taken += 1
        return self._lines[self.taken - 1]


def is_blank(fields: Iterable[str]) -> bool:
    return not any(field.strip(WHITE_SPACE) for field in fields)
