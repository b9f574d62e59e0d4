"""A block's text as typed values, column by column. Vectorised; nothing here looks at a single row."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from dataclasses import field as default
from datetime import time
from decimal import Decimal

import polars as pl

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.rows import booleans
from daftari.rows.block import Block
from daftari.rows.dates import DateStyle
from daftari.rows.numbers import CANONICAL, NumberStyle, bare, to_decimal, to_integer
from daftari.rows.plan import ColumnPlan, FieldPlan
from daftari.rows.texts import columns_of

#: Decimals kept for a number whose contract names no scale.
UNDECLARED_SCALE = 18
_NUMERIC = re.compile(r"(?:numeric|decimal)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)", re.IGNORECASE)
_FLOATS = {"real", "float4", "float8", "double precision"}
_WHOLE: dict[str, pl.DataType] = {"smallint": pl.Int16(), "integer": pl.Int32(), "bigint": pl.Int64()}
#: The most digits that polars holds; PostgreSQL would hold more.
_MOST_DIGITS = 38


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What rules judge; the same for a file's block and for one record of the API."""

    values: pl.DataFrame  #: a column for each contract field, typed; null: missing or unreadable
    text: pl.DataFrame  #: the same columns as trimmed text, null where missing
    lines: pl.Series
    unreadable: dict[str, str] = default(default_factory=dict)  #: field: what was expected, in words

    def only(self, chosen: pl.Series) -> Rows:
        """Return the *chosen* ones of these rows."""
        return replace(
            self,
            values=self.values.filter(chosen),
            text=self.text.filter(chosen),
            lines=self.lines.filter(chosen),
        )


def to_rows(plan: ColumnPlan, block: Block, dataset: Dataset, seen: Counter[str] | None = None) -> Rows:
    """
    Read the cells of *block* as the fields of *dataset*. *seen* is kept from block to block of one file.

    A value that cannot be read exactly is null in `values` and kept in `text`: nothing is rounded or guessed.
    """
    values, texts, unreadable = [], [], {}
    for one, column in zip(plan.fields, columns_of(plan, block, seen), strict=True):
        read = read_values(column.content, one)
        texts.append(column.found.alias(one.field.name))
        values.append(read.alias(one.field.name))
        if read.null_count() > column.found.null_count():
            unreadable[one.field.name] = expectation(one)
    assert len(plan.fields) == len(dataset.fields), "a plan has each field of its dataset"
    return Rows(
        values=pl.DataFrame(values), text=pl.DataFrame(texts), lines=block.lines, unreadable=unreadable
    )


_TYPES: dict[LogicalType, pl.DataType] = {
    LogicalType.STRING: pl.String(),
    LogicalType.OBJECT: pl.String(),
    LogicalType.ARRAY: pl.String(),
    LogicalType.INTEGER: pl.Int64(),
    LogicalType.NUMBER: pl.Decimal(38, UNDECLARED_SCALE),
    LogicalType.BOOLEAN: pl.Boolean(),
    LogicalType.DATE: pl.Date(),
    LogicalType.TIME: pl.Time(),
    LogicalType.TIMESTAMP: pl.Datetime("us", "UTC"),
}


_COUNTED = (LogicalType.INTEGER, LogicalType.NUMBER)


def physical(field: Field) -> pl.DataType:
    """Return the type in which the values of *field* are held."""
    declared = (field.physical_type or "").strip().lower()
    if field.logical_type in _COUNTED and declared in _WHOLE:
        return _WHOLE[declared]
    if field.logical_type is LogicalType.NUMBER:
        if declared in _FLOATS:
            return pl.Float64()
        if found := _NUMERIC.fullmatch(declared):
            return pl.Decimal(min(int(found[1]), _MOST_DIGITS), int(found[2] or 0))
    return _TYPES[field.logical_type]


def expectation(plan: FieldPlan) -> str:
    """Say in words what a readable value of this field looks like in this file."""
    if plan.source.lookup is not None and plan.source.otherwise == "reject":
        return "a value of the mapping's lookup"
    match plan.field.logical_type:
        case LogicalType.NUMBER | LogicalType.INTEGER:
            return _number_expected(plan)
        case LogicalType.DATE:
            return f"a date as {_styles_in_words(plan)}"
        case LogicalType.TIMESTAMP:
            zone = "" if any(style.has_offset for style in _styles(plan)) else f", once in {plan.timezone}"
            return f"a date and time as {_styles_in_words(plan)}{zone}"
        case LogicalType.STRING if plan.field.physical_type == "uuid":
            return "a UUID"
        case other:
            return _EXPECTED.get(other, "text without NUL characters")


_EXPECTED = {
    LogicalType.OBJECT: "a JSON object",
    LogicalType.ARRAY: "a JSON array",
    LogicalType.BOOLEAN: "true or false",
    LogicalType.TIME: "a time as HH:MM or HH:MM:SS",
}


def _styles_in_words(plan: FieldPlan) -> str:
    return " or ".join(dict.fromkeys(style.words for style in _styles(plan)))


def _number_expected(plan: FieldPlan) -> str:
    kind = physical(plan.field)
    if kind.is_integer():
        bits = 15 if isinstance(kind, pl.Int16) else 31
        is_short = not isinstance(kind, pl.Int64)
        return f"a whole number from {-(2**bits)} to {2**bits - 1}" if is_short else "a whole number"
    if not isinstance(kind, pl.Decimal):
        return "a number"
    whole = (kind.precision or 38) - kind.scale
    return f"a number with at most {whole} digits before and {kind.scale} after the decimal point"


def read_values(content: pl.Series, plan: FieldPlan) -> pl.Series:
    """Read *content* in the plan's styles; null where it cannot be read exactly."""
    match plan.field.logical_type:
        case LogicalType.INTEGER | LogicalType.NUMBER:
            return _numbers(content, plan, physical(plan.field))
        case LogicalType.BOOLEAN:
            return booleans.read(content)
        case LogicalType.DATE:
            return _days(content, plan)
        case LogicalType.TIME:
            return _times(content)
        case LogicalType.TIMESTAMP:
            return _moments(content, plan)
        case LogicalType.STRING:
            return _uuids(content) if plan.field.physical_type == "uuid" else _texts(content)
        case LogicalType.OBJECT | LogicalType.ARRAY as kind:
            return _documents(content, dict if kind is LogicalType.OBJECT else list)


def _uuids(content: pl.Series) -> pl.Series:
    """In PostgreSQL's own spelling, so that two spellings of one are the same key."""
    digits = pl.col("t").str.to_lowercase().str.replace_all("-", "")
    groups = pl.concat_str(
        [digits.str.slice(at, size) for at, size in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))],
        separator="-",
    )
    is_one = pl.col("t").str.contains(_UUID)
    return pl.DataFrame({"t": content}).select(pl.when(is_one).then(groups)).to_series()


_UUID = r"(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{32}$"


def _documents(content: pl.Series, kind: type) -> pl.Series:
    """Keep what PostgreSQL will take as jsonb of this *kind*. One by one: such fields are rare."""
    kept = [text if text is not None and _is_document(text, kind) else None for text in content]
    return pl.Series(kept, dtype=pl.String)


def _is_document(text: str, kind: type) -> bool:
    try:
        document = json.loads(text, parse_constant=_refuse)
        # jsonb has neither NUL nor half of a surrogate pair, which JSON can spell
        return (
            isinstance(document, kind) and b"\\u0000" not in json.dumps(document, ensure_ascii=False).encode()
        )
    except (ValueError, RecursionError):
        return False


def _refuse(word: str) -> None:
    raise ValueError(word)


def _texts(content: pl.Series) -> pl.Series:
    """PostgreSQL stores any character but NUL."""
    nul = content.str.contains("\0", literal=True)
    return content if not nul.any() else content.set(nul.fill_null(False), None)


def _numbers(content: pl.Series, plan: FieldPlan, kind: pl.DataType) -> pl.Series:
    style = next((one for one in plan.styles if isinstance(one, NumberStyle)), NumberStyle())
    text = pl.col("t")
    frame = pl.DataFrame({"t": content})
    digits = text
    if not (style.is_canonical and content.str.contains(CANONICAL).all()):
        frame = pl.DataFrame({"t": _bare(content, style)})
    if plan.source.unit is not None or plan.source.sign == "negate" or style.percent:
        factor = (plan.source.unit or Decimal(1)) * (-1 if plan.source.sign == "negate" else 1)
        factor = factor / 100 if style.percent else factor
        frame = pl.DataFrame({"t": _multiplied(frame.select(digits).to_series(), factor)})
        digits = text
    if isinstance(kind, pl.Decimal):
        return frame.select(to_decimal(digits, kind.scale, kind.precision or 38)).to_series()
    if kind.is_integer():
        return frame.select(to_integer(digits).cast(kind, strict=False)).to_series()
    return frame.select(digits.cast(pl.Float64, strict=False)).to_series()


def _bare(content: pl.Series, style: NumberStyle) -> pl.Series:
    """Rewrite what is not canonical yet; where the style is, that is little, and rewriting is slow."""
    if not style.is_canonical:
        return pl.DataFrame({"t": content}).select(bare(pl.col("t"), style)).to_series()
    other = ~content.str.contains(CANONICAL).fill_null(True)
    rewritten = pl.DataFrame({"t": content.filter(other)}).select(bare(pl.col("t"), style)).to_series()
    return content.clone().scatter(other.arg_true(), rewritten)  # scatter writes in place


def _multiplied(digits: pl.Series, factor: Decimal) -> pl.Series:
    """Multiply canonical *digits* exactly. Row by row: units and signs are rare, and Decimal is exact."""
    products = [None if one is None else f"{Decimal(one) * factor:f}" for one in digits]
    return pl.Series(products, dtype=pl.String)


def _styles(plan: FieldPlan) -> list[DateStyle]:
    return [style for style in plan.styles if isinstance(style, DateStyle)]


def _days(content: pl.Series, plan: FieldPlan) -> pl.Series:
    read = pl.Series([None], dtype=pl.Date).new_from_index(0, len(content))
    for style in _styles(plan):
        found = style.read_days(content) if not style.has_time else _midnights(style.read(content), plan)
        read = _either(read, found)
        if read.null_count() == content.null_count():
            break
    return read


def _midnights(moments: pl.Series, plan: FieldPlan) -> pl.Series:
    """Take the day of *moments*. A time of day is dropped only where the mapping declares its format."""
    if not plan.source.format:
        moments = moments.set((moments.dt.time() != time(0)).fill_null(False), None)
    return moments.dt.date()


def _either(first: pl.Series, second: pl.Series) -> pl.Series:
    return second if first.null_count() == len(first) else first.zip_with(first.is_not_null(), second)


def _times(content: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"t": content})
    whole = pl.col("t").str.replace(r"^(\d{1,2}:\d{2})$", "${1}:00")
    shaped = pl.when(whole.str.contains(r"^([01]?\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$")).then(whole)
    return frame.select(shaped.str.to_time("%H:%M:%S%.f", strict=False)).to_series()


def _moments(content: pl.Series, plan: FieldPlan) -> pl.Series:
    read = pl.Series([None], dtype=pl.Datetime("us", "UTC")).new_from_index(0, len(content))
    for style in _styles(plan):
        found = style.read(content)
        if not style.has_offset:
            found = to_utc(found, plan.timezone)
        read = _either(read, found)
        if read.null_count() == content.null_count():
            break
    return read


def to_utc(local: pl.Series, timezone: str) -> pl.Series:
    """Lay *local* times in *timezone*; null for a time that a clock change skips or repeats."""
    placed = local.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    return placed.dt.convert_time_zone("UTC")
