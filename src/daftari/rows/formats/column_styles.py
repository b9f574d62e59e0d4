"""The styles that the values of one field may have, and what they show of them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from daftari.contract.model import LogicalType
from daftari.rows.formats.date_evidence import DateEvidence, weigh_dates
from daftari.rows.formats.dates import (
    DAY_STYLES,
    GUESSED_EXCEL,
    ISO_DAY,
    MOMENT_STYLES,
    SURE_19XX,
    SURE_20XX,
    DateStyle,
    date_style,
)
from daftari.rows.formats.number_evidence import NumberEvidence, weigh
from daftari.rows.mapping.column_plan import FieldPlan

_ISO_MOMENTS = MOMENT_STYLES[:12]
#: While styles are compared, any century will do.
_ANY_PIVOT = 68


def canonical_styles(kind: LogicalType) -> tuple[DateStyle, ...]:
    """Return the styles that an API accepts for dates; none for other types."""
    return {LogicalType.DATE: (ISO_DAY,), LogicalType.TIMESTAMP: _ISO_MOMENTS}.get(kind, ())


def candidates_of(plan: FieldPlan) -> tuple[DateStyle, ...]:
    """Return the date styles that values of *plan* may have, the likelier first: those declared, or all."""
    if plan.source.format:
        return tuple(map(_comparable, map(date_style, plan.source.format)))
    return (*_likely(plan), *_OTHERS)


def _likely(plan: FieldPlan) -> tuple[DateStyle, ...]:
    return _DAYS if plan.field.logical_type is LogicalType.DATE else _MOMENTS


def _comparable(style: DateStyle) -> DateStyle:
    return replace(style, pivot=_ANY_PIVOT) if style.has_short_years else style


_DAYS = tuple(map(_comparable, DAY_STYLES))
_MOMENTS = tuple(map(_comparable, dict.fromkeys((*MOMENT_STYLES, *DAY_STYLES))))
_OTHERS = (*map(_comparable, MOMENT_STYLES), GUESSED_EXCEL)


def weigh_column(plan: FieldPlan, values: pl.Series) -> DateEvidence | NumberEvidence:
    """Collect what the distinct *values* of a column of dates or numbers show."""
    if plan.field.logical_type not in (LogicalType.DATE, LogicalType.TIMESTAMP):
        return weigh(values)
    if plan.source.format:
        return weigh_dates(values, candidates_of(plan))
    found = weigh_dates(values, canonical_styles(plan.field.logical_type))
    if found.by_family[ISO_DAY.day] == len(values):
        return found
    found = weigh_dates(values, _likely(plan))
    return found if found.by_style else weigh_dates(values, _OTHERS)


def own_pivot(plan: FieldPlan) -> int | None:
    """Return the last two-digit year that is 20xx by the mapping or by the bounds of the field; None if unknown."""
    if plan.source.pivot is not None:
        return plan.source.pivot
    options = plan.field.options
    first = _year(options.minimum or options.exclusive_minimum)
    last = _year(options.maximum or options.exclusive_maximum)
    if last is not None and last <= 2000 + SURE_20XX:
        return last - 2000 if last >= 2000 else -1
    return SURE_19XX - 1 if first is not None and first >= 1900 + SURE_19XX else None


def _year(bound: object) -> int | None:
    text = str(bound)[:4] if bound is not None else ""
    return int(text) if text.isdigit() else None
