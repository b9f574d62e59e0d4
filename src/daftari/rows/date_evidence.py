"""Which date style the values of a column are in, and when that stays open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from daftari.rows.dates import DateStyle


@dataclass(frozen=True, kw_only=True)
class DateVerdict:
    """What some values say. Without *styles* they say nothing."""

    styles: tuple[DateStyle, ...] = ()
    #: a style that reads some of the same values as other days
    rival: DateStyle | None = None
    rival_only: int = 0  #: values that only the rival reads; more than 0: the column contradicts itself
    read: int = 0
    values: int = 0
    witness: str = ""  #: what settled it, for people


def judge_dates(values: pl.Series, candidates: Sequence[DateStyle]) -> DateVerdict:
    """Weigh the *candidates*, the likelier first, on the distinct *values* of a column."""
    reads = {style: style.read(values) for style in candidates}
    counts = {style: len(values) - read.null_count() for style, read in reads.items()}
    best = max(candidates, key=lambda style: counts[style])
    if not counts[best]:
        return DateVerdict(values=len(values))
    verdict = DateVerdict(styles=_family(best, counts), read=counts[best], values=len(values))
    for style, read in reads.items():
        if counts[style] and _differ(reads[best], read):
            best_only = int((reads[best].is_not_null() & read.is_null()).sum())
            rival_only = int((reads[best].is_null() & read.is_not_null()).sum())
            if rival_only or not best_only:
                return DateVerdict(
                    styles=verdict.styles,
                    rival=style,
                    rival_only=rival_only,
                    read=counts[best],
                    values=len(values),
                )
            verdict = DateVerdict(
                styles=verdict.styles,
                read=counts[best],
                values=len(values),
                witness=f"{best_only} values are no date as {style.words}",
            )
    return verdict


def _differ(one: pl.Series, other: pl.Series) -> bool:
    return bool((one.cast(pl.Datetime("us")) != other.cast(pl.Datetime("us"))).any())


def _family(best: DateStyle, counts: dict[DateStyle, int]) -> tuple[DateStyle, ...]:
    """Return *best* and the styles that write the same day alike and only more or less of the time."""
    same = [style for style, count in counts.items() if count and style.day == best.day]
    return tuple(sorted(same, key=lambda style: -counts[style]))
