"""
A table as people and programs write it: its rows, and around, between and inside them what is no value.

`files` draws the lines of a file and its dirt; `Pen` writes the cells. `tests/dirty_formats.py` makes bytes of them.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Row = Mapping[str, Any]

LABELS = [
    "Total",
    "GRAND TOTAL",
    "Sub-total:",
    "Total (KES)",
    "Jumla",
    "Jumla kuu",
    "Jumla ndogo",
    "Total\u200b for March",
    " Total geral ",
    "Sous-total",
]
TITLES = ["County of Nairobi", "Payments, March 2026", "Printed on: 2026-03-14", "", "Finance department"]
FOOTERS = ["Prepared by: Finance", "Source: the ledger", "-----", "(3 rows affected)", "End of report"]
#: Columns of a file that no field takes, and what they hold in the row of a number.
EXTRAS = {
    "No.": str,
    "Remarks": lambda n: ["", "late", "see file", "Total paid"][n % 4],
    "Checked by": lambda n: ["A. Njeri", "B. Otieno"][n % 2],
    "": lambda _: "",
}

#: Day styles, as a mapping declares them, and how Python writes them.
DATES = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
    "D.M.YYYY": "%-d.%-m.%Y",
    "DD/MM/YY": "%d/%m/%y",
    "YYYY/MM/DD": "%Y/%m/%d",
    "DD-Mon-YYYY": "%d-%b-%Y",
    "DD Month YYYY": "%d %B %Y",
    "Month D, YYYY": "%B %-d, %Y",
    "D Mon, YYYY": "ordinal",
}
#: Those that read another style's days too, unless a day is above 12.
SWAPPED = {"DD/MM/YYYY", "MM/DD/YYYY", "D.M.YYYY", "DD/MM/YY"}
#: How numbers are written: the group mark, the decimal mark, and what is around them.
MONEY = {
    "plain": ("", ".", "{}"),
    "grouped": (",", ".", "{}"),
    "european": (".", ",", "{}"),
    "comma": ("", ",", "{}"),
    "french": ("\u00a0", ",", "{}"),
    "thin": ("\u202f", ",", "{}"),
    "swiss": ("'", ".", "{}"),
    "shillings": (",", ".", "KSh {}"),
    "code": (",", ".", "{} KES"),
    "slash": (",", ".", "{}/="),
    "accounting": (",", ".", "({})"),
    "trailing": (",", ".", "{}-"),
}

#: Columns in which a word may say that there is no value.
FIGURES = {"paid_on", "recorded", "amount", "pieces", "rate"}

#: Nobody sees them, and no text needs them.
USELESS = ["\u200b", "\u2060", "\ufeff"]
#: Nobody sees them; in a text that identifies nothing they may join letters or turn their direction.
INVISIBLE = [*USELESS, "\u200e", "\u200f", "\u202a", "\u202c", "\u00ad", "\u2066", "\ufe0f", "\x7f"]
OUTER = ["", "", " ", "\u00a0", "\u3000", "\u2009", "\u200e", "\ufeff", " \u200b "]
SPACES = [" ", "\u00a0", "  ", "\u2009"]


@dataclass(frozen=True, kw_only=True)
class Dirt:
    """How a file is written."""

    seed: int  #: of the places where specks and blanks are
    columns: tuple[str, ...]  #: fields and other columns, in the order of the file
    specks: float  #: how many texts have invisible characters
    date: str
    money: str
    offset: float | None  #: hours; None: moments are written in the workspace's zone, without one
    blank: str  #: how a missing number or date is written
    titles: tuple[str, ...]
    mark: bool
    encoding: str
    ending: str
    spare: tuple[int, ...]  #: surplus fields, line by line
    is_padded: bool  #: notes are as wide as rows
    is_quoted: bool
    shift: int  #: empty columns of a sheet to the left of the table
    packing: str
    block: int  #: bytes that are read at once

    @property
    def has_styled_moments(self) -> bool:
        """Whether moments are written as dates are; otherwise in ISO 8601."""
        return self.offset is None and DATES[self.date] not in ("ordinal", "%Y-%m-%d")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What the table of a test is."""

    fields: tuple[str, ...]
    optional: frozenset[str]  #: the file may lack their columns
    labelled: tuple[str, ...]  #: where the label of a total may be
    summed: tuple[str, ...]  #: what a total states


@st.composite
def files(draw: st.DrawFn, rows: st.SearchStrategy[Row], shape: Shape) -> Any:
    """Draw a table, the lines of a file of it (each a row, or what is none), and the dirt of that file."""
    table = [
        {"ref": f"R-{n}", **row} for n, row in enumerate(draw(st.lists(rows, min_size=2, max_size=25)), 1)
    ]
    lines: list[tuple[str, Any]] = []
    since = 0
    for at, row in enumerate(table, start=1):
        lines.append(("row", row))
        for what in draw(st.lists(st.sampled_from(["", "", "total", "blank", "header"]), max_size=2)):
            if what == "total":
                some = table[since:at] if draw(st.booleans()) and since < at else table[:at]
                label = draw(st.sampled_from(LABELS) | st.none())
                lines.append((what, total(some, shape.summed, draw(st.sampled_from(shape.labelled)), label)))
                since = at
            elif what:
                lines.append((what, None))
    lines += [("footer", note) for note in draw(st.lists(st.sampled_from(FOOTERS), max_size=3))]
    absent = draw(st.sets(st.sampled_from(sorted(shape.optional)), max_size=2))
    extras = draw(st.sets(st.sampled_from(sorted(EXTRAS)), max_size=2))
    columns = draw(st.permutations([one for one in [*shape.fields, *sorted(extras)] if one not in absent]))
    return table, lines, draw(dirts(tuple(columns)))


def dirts(columns: tuple[str, ...]) -> st.SearchStrategy[Dirt]:
    return st.builds(
        Dirt,
        seed=st.integers(0, 2**32),
        columns=st.just(columns),
        specks=st.sampled_from([0, 0, 0.1, 0.5]),
        date=st.sampled_from(sorted(DATES)),
        money=st.sampled_from(sorted(MONEY)),
        offset=st.sampled_from([None, -8, 0, 3, 5.5]),
        blank=st.sampled_from(["", "", "-", "n/a", "NULL"]),
        titles=st.lists(st.sampled_from(TITLES), max_size=3).map(tuple),
        mark=st.booleans(),
        encoding=st.sampled_from(["utf-8", "utf-8", "utf-16-le", "utf-16-be", "cp1252"]),
        ending=st.sampled_from(["\n", "\r\n", "\r"]),
        spare=st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple),
        is_padded=st.booleans(),
        is_quoted=st.booleans(),
        shift=st.integers(0, 2),
        packing=st.sampled_from(["", "", "", "gz", "zip"]),
        block=st.integers(20, 2000),
    )


def total(rows: Sequence[Row], summed: Sequence[str], where: str, label: str | None) -> Row:
    return {
        **({where: label} if label else {}),
        **{name: sum((row[name] for row in rows if row[name] is not None), Decimal(0)) for name in summed},
    }


@dataclass(kw_only=True)
class Pen:
    """Writes cells as the dirt of a file says."""

    dirt: Dirt
    identifying: frozenset[str]
    is_sheet: bool = False  #: a sheet may have values and their texts in one column
    places: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.places = random.Random(self.dirt.seed)

    def header(self) -> list[str]:
        return [self.speckled(self.places.choice(_spellings(name)), True) for name in self.dirt.columns]

    def cells(self, what: str, row: Row, number: int, *, typed: bool = False) -> list[Any]:
        """Return the cells of a row or total, in the order of the columns; *number* is that of the line."""
        return [
            (EXTRAS[name](number) if what == "row" else "")
            if name in EXTRAS
            else self.cell(name, row.get(name), what, typed=typed)
            for name in self.dirt.columns
        ]

    def cell(self, name: str, value: Any, what: str, *, typed: bool) -> Any:
        """Return the value that a format marks as of a type, or its text."""
        is_text = isinstance(value, str)
        if typed and not is_text and not (self.is_sheet and self.places.random() < self.dirt.specks):
            return float(value) if isinstance(value, Decimal) else _local(value, None)
        text = self.text(value)
        if what != "row":
            return text
        if value is None:
            return self.dirt.blank if name in FIGURES else ""
        return self.speckled(text, name in self.identifying or not is_text)

    def text(self, value: Any) -> str:
        match value:
            case None:
                return ""
            case bool():
                return "Yes" if value else "No"
            case datetime():
                return self.moment(value)
            case date():
                return day(value, self.dirt.date)
            case Decimal() | int():
                return number(value, self.dirt.money)
            case _:
                return str(value)

    def moment(self, value: datetime) -> str:
        """Write a moment of UTC with an offset, or without: it is in the workspace's zone then."""
        local = _local(value, self.dirt.offset)
        if self.dirt.has_styled_moments:
            return f"{day(local, self.dirt.date)} {local:%H:%M:%S}"
        return local.isoformat()

    def speckled(self, text: str, is_identifying: bool) -> str:
        """Return *text* with characters that nobody sees, in another Unicode form, and with white space around it."""
        if not text or self.places.random() >= self.dirt.specks:
            return text
        if self.places.random() < 0.5 and self.dirt.encoding != "cp1252":
            text = unicodedata.normalize("NFD", text)
        if is_identifying:
            text = "".join(self._one_of(SPACES) if one == " " else one for one in text)
        inner = INVISIBLE if is_identifying else USELESS
        at = self.places.randint(0, len(text))
        text = f"{text[:at]}{self._one_of(inner)}{text[at:]}"
        return f"{self._one_of(OUTER)}{text}{self._one_of(OUTER)}"

    def _one_of(self, texts: Sequence[str]) -> str:
        """Return one of *texts*; nothing if the encoding does not have it."""
        found = [text for text in texts if _can_be_written(text, self.dirt.encoding)]
        return self.places.choice(found) if found else ""


def _spellings(name: str) -> list[str]:
    return [name, name, name.upper(), name.replace("_", " ").capitalize(), name.replace("_", "\u00a0")]


def _can_be_written(text: str, encoding: str) -> bool:
    if encoding == "cp1252" and text == "\u00ad":
        return False  # among few letters it looks like another encoding, which is refused
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _local(value: Any, offset: float | None) -> Any:
    if not isinstance(value, datetime):
        return value
    local = value.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=3 if offset is None else offset)))
    return local.replace(tzinfo=None) if offset is None else local


def day(value: date, style: str) -> str:
    if DATES[style] == "ordinal":
        ending = "th" if 10 < value.day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(value.day % 10, "th")
        return f"{value.day}{ending} {value:%B, %Y}"
    return value.strftime(DATES[style])


def number(value: Decimal | int, style: str) -> str:
    group, decimal, around = MONEY[style]
    text = f"{abs(value):,}".replace(",", "G").replace(".", decimal).replace("G", group)
    if style in ("accounting", "trailing"):
        return around.format(text) if value < 0 else text
    return ("-" if value < 0 else "") + around.format(text)
