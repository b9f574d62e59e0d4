"""Infer the date style of a column's values, or report that they are ambiguous."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from daftari.rows.formats.dates import DateStyle


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


def judge_dates(values: pl.Series, candidates: Sequence[DateStyle]) -> DateVerdict:
    """
    Compare the *candidates*, the likelier first, on the distinct *values* of a column.

    Styles that write the day in the same way and differ only in the time of day form one family.
    """
    possible = _possible(values, candidates)
    if not possible:
        return DateVerdict(values=len(values))
    families = {day: _Family.of(values, list(styles)) for day, styles in _by_day(possible).items()}
    best = max(families.values(), key=lambda family: family.count)
    if not best.count:
        return DateVerdict(values=len(values))
    verdict = DateVerdict(styles=best.styles, read=best.count, values=len(values))
    for rival in families.values():
        if not best.differs_from(rival):
            continue
        best_only, rival_only = best.count_unshared(rival), rival.count_unshared(best)
        if rival_only or not best_only:
            return replace(verdict, rival=rival.styles[0], rival_only=rival_only)
        verdict = replace(verdict, witness=f"{best_only} values are not a date as {rival.styles[0].words}")
    return verdict


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


def _by_day(candidates: Sequence[DateStyle]) -> dict[str, list[DateStyle]]:
    families: dict[str, list[DateStyle]] = {}
    for style in candidates:
        families.setdefault(style.day, []).append(style)
    return families


@dataclass(frozen=True, kw_only=True)
class _Family:
    """Styles that write the day in the same way, and what they read together."""

    styles: tuple[DateStyle, ...]  #: those that read at least one value, the most successful first
    reads: pl.Series

    @staticmethod
    def of(values: pl.Series, styles: list[DateStyle]) -> _Family:
        reads = {style: style.read(values).cast(pl.Datetime("us")) for style in styles}
        counts = {style: len(values) - read.null_count() for style, read in reads.items()}
        useful = sorted((style for style in styles if counts[style]), key=lambda style: -counts[style])
        together = pl.DataFrame({str(n): reads[style] for n, style in enumerate(useful or styles[:1])})
        return _Family(styles=tuple(useful), reads=together.select(pl.coalesce(pl.all())).to_series())

    @property
    def count(self) -> int:
        return len(self.reads) - self.reads.null_count()

    def differs_from(self, other: _Family) -> bool:
        """Whether both read some value, but as different moments."""
        return bool((self.reads != other.reads).any())

    def count_unshared(self, other: _Family) -> int:
        """Count the values that this family reads and the *other* does not."""
        return int((self.reads.is_not_null() & other.reads.is_null()).sum())
