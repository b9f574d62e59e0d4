"""Cells that can be read as their type, and still are not what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from daftari.contract.model import Dataset, LogicalType
from daftari.rows.formats.numbers import CURRENCIES, NumberStyle
from daftari.rows.intake.block import IS_ARRAY, IS_OBJECT, Block
from daftari.rows.mapping.clean_text import ESCAPED_BYTE
from daftari.rows.mapping.column_plan import FieldPlan

#: What spreadsheets show instead of a value, in English, French, Spanish, Portuguese, German, Italian and Dutch.
ERROR_VALUES = (
    "#REF!",
    "#N/A",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#ERROR!",
    "#GETTING_DATA",
    "#BLOCKED!",
    "#CONNECT!",
    "#UNKNOWN!",
    "#VALEUR!",
    "#N/D",
    "#NOM?",
    "#NOMBRE!",
    "#NUL!",
    "#¡VALOR!",
    "#¿NOMBRE?",
    "#¡DIV/0!",
    "#¡REF!",
    "#¡NUM!",
    "#¡NULO!",
    "#VALOR!",
    "#NOME?",
    "#NÚM!",
    "#NULO!",
    "#WERT!",
    "#NV",
    "#BEZUG!",
    "#ZAHL!",
    "#VALORE!",
    "#RIF!",
    "#WAARDE!",
    "#N/B",
    "#NAAM?",
    "#VERW!",
    "#GETAL!",
    "#DEEL/0!",
)
#: A column that was too narrow to show its values, when they were copied or printed.
_TOO_NARROW = r"^#{3,}$"
#: A long number as a spreadsheet shows it: 1.23457E+12.
_SHORTENED = r"^[+-]?\d(?:[.,]\d+)?E\+\d{2,3}$"
_ESCAPED = "[\U0010fe80-\U0010feff]"

#: Signs that several currencies share.
_SHARED = {
    "$": {"USD", "AUD", "CAD", "NZD", "HKD", "SGD", "LRD", "NAD", "ZWL", "JMD", "TTD"},
    "£": {"GBP", "EGP", "SSP", "SDG"},
    "¥": {"JPY", "CNY"},
    "/=": {"KES", "UGX", "TZS", "SOS"},
    "/-": {"KES", "UGX", "TZS", "SOS", "INR"},
    "R": {"ZAR"},
    "FCFA": {"XOF", "XAF"},
    "CFA": {"XOF", "XAF"},
}


_STRUCTURED = (LogicalType.OBJECT, LogicalType.ARRAY)


def reader_faults(
    plan: FieldPlan, block: Block, found: pl.Series, noted: pl.Series | None
) -> pl.Series | None:
    """Return why the reader found cells of a field to be no value, *noted* first; None if it found none."""
    given = _given_faults(plan, block, found)
    if noted is None or given is None:
        return given if noted is None else noted
    return noted.fill_null(given)


def cell_faults(
    plan: FieldPlan, block: Block, content: pl.Series, given: pl.Series | None
) -> pl.Series | None:
    """Add to the faults *given* by the reader those that the text of a cell shows; None if all cells are sound."""
    ours = None if block.is_plain else _text_faults(plan, content)
    if given is None or ours is None:
        return ours if given is None else given
    return given.fill_null(ours)


def _given_faults(plan: FieldPlan, block: Block, found: pl.Series) -> pl.Series | None:
    given = [block.faults[name] for name in plan.columns if name in block.faults]
    if not given:
        return None
    may_be_json = plan.field.logical_type in _STRUCTURED or plan.source.part is not None
    ignored = [IS_OBJECT, IS_ARRAY] if may_be_json else []
    counts = [one.is_not_null() & ~one.is_in(ignored).fill_null(False) & found.is_not_null() for one in given]
    reasons = pl.DataFrame(
        [
            one.set(~counted, None).alias(str(at))
            for at, (one, counted) in enumerate(zip(given, counts, strict=True))
        ]
    )
    first = reasons.select(pl.coalesce(pl.all())).to_series()
    return first if first.null_count() < len(first) else None


def _text_faults(plan: FieldPlan, content: pl.Series) -> pl.Series | None:
    if plan.field.logical_type is LogicalType.STRING:
        reasons = [*_spreadsheet_faults(plan, content), *_byte_faults(content)]
    else:  # a number or a date with such a byte cannot be read
        reasons = _byte_faults(content) if plan.field.logical_type in _STRUCTURED else []
    if not reasons:
        return None
    found = pl.DataFrame({"t": content}).select(pl.coalesce(reasons)).to_series()
    return found if found.null_count() < len(found) else None


def _spreadsheet_faults(plan: FieldPlan, content: pl.Series) -> Iterator[pl.Expr]:
    text = pl.col("t")
    if content.str.contains("#", literal=True).any():
        reason = "is an error of a spreadsheet, such as #REF! or #N/A"
        yield pl.when(text.is_in(ERROR_VALUES)).then(pl.lit(reason))
        narrow = "is what a spreadsheet shows where a column is too narrow: its value is lost"
        yield pl.when(text.str.contains(_TOO_NARROW)).then(pl.lit(narrow))
    if plan.is_identifying and content.str.contains("E+", literal=True).any():
        reason = "is a long number that a spreadsheet shortened, such as 1.23457E+12: its digits are lost"
        yield pl.when(text.str.contains(_SHORTENED)).then(pl.lit(reason))


def _byte_faults(content: pl.Series) -> list[pl.Expr]:
    escaped = content.filter(content.str.contains(_ESCAPED).fill_null(False))
    return [
        pl.when(pl.col("t").str.contains(one, literal=True)).then(
            pl.lit(f"holds a byte that is not UTF-8: 0x{ord(one) - ESCAPED_BYTE:02X}")
        )
        for one in sorted(set(re.findall(_ESCAPED, "".join(escaped))))
    ]


def currency_faults(
    plan: FieldPlan, content: pl.Series, values: pl.DataFrame, dataset: Dataset
) -> pl.Series | None:
    """Return why amounts are refused whose sign or code is not that of the currency in their row; None if all agree."""
    signs = next((style.affixes for style in plan.styles if isinstance(style, NumberStyle)), ())
    field = _currency_field(dataset, plan.field.name) if signs else None
    if field is None:
        return None
    code = next((one for one, its in CURRENCIES.items() if its == signs), signs[0])
    currencies = values[field].cast(pl.String).str.to_uppercase()
    wrong = pl.repeat(False, len(content), eager=True)
    rest = content.str.to_uppercase().fill_null("")
    for sign in sorted(signs, key=len, reverse=True):
        holds = rest.str.contains(sign, literal=True)
        meant = sorted(_SHARED.get(sign, {code}) | {code})
        wrong |= holds & currencies.is_not_null() & ~currencies.is_in(meant).fill_null(False)
        rest = rest.str.replace_all(sign, "", literal=True)
    reason = f"is written in {code}, but {field} says otherwise"
    return pl.Series([reason]).new_from_index(0, len(content)).set(~wrong, None) if wrong.any() else None


def _currency_field(dataset: Dataset, amount: str) -> str | None:
    """Return the field that names the currency of *amount*: by its name, or as the only one with a set of codes."""
    names = [field.name for field in dataset.fields]
    for name in (f"{amount}_currency", "currency", "currency_code"):
        if name in names:
            return name
    sets = [field.name for field in dataset.fields if field.allowed and set(field.allowed) & set(CURRENCIES)]
    return sets[0] if len(sets) == 1 else None
