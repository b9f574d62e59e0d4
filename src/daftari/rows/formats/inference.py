"""
Infer how each column of one file is written, from only as many rows as needed to be sure.

Each style is fixed once for the whole file: if a later block shows something that the first ones did not
(`late_evidence`), the file is read again and every row decides. Ambiguity is an error: day and month are never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from dataclasses import field as default

import polars as pl

from daftari.contract.model import LogicalType
from daftari.errors import MappingError
from daftari.rows.formats.column_styles import candidates_of, canonical_styles, own_pivot, weigh_column
from daftari.rows.formats.date_evidence import DateEvidence, DateVerdict, is_iso
from daftari.rows.formats.dates import SURE_19XX, SURE_20XX, DateStyle
from daftari.rows.formats.number_evidence import NumberEvidence
from daftari.rows.formats.numbers import CANONICAL, CURRENCIES, GROUPING, NumberStyle
from daftari.rows.formats.parse import NULL_WORDS as NULL_WORDS
from daftari.rows.formats.parse import physical
from daftari.rows.formats.texts import columns_of
from daftari.rows.intake.block import Block
from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan

_DATED = {LogicalType.DATE, LogicalType.TIMESTAMP}
_COUNTED = {LogicalType.INTEGER, LogicalType.NUMBER}


def canonical(plan: ColumnPlan) -> ColumnPlan:
    """Fix *plan* to the canonical styles, which an API accepts."""
    return replace(plan, fields=tuple(map(_canonical, plan.fields)))


def _canonical(plan: FieldPlan) -> FieldPlan:
    return replace(plan, styles=canonical_styles(plan.field.logical_type))


def infer_styles(plan: ColumnPlan, blocks: Iterable[Block], *, whole: bool = False) -> ColumnPlan:
    """
    Fix the styles of *plan*'s columns, reading only as many of *blocks* as needed; if *whole*, all of them.

    Raises:
        MappingError: a column's values are ambiguous, or contradict each other.
    """
    columns = {place: _Column(plan=_unsettled(one)) for place, one in enumerate(plan.fields) if _is_open(one)}
    whole_at = set(columns)  # columns of which every value was looked at
    for block in blocks if columns else ():
        open_at = [place for place, one in columns.items() if whole or not one.settled]
        whole_at &= set(open_at)
        asked = replace(plan, fields=tuple(columns[place].plan for place in open_at))
        for place, text in zip(open_at, columns_of(asked, block), strict=True):
            columns[place] = columns[place].plus(text.content, block)
        _share_decimal_mark(columns)
        if not whole and all(one.settled for one in columns.values()):
            whole_at.clear()
            break
    settled = {place: _finish(one, plan, is_part=place not in whole_at) for place, one in columns.items()}
    fields = tuple(settled.get(place) or _with_null_words(one) for place, one in enumerate(plan.fields))
    return replace(plan, fields=fields)


def _with_null_words(plan: FieldPlan) -> FieldPlan:
    is_boolean = plan.field.logical_type is LogicalType.BOOLEAN and bool(plan.columns)
    return replace(plan, takes_null_words=True) if is_boolean else plan


def _is_open(plan: FieldPlan) -> bool:
    return bool(plan.columns) and plan.field.logical_type in _DATED | _COUNTED


def _unsettled(plan: FieldPlan) -> FieldPlan:
    return replace(plan, styles=(), evidence="", seen=None, takes_null_words=True)


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column, what its values show so far, and its plan once that suffices."""

    plan: FieldPlan
    settled: FieldPlan | None = None
    dates: DateEvidence = default(default_factory=DateEvidence)
    numbers: NumberEvidence = default(default_factory=NumberEvidence)
    values: int = 0  #: distinct by block, without words that mean nothing
    odd: int = 0  #: of these, those that are not plain digits
    has_typed: bool = False
    has_points: bool = False  #: as in `Block`

    @property
    def is_dated(self) -> bool:
        return self.plan.field.logical_type in _DATED

    def plus(self, content: pl.Series, block: Block) -> _Column:
        """Return the column with the values of one more block, settled if they suffice."""
        typed = typed_cells(self.plan, content, block)
        text = content if typed is None else content.filter(~typed)
        values = text.drop_nulls().unique(maintain_order=True)
        words = values.filter(values.str.to_lowercase().is_in(NULL_WORDS)).to_list()
        values = values.filter(~values.is_in(words)) if words else values
        added = replace(
            self,
            values=self.values + len(values),
            has_typed=self.has_typed or (typed is not None and bool(typed.any())),
            has_points=self.has_points or block.has_points,
        )
        if not len(values):
            return replace(added, settled=added._settle()) if added.has_typed else added
        found = weigh_column(self.plan, values)
        if isinstance(found, DateEvidence):
            added = replace(added, dates=self.dates + found)
        else:
            odd = int((~values.str.contains(CANONICAL)).sum())
            added = replace(added, numbers=self.numbers + found, odd=self.odd + odd)
        return replace(added, settled=added._settle())

    def _settle(self) -> FieldPlan | None:
        return _settled_dates(self) if self.is_dated else _settled_numbers(self)


def typed_cells(plan: FieldPlan, content: pl.Series, block: Block) -> pl.Series | None:
    """Return which cells the file itself marks as of the field's type; None if it marks none."""
    typed = block.typed.get(plan.columns[0]) if len(plan.columns) == 1 else None
    if typed is None or not typed.any():
        return None
    if plan.field.logical_type in _DATED:
        typed = typed & content.str.contains(_ISO).fill_null(False)
    return typed & content.is_not_null()


_ISO = r"^\d{4}-\d{2}-\d{2}"


def _settled_dates(column: _Column) -> FieldPlan | None:
    plan, evidence = column.plan, column.dates
    candidates = candidates_of(plan)
    declared = candidates if plan.source.format else ()
    if len(declared) == 1:
        settled = replace(plan, styles=_with_pivot(plan, declared), evidence="declared")
        return replace(settled, guess=_century(settled))
    if column.has_typed and not declared:
        candidates = tuple(style for style in candidates if not is_iso(style)) + canonical_styles(
            plan.field.logical_type
        )
    verdict = evidence.verdict(candidates)
    if verdict.rival_only:
        raise _contradiction(plan, verdict)
    if verdict.rival:
        return None
    if not verdict.styles:
        return replace(_canonical(plan), evidence="marked as dates in the file") if column.has_typed else None
    seen = frozenset(style.chrono for style in evidence.others(verdict.styles))
    is_canonical = set(verdict.styles) <= set(canonical_styles(plan.field.logical_type))
    if is_canonical and verdict.read == evidence.values and not declared:
        found = f"{verdict.values} distinct values, all in ISO 8601"
        return replace(_canonical(plan), styles=_of_iso(plan, verdict.styles), evidence=found, seen=seen)
    beside = declared or tuple(style for style in candidates if is_iso(style) and evidence.by_style[style])
    styles = (*verdict.styles, *evidence.agreeing(verdict.styles[0], beside))
    if is_iso(verdict.styles[0]) and not declared:
        styles = verdict.styles
    words = f"{verdict.read} of {verdict.values} distinct values match"
    witness = f"; {verdict.witness}" if verdict.witness else ""
    settled = replace(plan, styles=_with_pivot(plan, styles), evidence=words + witness, seen=seen)
    return replace(settled, guess=_day_numbers(settled) or _century(settled))


def _day_numbers(plan: FieldPlan) -> str:
    """Say that whole numbers are read as dates, if the mapping does not declare it."""
    is_guessed = any(isinstance(one, DateStyle) and one.is_guessed for one in plan.styles)
    return "numbers are read as the days of a spreadsheet, of which 46000 is 2025-12-09" if is_guessed else ""


def _century(plan: FieldPlan) -> str:
    """Say how two-digit years are read, if the mapping does not declare it."""
    short = [one for one in plan.styles if isinstance(one, DateStyle) and one.has_short_years]
    if not short or plan.source.pivot is not None:
        return ""
    last = SURE_20XX if short[0].pivot is None else short[0].pivot
    first = SURE_19XX if short[0].pivot is None else last + 1
    return f"two-digit years are read as {1900 + first} to {2000 + last}"


def _of_iso(plan: FieldPlan, found: tuple[DateStyle, ...]) -> tuple[DateStyle, ...]:
    """Return the canonical styles; without an offset where no value has one, so that messages name the zone."""
    styles = canonical_styles(plan.field.logical_type)
    has_offset = any(style.has_offset for style in found)
    return styles if has_offset else tuple(style for style in styles if not style.has_offset)


def _with_pivot(plan: FieldPlan, styles: Iterable[DateStyle]) -> tuple[DateStyle, ...]:
    """Give two-digit years the century that the mapping or the bounds of the field tell."""
    pivot = own_pivot(plan)
    return tuple(replace(one, pivot=pivot) if one.has_short_years else one for one in dict.fromkeys(styles))


def _settled_numbers(column: _Column) -> FieldPlan | None:
    plan, source, evidence = column.plan, column.plan.source, column.numbers
    if not column.values:
        style = _with_declared(NumberStyle(), plan)
        return replace(plan, styles=(style,), evidence="marked as numbers in the file", seen=frozenset())
    if len(evidence.currencies) > 1 and source.currency is None:
        raise MappingError(
            f"{plan.where}: numbers in more than one currency"
            f" ({', '.join(sorted(evidence.currencies))}); expected one",
            hint=f"Declare it: fields: {{{plan.field.name}: {{from: {plan.columns[0]}, currency: KES}}}};"
            " rows in another currency are then quarantined.",
        )
    if evidence.is_contradictory and source.decimal is None:
        raise MappingError(
            f"{plan.where}: both point and comma are used as the decimal mark",
            hint=f"Declare it: fields: {{{plan.field.name}: {{from: {plan.columns[0]}, decimal: '.'}}}}.",
        )
    decimal = source.decimal or evidence.decided()
    if decimal is None and plan.field.logical_type is LogicalType.INTEGER:
        decimal = evidence.decided_as_whole()
    if decimal is None and not evidence.either(","):
        if not evidence.either("."):
            decimal = "."
        elif _has_three_decimals(plan):
            guess = "a point before three digits is read as a decimal point: the field has three decimals"
            return replace(_as_numbers(column, ".", "by the decimals of the field"), guess=guess)
    return None if decimal is None else _as_numbers(column, decimal, f"in {column.odd} values")


def _has_three_decimals(plan: FieldPlan) -> bool:
    kind = physical(plan.field)
    return isinstance(kind, pl.Decimal) and kind.scale == _GROUP


#: Digits of a group of thousands.
_GROUP = 3


def _as_numbers(column: _Column, decimal: str, shown: str) -> FieldPlan:
    style = _with_declared(column.numbers.style(decimal), column.plan)
    found = f"decimal mark {decimal!r} {shown}"
    if not column.odd and style.is_canonical:
        found = "plain digits" + (" with a decimal point" if column.numbers.marks else "")
    return replace(column.plan, styles=(style,), evidence=found, seen=column.numbers.kinds)


def _with_declared(style: NumberStyle, plan: FieldPlan) -> NumberStyle:
    source = plan.source
    if source.thousands is not None:
        style = replace(style, thousands=source.thousands)
    elif source.decimal is not None:
        style = replace(style, thousands=("," if source.decimal == "." else ".") + GROUPING)
    if source.decimal is not None:
        style = replace(style, decimal=source.decimal)
    if source.currency is not None:
        code = source.currency.upper()
        style = replace(style, affixes=CURRENCIES.get(code, (code,)))
    return style


def _share_decimal_mark(columns: dict[int, _Column]) -> None:
    """Read `1,234` and `1.234` in one column by the decimal mark that another column of the file shows."""
    proved = (one for one in columns.values() if one.settled and not one.is_dated)
    shown = {mark for one in proved if (mark := one.plan.source.decimal or one.numbers.decided())}
    if len(shown) != 1:
        return
    mark = shown.pop()
    for place, one in columns.items():
        if not one.settled and not one.is_dated and one.values:
            columns[place] = replace(one, settled=_as_numbers(one, mark, "elsewhere in the file"))


def _finish(column: _Column, whole: ColumnPlan, *, is_part: bool) -> FieldPlan:
    """Return the plan of the column; raise if it is ambiguous."""
    if column.settled:
        return column.settled if is_part else replace(column.settled, seen=None)
    plan = column.plan
    if not column.is_dated:
        if column.values and column.has_points and not column.numbers.either(","):
            return _as_numbers(column, ".", "by the format of the file")
        if column.values:
            raise _ambiguous_numbers(column, whole)
        return plan
    verdict = column.dates.verdict(candidates_of(plan))
    if verdict.rival:
        raise MappingError(
            f"{plan.where}: its {verdict.values} distinct values are valid both as {verdict.styles[0].words} and as"
            f" {verdict.rival.words}; no day is above 12",
            hint=_declare_hint(whole, plan, f"format: {verdict.styles[0].words}"),
        )
    if plan.source.format:
        return replace(plan, styles=_with_pivot(plan, candidates_of(plan)), evidence="declared")
    return replace(_canonical(plan), evidence="no values; ISO 8601 is expected")


def _ambiguous_numbers(column: _Column, whole: ColumnPlan) -> MappingError:
    mark = "comma" if column.numbers.either(",") else "point"
    return MappingError(
        f"{column.plan.where}: a {mark} with three digits after it may be a decimal or a thousands separator;"
        " no value shows which",
        hint=_declare_hint(whole, column.plan, "decimal: '.'") + ("" if mark == "comma" else ", or ','"),
    )


def _declare_hint(whole: ColumnPlan, plan: FieldPlan, line: str) -> str:
    column = plan.columns[0] if plan.columns else plan.field.name
    where = whole.mapping.name or "a source mapping"
    return f"Declare it in {where}: fields: {{{plan.field.name}: {{from: {column}, {line}}}}}"


def _contradiction(plan: FieldPlan, verdict: DateVerdict) -> MappingError:
    best, rival = verdict.styles[0].words, verdict.rival.words if verdict.rival else "?"
    return MappingError(
        f"{plan.where}: some of its values are dates only as {best}"
        f" and {verdict.rival_only} only as {rival}; expected one style",
        hint=f"Declare it: fields: {{{plan.field.name}: {{from: {plan.columns[0]}, format: {best}}}}};"
        " rows in the other style are then quarantined.",
    )
