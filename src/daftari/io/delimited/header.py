"""Decides which character separates a text file's fields, and which of its first records is the header."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from daftari.errors import SourceError
from daftari.io.delimited.layout import Layout, Record, column_names, is_blank, split_records
from daftari.rows.intake.block import WHITE_SPACE
from daftari.rows.mapping.header_names import hits
from daftari.rows.mapping.mapping import Mapping

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_RECORDS = 200
_NO_TEXT = WHITE_SPACE + "".join(SEPARATORS) + '"\ufeff'
#: A header is among the first records; a row of names further down is data.
SEARCHED_RECORDS = 40


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
    sample = _sample(lines, separator, skips_space=skips_space)
    if all(record.fault or is_blank(record.fields) for record in sample):
        raise SourceError(
            f"{sought.name}:1: no record can be read as one of a table",
            hint="Declare `separator` and `encoding` in the source mapping, if it is a table.",
        )
    place = header_place([record.fields for record in sample], sought)
    at, header = _none_yet(sample, sought) if place is None else (sample[place], tuple(sample[place].fields))
    after = at.line + at.lines
    return Layout(
        name=sought.name,
        separator=separator,
        columns=column_names(header),
        header=header,
        offset=len("".join(lines[:after]).encode()),
        first_line=after + 1,
        skips_space=skips_space,
    )


def _first_with_text(sample: Sequence[Sequence[str]]) -> int:
    after = _after_query(sample[:SEARCHED_RECORDS])
    places = [place for place, fields in enumerate(sample) if place >= after and not is_blank(fields)]
    if not places:
        return 0
    usual = Counter(_filled(sample[place]) for place in places).most_common(1)[0][0]
    return next(place for place in places if usual == 1 or _filled(sample[place]) > 1)


#: How a query begins that a database tool wrote above its result, and how its further lines begin.
_QUERY = re.compile(r"\s*(?:--|/\*|SQL>|(?:select|with|exec|execute)(?:\s|$))", re.IGNORECASE)
_CLAUSE = re.compile(
    r"\s*(?:--|/\*|\*/|SQL>|\)|(?:select|with|from|where|and|or|on|(?:left|right|inner|outer|full|cross)?\s*join|order\s+by|"
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
    return min(2, sum(bool(field.strip(WHITE_SPACE)) for field in fields))


def _none_yet(sample: list[Record], sought: Sought) -> tuple[Record, tuple[str, ...]]:
    """Return an empty record before the first one, and the names of columns without a header."""
    width = Counter(len(r.fields) for r in sample if not is_blank(r.fields)).most_common(1)[0][0]
    return Record(line=0, lines=0, fields=[], text=""), _declared_columns(sought, width)


def header_place(sample: Sequence[Sequence[str]], sought: Sought) -> int | None:
    """
    Return which record of *sample* is the header; None when the mapping says that there is none.

    It is the one with the most known names. When no record has any, it is the first with text. A title of one field
    does not count where most records have more.
    """
    if sought.header_row == 0:
        return None
    if sought.header_row is not None:
        if sought.header_row > len(sample):
            raise SourceError(
                f"{sought.name}: header_row is {sought.header_row}; the file has {len(sample)} records",
                hint="Correct `header_row` in the source mapping.",
            )
        return sought.header_row - 1
    scores = [hits(fields, sought.known) for fields in sample[:SEARCHED_RECORDS]]
    best = max(scores, default=0)
    if best:
        return scores.index(best)
    return _first_with_text(sample)


def _declared_columns(sought: Sought, width: int) -> tuple[str, ...]:
    if sought.columns and len(sought.columns) != width:
        raise SourceError(
            f"{sought.name}: the mapping names {len(sought.columns)} columns; most rows have {width}",
            hint="Correct `columns` in the source mapping.",
        )
    return sought.columns or tuple(f"column {place}" for place in range(1, width + 1))


def _sample(lines: list[str], separator: str, *, skips_space: bool = False) -> list[Record]:
    found = []
    for record in split_records(lines, separator, skips_space=skips_space):
        found.append(record)
        if len(found) == SAMPLE_RECORDS:
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
    names = max(hits(fields, known) for fields in rows[:SEARCHED_RECORDS])
    return names, (count / len(sample) if width > 1 else 0.0), width
