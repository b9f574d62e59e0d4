"""Whether a later part of a file contradicts the styles that were inferred from its beginning."""

from __future__ import annotations

import polars as pl

from daftari.rows.formats.column_styles import weigh_column
from daftari.rows.formats.date_evidence import DateEvidence
from daftari.rows.formats.numbers import NumberStyle
from daftari.rows.mapping.column_plan import FieldPlan


class StyleChanged(Exception):
    """A later part of the file shows what the first did not: its styles must be inferred from the whole file."""


def contradicts(plan: FieldPlan, misread: pl.Series) -> bool:
    """Whether the values that the styles of *plan* do not read are of a kind that the first part did not show."""
    if plan.seen is None or not len(misread):
        return False
    found = weigh_column(plan, misread.unique())
    kinds = {one.chrono for one in found.by_style} if isinstance(found, DateEvidence) else found.kinds
    return not kinds <= plan.seen


def is_doubtful(plan: FieldPlan, content: pl.Series) -> bool:
    """Whether a point turns up whose meaning no number of the column has told."""
    if not awaits_points(plan):
        return False
    pointed = content.filter(content.str.contains(".", literal=True).fill_null(False))
    if not len(pointed):
        return False
    found = weigh_column(plan, pointed.unique())
    assert not isinstance(found, DateEvidence), "a point in a date has no such meaning"
    return "either ." in found.kinds and "decimal ." not in found.kinds


def awaits_points(plan: FieldPlan) -> bool:
    """Whether the style is that of plain digits, because no number had a point so far."""
    if plan.seen is None or any(kind.endswith(".") for kind in plan.seen):
        return False
    return any(isinstance(one, NumberStyle) and one.decimal == "." for one in plan.styles)
