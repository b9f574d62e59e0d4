"""Infer the date style of a column's values, or report that they are ambiguous."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import polars as pl

from daftari.rows.formats.dates import ISO_DAY, DateStyle

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class DateVerdict:
    """The date style of some values. Without *styles*: no evidence."""

    styles: tuple[DateStyle, ...] = ()
    #: another style that reads some of the same values as different days
    rival: DateStyle | None = None
    rival_only: int = 0  #: values that only the rival reads; more than 0: the column mixes styles
    read: int = 0
    values: int = 0
    witness: str = ""  #: what decided it, for people


@dataclass(frozen=True, kw_only=True)
class DateEvidence:
    """
    What the distinct values of a column's blocks are as dates, added up.

    Styles that write the day in the same way and differ only in the time of day form one family, named by the day.
    """

    values: int = 0
    by_style: Counter[DateStyle] = field(default_factory=Counter)  #: values that each style reads
    by_family: Counter[str] = field(default_factory=Counter)  #: values that a style of each family reads
    shared: Counter[Pair] = field(default_factory=Counter)  #: values that both families read
    differ: frozenset[Pair] = frozenset()  #: families that read some value as different moments

    def __add__(self, other: DateEvidence) -> DateEvidence:
        return DateEvidence(
            values=self.values + other.values,
            by_style=self.by_style + other.by_style,
            by_family=self.by_family + other.by_family,
            shared=self.shared + other.shared,
            differ=self.differ | other.differ,
        )

    def verdict(self, candidates: Sequence[DateStyle]) -> DateVerdict:
        """
        Decide between the *candidates*, the likelier first.

        A style that never reads a value differently from the best one is kept if it was declared, or is ISO 8601.
        """
        families = list(dict.fromkeys(style.day for style in candidates))
        best = max(families, key=lambda family: self.by_family[family])
        if not self.by_family[best]:
            return DateVerdict(values=self.values)
        verdict = DateVerdict(styles=self._styles(best), read=self.by_family[best], values=self.values)
        for rival in families:
            if (best, rival) not in self.differ:
                continue
            best_only, rival_only = self.only(best, rival), self.only(rival, best)
            if rival_only or not best_only:
                return replace(verdict, rival=self._styles(rival)[0], rival_only=rival_only)
            words = self._styles(rival)[0].words
            verdict = replace(verdict, witness=f"{best_only} values are not a date as {words}")
        return verdict

    def only(self, family: str, other: str) -> int:
        """Count the values that *family* reads and the *other* does not."""
        return self.by_family[family] - self.shared[family, other]

    def others(self, styles: Sequence[DateStyle]) -> tuple[DateStyle, ...]:
        """Return the styles of the families that read a value which the families of *styles* do not."""
        chosen = {style.day for style in styles}
        return tuple(
            style
            for style in self.by_style
            if style.day not in chosen and all(self.only(style.day, one) for one in chosen)
        )

    def agreeing(self, best: DateStyle, candidates: Sequence[DateStyle]) -> tuple[DateStyle, ...]:
        """Return the *candidates* of other families that read no value differently from the family of *best*."""
        return tuple(
            style
            for style in candidates
            if style.day != best.day and (best.day, style.day) not in self.differ
        )

    def _styles(self, family: str) -> tuple[DateStyle, ...]:
        """Return the styles of *family* that read a value, the most successful first."""
        found = [(style, count) for style, count in self.by_style.items() if style.day == family and count]
        return tuple(style for style, _ in sorted(found, key=lambda one: -one[1]))


def weigh_dates(values: pl.Series, candidates: Sequence[DateStyle]) -> DateEvidence:
    """Read the distinct *values* in each of the *candidates*."""
    reads: dict[DateStyle, pl.Series] = {}
    for style in _possible(values, candidates):
        read = style.read(values).cast(pl.Datetime("us"))
        if read.null_count() < len(values):
            reads[style] = read
    together = {family: _coalesced(reads, family) for family in dict.fromkeys(one.day for one in reads)}
    shared: Counter[Pair] = Counter()
    differ: set[Pair] = set()
    for one, other in combinations(together, 2):
        both = int((together[one].is_not_null() & together[other].is_not_null()).sum())
        if both:
            shared.update({(one, other): both, (other, one): both})
            if (together[one] != together[other]).any():
                differ |= {(one, other), (other, one)}
    return DateEvidence(
        values=len(values),
        by_style=Counter({style: len(values) - read.null_count() for style, read in reads.items()}),
        by_family=Counter({family: len(values) - read.null_count() for family, read in together.items()}),
        shared=shared,
        differ=frozenset(differ),
    )


def is_iso(style: DateStyle) -> bool:
    return style.day == ISO_DAY.day


def _coalesced(reads: dict[DateStyle, pl.Series], family: str) -> pl.Series:
    columns = {str(place): read for place, (style, read) in enumerate(reads.items()) if style.day == family}
    return pl.DataFrame(columns).select(pl.coalesce(pl.all())).to_series()


def _possible(values: pl.Series, candidates: Sequence[DateStyle]) -> list[DateStyle]:
    """
    Return the *candidates* whose shape fits one of *values*: reading a value in a style costs far more.

    A shape asks which characters are digits, never which digit, except that minutes and seconds begin with 0 to 5.
    """
    outlines = values.str.replace_all(r"[0-9]", "1").unique()
    if len(outlines) > _FEW:
        return [style for style in candidates if outlines.str.contains(style.shape).any()]
    few = outlines.to_list()
    return [style for style in candidates if any(map(re.compile(style.shape).match, few))]


#: So many texts are faster compared one by one.
_FEW = 500


def judge_dates(values: pl.Series, candidates: Sequence[DateStyle]) -> DateVerdict:
    """Compare the *candidates*, the likelier first, on the distinct *values* of a column."""
    return weigh_dates(values, candidates).verdict(candidates)
