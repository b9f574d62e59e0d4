"""Infer from a column's numbers how the file writes numbers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum

import polars as pl

from daftari.rows.formats.numbers import CURRENCIES, GROUPING, NumberStyle

_NUMBER = re.compile(
    r"(?P<open>\()?\s*[-+\u2212\u2013]?\s*(?P<before>[^\d.,()\s%+-]{1,4}\.?)?\s*[-+\u2212\u2013]?\s*"
    r"(?P<digits>[.,]?\d[\d.,'\u2019 \u00a0\u2009\u202f]*)"
    r"\s*(?P<after>/[=-]|[^\d.,()\s%+-]{1,4}\.?)?\s*(?P<percent>%)?\s*(?P<minus>[-\u2212])?\s*\)?"
)
_CURRENCY_OF = {sign: code for code, signs in CURRENCIES.items() for sign in signs}


class Mark(StrEnum):
    """What a point or a comma in one number means."""

    DECIMAL = "decimal"
    THOUSANDS = "thousands"
    EITHER = "either"  #: one mark with three digits after it


@dataclass(frozen=True, kw_only=True)
class NumberEvidence:
    """Counts over the numbers of one column that are not plain digits."""

    marks: Counter[tuple[Mark, str]] = field(default_factory=Counter)
    groups: frozenset[str] = frozenset()  #: spaces and apostrophes found between digits
    currencies: Counter[str] = field(default_factory=Counter)
    percents: int = 0
    numbers: int = 0
    #: marks with three digits after them, of which one is not 0
    fractions: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: NumberEvidence) -> NumberEvidence:
        return NumberEvidence(
            marks=self.marks + other.marks,
            groups=self.groups | other.groups,
            currencies=self.currencies + other.currencies,
            percents=self.percents + other.percents,
            numbers=self.numbers + other.numbers,
            fractions=self.fractions + other.fractions,
        )

    @property
    def kinds(self) -> frozenset[str]:
        """Return what these numbers show, without counts."""
        found = {f"{kind} {mark}" for (kind, mark), count in self.marks.items() if count}
        found |= {f"group {mark}" for mark in self.groups} | {f"currency {code}" for code in self.currencies}
        return frozenset(found | ({"percent"} if self.percents else set()))

    def decided(self) -> str | None:
        """Return the decimal mark that these numbers show; None if ambiguous."""
        points = self.marks[Mark.DECIMAL, "."] + self.marks[Mark.THOUSANDS, ","]
        commas = self.marks[Mark.DECIMAL, ","] + self.marks[Mark.THOUSANDS, "."]
        if points == commas == 0:
            return None
        return "." if points >= commas else ","

    @property
    def is_contradictory(self) -> bool:
        """Whether both marks are used as decimal and some numbers are ambiguous."""
        points = self.marks[Mark.DECIMAL, "."] + self.marks[Mark.THOUSANDS, ","]
        commas = self.marks[Mark.DECIMAL, ","] + self.marks[Mark.THOUSANDS, "."]
        return bool(points and commas and (self.either(".") or self.either(",")))

    def decided_as_whole(self) -> str | None:
        """
        Return the decimal mark, given that every number is whole: a single mark groups thousands.

        A point before three zeros may still be a decimal point, as a database writes it.
        """
        if self.either(",") and not self.either("."):
            return "."
        return "," if self.fractions["."] and not self.either(",") else None

    def either(self, mark: str) -> int:
        return self.marks[Mark.EITHER, mark]

    def style(self, decimal: str) -> NumberStyle:
        """Return the style of these numbers, given the *decimal* mark."""
        other = "," if decimal == "." else "."
        grouped = other if self.marks[Mark.THOUSANDS, other] or self.either(other) else ""
        currency = next(iter(self.currencies), None)
        return NumberStyle(
            decimal=decimal,
            thousands=grouped + "".join(sorted(self.groups)),
            affixes=CURRENCIES[currency] if currency else (),
            percent=self.percents > 0 and self.percents == self.numbers,
        )


def weigh(texts: pl.Series) -> NumberEvidence:
    """
    Collect the evidence in *texts*; texts that are not numbers are ignored.

    Only a leading 0 matters among digits, so the many values of a column have few shapes.
    """
    shapes = texts.str.replace_all("[1-9]", "9").alias("shape").value_counts().iter_rows()
    found = NumberEvidence()
    groups: set[str] = set()
    numbers = percents = 0
    fractions: Counter[str] = Counter()
    for shape, count in shapes:
        number = _NUMBER.fullmatch(shape)
        if number is None:
            continue
        signs = [sign.upper() for sign in (number["before"], number["after"]) if sign]
        codes = {_CURRENCY_OF.get(sign) or _CURRENCY_OF.get(sign.rstrip(".")) for sign in signs}
        if None in codes:
            continue
        numbers += count
        percents += count * (number["percent"] is not None)
        found.currencies.update({code: count for code in codes if code})
        groups.update(set(number["digits"]) & set(GROUPING))
        digits = "".join(c for c in number["digits"] if c not in GROUPING)
        marks = Counter(_marks(digits))
        found.marks.update({mark: count * times for mark, times in marks.items()})
        fractions.update({mark: 1 for kind, mark in marks if kind is Mark.EITHER and digits[-3:] != "000"})
    return replace(found, groups=frozenset(groups), numbers=numbers, percents=percents, fractions=fractions)


def _marks(digits: str) -> list[tuple[Mark, str]]:
    """Return what the points and commas of one number are."""
    marks = [c for c in digits if not c.isdigit()]
    if not marks:
        return []
    kinds, last = set(marks), marks[-1]
    if len(kinds) == 2:
        first = (kinds - {last}).pop()
        return [(Mark.DECIMAL, last), (Mark.THOUSANDS, first)] if marks.count(last) == 1 else []
    if len(marks) > 1:
        return [(Mark.THOUSANDS, last)]
    head, tail = digits.split(last)
    if len(tail) == 3 and 1 <= len(head) <= 3 and not head.startswith("0"):
        return [(Mark.EITHER, last)]
    return [(Mark.DECIMAL, last)]
