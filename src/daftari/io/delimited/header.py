"""Decides which character separates a text file's fields, and which of its first records is the header."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from daftari.errors import SourceError
from daftari.io.delimited.layout import (
    MOST_COLUMNS,
    Layout,
    Record,
    column_names,
    is_blank,
    require_few_columns,
    split_records,
)
from daftari.rows.intake.block import WHITE_SPACE
from daftari.rows.mapping.header_names import hits
from daftari.rows.mapping.mapping import Mapping

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_RECORDS = 200
_NO_TEXT = WHITE_SPACE + "".join(SEPARATORS) + '"\ufeff'
#: A header is among the first records; a row of names further down is data.
SEARCHED_RECORDS = 40
#: As many of a file are read to find its header.
MOST_HEADER_CHARACTERS = 2**20
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_NO_HEADER = Record(line=0, lines=0, fields=[], text="")


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What is known about a file before it is opened."""

    name: str  #: of the file, for messages
    known: frozenset[str] = frozenset()  #: headers, normal
    mapping: Mapping | None = None

    @property
    def separator(self) -> str | None:
        return self.mapping.separator if self.mapping else None

    @property
    def header_row(self) -> int | None:
        return self.mapping.header_row if self.mapping else None

    @property
    def columns(self) -> tuple[str, ...]:
        return self.mapping.columns if self.mapping else ()


def find_layout(text: str, sought: Sought) -> Layout:
    """
    Decide separator and header from the start of the file, *text*.

    Raises:
        SourceError: there is no text, or no header.
    """
    if not text.strip(_NO_TEXT + (sought.separator or "")):
        raise SourceError(f"{sought.name}: holds no text", hint="Ask the sender for the file again.")
    lines = io.StringIO(text, newline="").readlines()
    separator = sought.separator or _separator(lines, sought.known)
    skips_space = re.search(rf'{re.escape(separator)} +"', text) is not None
    sample = _sample(lines, separator, skips_space=skips_space, most=sought.header_row or 0)
    if all(record.fault or is_blank(record.fields) for record in sample):
        raise SourceError(
            f"{sought.name}:1: no record can be read as one of a table",
            hint="Declare `separator` and `encoding` in the source mapping, if it is a table.",
        )
    rows = [record.fields for record in sample]
    place = header_place(rows, sought, [record.line + 1 for record in sample])
    at = _NO_HEADER if place is None else sample[place]
    after = at.line + at.lines
    if after == len(lines) and len(text) >= MOST_HEADER_CHARACTERS:
        raise SourceError(
            f"{sought.name}:{at.line + 1}: the header has more than {MOST_HEADER_CHARACTERS:,} characters",
            hint="Check the file's line ends and quotes, and the mapping's `separator` and `header_row`.",
        )
    if _is_binary("".join(at.fields)):
        raise SourceError(
            f"{sought.name}:{at.line + 1}: is not text: its header has control characters",
            hint="Ask the sender for the file again, or declare its `encoding` in the source mapping.",
        )
    require_few_columns(sought.name, len(at.fields))
    columns, header = declared_names(tuple(at.fields), rows[0 if place is None else place + 1 :], sought)
    return Layout(
        name=sought.name,
        separator=separator,
        columns=columns,
        header=header,
        offset=len("".join(lines[:after]).encode()),
        first_line=after + 1,
        skips_space=skips_space,
    )


def _is_binary(text: str) -> bool:
    """Whether more than a tenth of *text* are controls other than white space."""
    return 10 * len(_CONTROL.findall(text)) > len(text)


def declared_names(
    header: tuple[str, ...], rows: Sequence[Sequence[str]], sought: Sought
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """
    Return the columns' names, and the header with a text for each field of a record.

    The names that the mapping declares replace those of the header, which may have fewer. Without both, columns
    are numbered.

    Raises:
        SourceError: the mapping names more or fewer columns than the rows have.
    """
    if header and not sought.columns:
        return column_names(header), header
    filled = [row for row in rows if not is_blank(row)]
    widths = Counter(map(len, filled)).most_common(1)
    width = widths[0][0] if widths else len(header)
    if not sought.columns:
        names = tuple(f"column {place}" for place in range(1, width + 1))
        return names, names
    named = len(sought.columns)
    used = Counter(max(n for n, one in enumerate(row, 1) if not is_blank([one])) for row in filled)
    if filled and not used.most_common(1)[0][0] <= named <= width:
        raise SourceError(
            f"{sought.name}: the mapping names {named} columns; most rows have {width}",
            hint="Correct `columns` in the source mapping.",
        )
    cells = header if header else sought.columns
    return sought.columns, (*cells[:named], *[""] * (max(named, width) - min(named, len(cells))))


def _first_with_text(sample: Sequence[Sequence[str]]) -> int:
    after = _after_query(sample[:SEARCHED_RECORDS])
    places = [place for place, fields in enumerate(sample) if place >= after and not is_blank(fields)]
    if not places:
        return 0
    widths = Counter(_filled(sample[place]) for place in places)
    usual = max(widths, key=lambda width: width * widths[width])  # titles may be as many as the rows
    if usual == 1:
        return places[0]
    # Above the table may be names beside values: Customer, A. N. Other.
    return next(place for place in places if 2 * _filled(sample[place]) >= usual)


#: How a query begins that a database tool wrote above its result, and how its further lines begin.
_QUERY = re.compile(r"\s*(?:--(?!-)|/\*|SQL>|(?:select|with|exec|execute)(?:\s|$))", re.IGNORECASE)
_CLAUSE = re.compile(
    r"\s*(?:--(?!-)|/\*|\*/|SQL>|\)|(?:select|with|from|where|and|or|on|(?:left|right|inner|outer|full|cross)?\s*join|order\s+by|"
    r"group\s+by|having|limit|offset|union|case|when|then|else|end|exec|execute|use|set|go|fetch)\b)",
    re.IGNORECASE,
)
_FROM = re.compile(r"\b(?:from|exec|execute)\b", re.IGNORECASE)


def _after_query(sample: Sequence[Sequence[str]]) -> int:
    """Return the number of records at the start of *sample* that are an SQL query; 0 if there is none."""
    lines = [" ".join(fields).strip(WHITE_SPACE) for fields in sample]
    first = next((place for place, line in enumerate(lines) if line), 0)
    if not lines or not _QUERY.match(lines[first]):
        return 0
    ends = [place for place, line in enumerate(lines) if line.endswith(";")]
    clauses = [place for place, line in enumerate(lines) if _CLAUSE.match(line)]
    after = 1 + (ends[-1] if ends else clauses[-1])
    is_comment = all(line.startswith("--") or not line for line in lines[:after])
    return after if is_comment or any(_FROM.search(line) for line in lines[:after]) else 0


def _filled(fields: Sequence[str]) -> int:
    return sum(bool(field.strip(WHITE_SPACE)) for field in fields)


def header_place(sample: Sequence[Sequence[str]], sought: Sought, lines: Sequence[int] = ()) -> int | None:
    """
    Return which record of *sample* is the header; None when there is none.

    *lines* are those in which the records begin; by default, each record is one line. The header is the record with
    the most known names. When no record has any, it is the first with text, unless the mapping names the columns. A
    title of one field does not count where most records have more.
    """
    if sought.header_row == 0:
        return None
    if sought.header_row is not None:
        begins = lines or range(1, len(sample) + 1)
        if sought.header_row not in begins:
            raise SourceError(
                f"{sought.name}: header_row is {sought.header_row}; no record begins in that line"
                f" (the first {len(sample)} records are in lines 1 to {begins[-1]})",
                hint="Correct `header_row` in the source mapping.",
            )
        return begins.index(sought.header_row)
    scores = [hits(fields, sought.known) for fields in sample[:SEARCHED_RECORDS]]
    best = max(scores, default=0)
    if sought.columns and 2 * best <= len(sought.columns):
        return None
    return scores.index(best) if best else _first_with_text(sample)


def _sample(lines: list[str], separator: str, *, skips_space: bool = False, most: int = 0) -> list[Record]:
    found = []
    for record in split_records(lines, separator, skips_space=skips_space):
        found.append(record)
        if len(found) >= SAMPLE_RECORDS and record.line + record.lines >= most:
            break
    # The text may end within a record.
    return found[:-1] if len(found) > 1 and found[-1].fault == "cut" else found


def _separator(lines: list[str], known: frozenset[str]) -> str:
    """Return the separator that gives the most known names, then the most records of equal width."""
    return max(SEPARATORS, key=lambda separator: _score(_sample(lines, separator), known))


def _score(sample: list[Record], known: frozenset[str]) -> tuple[int, float, int]:
    rows = [record.fields for record in sample if not record.fault and not is_blank(record.fields)]
    if not rows:
        return 0, 0.0, 0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    names = max(hits(fields[:MOST_COLUMNS], known) for fields in rows[:SEARCHED_RECORDS])
    return names, (count / len(sample) if width > 1 else 0.0), width
