"""
Infer how each column of one file is written, from only as many rows as needed to be sure.

Each style is fixed once for the whole file. Ambiguity is an error: day and month are never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from daftari.contract.model import LogicalType
from daftari.errors import MappingError
from daftari.rows.formats.date_evidence import DateVerdict, judge_dates
from daftari.rows.formats.dates import (
    DAY_STYLES,
    EXCEL_STYLE,
    ISO_DAY,
    MOMENT_STYLES,
    DateStyle,
    date_style,
)
from daftari.rows.formats.number_evidence import NumberEvidence, weigh
from daftari.rows.formats.numbers import CANONICAL, CURRENCIES, GROUPING, NumberStyle
from daftari.rows.formats.parse import read_values
from daftari.rows.formats.texts import columns_of
from daftari.rows.intake.block import Block
from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan

#: Read as missing in a column of numbers or dates if all other values are valid; in text they stay text.
NULL_WORDS = ("n/a", "na", "#n/a", "null", "none", "nil", "nan", "-", "--", "\u2013", "\u2014", "?", ".")

_DATED = {LogicalType.DATE, LogicalType.TIMESTAMP}
_COUNTED = {LogicalType.INTEGER, LogicalType.NUMBER}
_ISO_MOMENTS = MOMENT_STYLES[:12]


def canonical(plan: ColumnPlan) -> ColumnPlan:
    """Fix *plan* to the canonical styles, which an API accepts."""
    return replace(plan, fields=tuple(map(_canonical, plan.fields)))


def infer_styles(plan: ColumnPlan, blocks: Iterable[Block]) -> ColumnPlan:
    """
    Fix the styles of *plan*'s columns, reading only as many of *blocks* as needed.

    Raises:
        MappingError: a column's values are ambiguous, or contradict each other.
    """
    open_at = {place: plan.fields[place] for place in range(len(plan.fields)) if _is_open(plan.fields[place])}
    fields = list(map(_declared, plan.fields))
    for block in blocks if open_at else ():
        columns = list(columns_of(plan, block))
        for place in open_at:
            fields[place] = _weighed(fields[place], columns[place].content)
        _share_decimal_mark(fields)
        open_at = {place: one for place, one in open_at.items() if not fields[place].evidence}
        if not open_at:
            break
    return replace(plan, fields=tuple(_finish(one, plan) for one in fields))


def _is_open(plan: FieldPlan) -> bool:
    return bool(plan.columns) and plan.field.logical_type in _DATED | _COUNTED


def _declared(plan: FieldPlan) -> FieldPlan:
    """Apply what the mapping declares; `evidence` stays empty while the rows must still decide."""
    kind, source = plan.field.logical_type, plan.source
    if kind in _DATED and source.format:
        styles = tuple(map(date_style, source.format))
        return replace(plan, styles=styles, evidence="declared" if len(styles) == 1 else "")
    return plan


def _weighed(plan: FieldPlan, content: pl.Series) -> FieldPlan:
    values = content.drop_nulls().unique(maintain_order=True)
    if plan.evidence or not len(values):
        return plan
    words = values.filter(values.str.to_lowercase().is_in(NULL_WORDS)).to_list()
    rest = values.filter(~values.is_in(words)) if words else values
    if not len(rest):
        return plan
    weigher = _weigh_dates if plan.field.logical_type in _DATED else _weigh_numbers
    settled = weigher(plan, rest)
    if words and settled.evidence and not read_values(rest, settled).null_count():
        return replace(settled, null_words=(*settled.null_words, *words))
    return settled


def _weigh_dates(plan: FieldPlan, values: pl.Series) -> FieldPlan:
    if plan.styles:
        candidates: tuple[DateStyle, ...] = tuple(s for s in plan.styles if isinstance(s, DateStyle))
    else:
        canonical_plan = _canonical(plan)
        if not read_values(values, canonical_plan).null_count():
            return replace(canonical_plan, evidence=f"{len(values)} distinct values, all in ISO 8601")
        candidates = DAY_STYLES if plan.field.logical_type is LogicalType.DATE else MOMENT_STYLES + DAY_STYLES
    verdict = judge_dates(values, candidates)
    if not verdict.styles and not plan.styles:
        verdict = judge_dates(values, (*MOMENT_STYLES, EXCEL_STYLE))
    if verdict.rival_only:
        raise _contradiction(plan, verdict)
    if not verdict.styles or verdict.rival:
        return replace(plan, rival=verdict) if verdict.rival else plan
    found = f"{verdict.read} of {verdict.values} distinct values match"
    witness = f"; {verdict.witness}" if verdict.witness else ""
    return replace(plan, styles=verdict.styles, evidence=found + witness, rival=None)


def _weigh_numbers(plan: FieldPlan, values: pl.Series) -> FieldPlan:
    source = plan.source
    odd = values.filter(~values.str.contains(CANONICAL))
    is_declared = source.decimal is not None or source.currency is not None or source.thousands is not None
    if not len(odd) and not is_declared:
        points = values.str.contains(".", literal=True).any()
        style = NumberStyle()
        return replace(plan, styles=(style,), evidence="plain digits" + (" with a decimal point" * points))
    evidence = weigh(values)
    if plan.field.logical_type is LogicalType.INTEGER:
        evidence = evidence.as_whole_numbers()
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
    if decimal is None and not evidence.either(","):
        decimal = "."
    if decimal is None:
        return replace(plan, pending=evidence)
    style = _with_declared(evidence.style(decimal), plan)
    return replace(
        plan, styles=(style,), pending=None, evidence=f"decimal mark {decimal!r} in {len(odd)} values"
    )


def _with_declared(style: NumberStyle, plan: FieldPlan) -> NumberStyle:
    source = plan.source
    if source.thousands is not None:
        style = replace(style, thousands=source.thousands)
    elif source.decimal is not None:
        style = replace(style, thousands=("," if source.decimal == "." else ".") + GROUPING)
    if source.currency is not None:
        code = source.currency.upper()
        style = replace(style, affixes=CURRENCIES.get(code, (code,)))
    return style


def _share_decimal_mark(fields: list[FieldPlan]) -> None:
    """Read `1,234` in one column by the decimal mark that another column of the file shows."""
    shown = {
        style.decimal
        for one in fields
        for style in one.styles
        if isinstance(style, NumberStyle) and one.evidence not in {"", "plain digits"}
    }
    if len(shown) != 1:
        return
    mark = shown.pop()
    for place, one in enumerate(fields):
        if isinstance(one.pending, NumberEvidence):
            style = _with_declared(one.pending.style(mark), one)
            fields[place] = replace(
                one, styles=(style,), pending=None, evidence=f"decimal mark {mark!r} elsewhere in the file"
            )


def _finish(plan: FieldPlan, whole: ColumnPlan) -> FieldPlan:
    """Fix the style of columns without evidence; raise for ambiguous ones."""
    where = plan.where
    if plan.rival is not None and not plan.evidence:
        best, rival = plan.rival.styles[0], plan.rival.rival
        raise MappingError(
            f"{where}: its {plan.rival.values} distinct values are valid both as {best.words} and as"
            f" {rival.words if rival else '?'}; no day is above 12",
            hint=_declare_hint(whole, plan, f"format: {best.words}"),
        )
    if plan.pending is not None:
        raise MappingError(
            f"{where}: a comma with three digits after it may be a decimal or a thousands separator;"
            " no value shows which",
            hint=_declare_hint(whole, plan, "decimal: '.'"),
        )
    if plan.styles or plan.field.logical_type not in _DATED:
        return plan
    return replace(_canonical(plan), evidence="no values; ISO 8601 is expected")


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


def _canonical(plan: FieldPlan) -> FieldPlan:
    match plan.field.logical_type:
        case LogicalType.DATE:
            return replace(plan, styles=(ISO_DAY,))
        case LogicalType.TIMESTAMP:
            return replace(plan, styles=_ISO_MOMENTS)
        case _:
            return plan
