"""Parse a block's text into typed values, column by column. Vectorised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as default
from datetime import time
from decimal import Decimal
from functools import partial

import polars as pl

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.rows.formats import booleans
from daftari.rows.formats.cell_notes import reasons_of_cells
from daftari.rows.formats.dates import DateStyle
from daftari.rows.formats.numbers import NumberStyle, bare, to_decimal, to_integer
from daftari.rows.formats.texts import columns_of
from daftari.rows.intake.block import IS_ARRAY, IS_OBJECT, Block, Malformed
from daftari.rows.intake.remarks import Remark
from daftari.rows.json_rows.values import is_document
from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan

#: Decimals of a number whose contract declares no scale.
UNDECLARED_SCALE = 18
#: Below this many values, a plain loop is faster than vectorised work.
FEW = 64
_NUMERIC = re.compile(r"(?:numeric|decimal)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)", re.IGNORECASE)
_FLOATS = {"real", "float4", "float8", "double precision"}
_WHOLE: dict[str, pl.DataType] = {"smallint": pl.Int16(), "integer": pl.Int32(), "bigint": pl.Int64()}
#: The most digits that polars holds; PostgreSQL holds more.
_MOST_DIGITS = 38


@dataclass(frozen=True, kw_only=True)
class ParsedRows:
    """Typed rows, ready for the rules; the same for a file's block and for one record of the API."""

    values: pl.DataFrame  #: a column for each contract field, typed; null: missing or unreadable
    text: pl.DataFrame  #: the same columns as trimmed text; null: missing
    lines: pl.Series
    unreadable: dict[str, str] = default(default_factory=dict)  #: field: what was expected, in words
    remarks: tuple[Remark, ...] = ()  #: on how the values were read
    malformed: tuple[Malformed, ...] = ()  #: records that are no rows and were not left out
    #: fields that no row speaks of: existing rows keep their value
    absent: tuple[str, ...] = ()
    #: for each row the further fields that it does not speak of, with a comma after each; None: none
    absent_in_row: pl.Series | None = None
    #: field: why the reader of the file found its value to be none, by row; null where it is one
    faults: dict[str, pl.Series] = default(default_factory=dict)

    def only(self, chosen: pl.Series) -> ParsedRows:
        """Return the *chosen* rows."""
        return replace(
            self,
            values=self.values.filter(chosen),
            text=self.text.filter(chosen),
            lines=self.lines.filter(chosen),
            absent_in_row=None if self.absent_in_row is None else self.absent_in_row.filter(chosen),
            faults={name: why.filter(chosen) for name, why in self.faults.items()},
        )

    def lacks(self, fields: Sequence[str]) -> pl.Series:
        """Return which rows do not speak of at least one of *fields*."""
        if self.absent_in_row is None or set(fields) & set(self.absent):
            return pl.repeat(bool(set(fields) & set(self.absent)), len(self.lines), eager=True)
        named = pl.any_horizontal(lacks_field(pl.col("absent"), name) for name in fields)
        return self.absent_in_row.to_frame("absent").select(named).to_series()


def to_rows(plan: ColumnPlan, block: Block, dataset: Dataset, seen: Counter[str] | None = None) -> ParsedRows:
    """
    Read the cells of *block* as the fields of *dataset*. Pass the same *seen* for all blocks of a file.

    A value that cannot be read exactly is null in `values` and kept in `text`: nothing is rounded or guessed.
    """
    values, texts, unreadable = [], [], {}
    faults = dict(reasons_of_cells(plan, block, dataset))
    for one, column in zip(plan.fields, columns_of(plan, block, seen), strict=True):
        is_cell = len(one.columns) == 1 and column.content is column.found
        read = read_values(column.content, one, may_hold_nul=block.may_hold_nul or not is_cell)
        if (found := _faults_of(one, block, column.found)) is not None:
            faults[one.field.name] = found
        if (why := faults.get(one.field.name)) is not None:
            read = read.set(why.is_not_null(), None)
        texts.append(column.found.alias(one.field.name))
        values.append(read.alias(one.field.name))
        if read.null_count() > column.found.null_count():
            unreadable[one.field.name] = expectation(one)
    assert len(plan.fields) == len(dataset.fields), "a plan has each field of its dataset"
    return ParsedRows(
        values=pl.DataFrame(values),
        text=pl.DataFrame(texts),
        lines=block.lines,
        unreadable=unreadable,
        absent=plan.absent,
        absent_in_row=_absent_in_row(plan, block),
        faults=faults,
    )


def lacks_field(absent_in_row: pl.Expr, name: str) -> pl.Expr:
    """Whether *absent_in_row* (as in `ParsedRows`) names a field."""
    return (pl.lit(",") + absent_in_row).str.contains(f",{name},", literal=True)


def _absent_in_row(plan: ColumnPlan, block: Block) -> pl.Series | None:
    """A field is absent where all its columns are, and nothing stands in for them."""
    if block.absent is None:
        return None
    named = [
        pl.when(pl.all_horizontal(one.columns)).then(pl.lit(f"{one.field.name},")).otherwise(pl.lit(""))
        for one in plan.fields
        if one.columns
        and set(one.columns) <= set(block.absent.columns)
        and one.source.default is None
        and not one.is_cleared
    ]
    return block.absent.select(pl.concat_str(named)).to_series() if named else None


def _faults_of(plan: FieldPlan, block: Block, found: pl.Series) -> pl.Series | None:
    """Return why the reader found cells of a field to be no value; None if it found none."""
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


_STRUCTURED = (LogicalType.OBJECT, LogicalType.ARRAY)


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
    """Return the polars type of the values of *field*."""
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
    """Return in words what a valid value of this field looks like in this file."""
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


def read_values(content: pl.Series, plan: FieldPlan, *, may_hold_nul: bool = True) -> pl.Series:
    """Read *content* in the plan's styles; null if it cannot be read exactly."""
    if content.null_count() == len(content):
        return pl.Series([None], dtype=physical(plan.field)).new_from_index(0, len(content))
    return _read_some(content, plan, may_hold_nul)


def _read_some(content: pl.Series, plan: FieldPlan, may_hold_nul: bool) -> pl.Series:
    match plan.field.logical_type:
        case LogicalType.INTEGER | LogicalType.NUMBER:
            return _numbers(content, plan, physical(plan.field))
        case LogicalType.BOOLEAN:
            return booleans.read_booleans(content)
        case LogicalType.DATE:
            return _each_once(content, partial(_days, plan=plan))
        case LogicalType.TIME:
            return _times(content)
        case LogicalType.TIMESTAMP:
            return _moments(content, plan)
        case LogicalType.STRING:
            return _strings(content, plan, may_hold_nul)
        case LogicalType.OBJECT | LogicalType.ARRAY as kind:
            return _documents(content, dict if kind is LogicalType.OBJECT else list)


def _strings(content: pl.Series, plan: FieldPlan, may_hold_nul: bool) -> pl.Series:
    if plan.field.physical_type == "uuid":
        return _uuids(content)
    return _texts(content) if may_hold_nul else content


def _uuids(content: pl.Series) -> pl.Series:
    """Write UUIDs in PostgreSQL's spelling, so that two spellings of one UUID are the same key."""
    digits = pl.col("t").str.to_lowercase().str.replace_all("-", "")
    groups = pl.concat_str(
        [digits.str.slice(at, size) for at, size in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))],
        separator="-",
    )
    is_one = pl.col("t").str.contains(_UUID)
    return pl.DataFrame({"t": content}).select(pl.when(is_one).then(groups)).to_series()


_UUID = r"(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{32}$"


def _documents(content: pl.Series, kind: type) -> pl.Series:
    """Keep only what PostgreSQL accepts as jsonb of this *kind*. Value by value: such fields are rare."""
    kept = [text if text is not None and is_document(text, kind) else None for text in content]
    return pl.Series(kept, dtype=pl.String)


def _texts(content: pl.Series) -> pl.Series:
    """PostgreSQL stores any character except NUL."""
    nul = content.str.contains("\0", literal=True)
    return content if not nul.any() else content.set(nul.fill_null(False), None)


def _numbers(content: pl.Series, plan: FieldPlan, kind: pl.DataType) -> pl.Series:
    style = next((one for one in plan.styles if isinstance(one, NumberStyle)), NumberStyle())
    is_scaled = plan.source.unit is not None or plan.source.sign == "negate" or style.percent
    if style.is_canonical and not is_scaled and not isinstance(kind, pl.Float64):
        return _mostly_canonical(content, style, kind)
    digits = _bare(content, style)
    if is_scaled:
        factor = (plan.source.unit or Decimal(1)) * (-1 if plan.source.sign == "negate" else 1)
        digits = _multiplied(digits, factor / 100 if style.percent else factor)
    return _exact(digits, kind)


def _mostly_canonical(content: pl.Series, style: NumberStyle, kind: pl.DataType) -> pl.Series:
    """Rewrite only the numbers that are not canonical: rewriting is slow, and rarely needed."""
    read = _exact(content, kind)
    if read.null_count() == content.null_count():
        return read
    other = read.is_null() & content.is_not_null()
    return read.scatter(other.arg_true(), _exact(_bare(content.filter(other), style), kind))


def _bare(content: pl.Series, style: NumberStyle) -> pl.Series:
    return pl.DataFrame({"t": content}).select(bare(pl.col("t"), style)).to_series()


def _exact(digits: pl.Series, kind: pl.DataType) -> pl.Series:
    """Read canonical *digits*; null if *kind* cannot hold them exactly."""
    text = pl.col("t")
    if isinstance(kind, pl.Decimal):
        read = to_decimal(text, kind.scale, kind.precision or 38)
    elif kind.is_integer():
        read = to_integer(text).cast(kind, strict=False)
    else:
        read = text.cast(pl.Float64, strict=False)
    return pl.DataFrame({"t": digits}).select(read).to_series()


def _multiplied(digits: pl.Series, factor: Decimal) -> pl.Series:
    """Multiply canonical *digits* exactly. Row by row: units and signs are rare, and Decimal is exact."""
    products = [None if one is None else f"{Decimal(one) * factor:f}" for one in digits]
    return pl.Series(products, dtype=pl.String)


def _styles(plan: FieldPlan) -> list[DateStyle]:
    return [style for style in plan.styles if isinstance(style, DateStyle)]


def _each_once(content: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Read each distinct text only once, if that is less work: dates repeat."""
    if len(content) < FEW:
        return read(content)
    distinct = content.unique()
    if 4 * len(distinct) >= len(content):  # also without any value, whose type would be lost
        return read(content)
    values = read(distinct)
    return content.replace_strict(distinct, values, return_dtype=values.dtype)


def _days(content: pl.Series, plan: FieldPlan) -> pl.Series:
    read = pl.Series([None], dtype=pl.Date).new_from_index(0, len(content))
    for style in _styles(plan):
        found = style.read_days(content) if not style.has_time else _midnights(style.read(content), plan)
        read = _either(read, found)
        if read.null_count() == content.null_count():
            break
    return read


def _midnights(moments: pl.Series, plan: FieldPlan) -> pl.Series:
    """Return the dates of *moments*. A time of day is dropped only if the mapping declares its format."""
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
    """Convert *local* times in *timezone* to UTC; null for a time that a clock change skips or repeats."""
    placed = local.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    return placed.dt.convert_time_zone("UTC")
