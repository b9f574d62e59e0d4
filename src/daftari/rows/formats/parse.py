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
from daftari.rows.formats.cell_faults import cell_faults, currency_faults, reader_faults
from daftari.rows.formats.cell_notes import reasons_of_cells
from daftari.rows.formats.column_styles import canonical_styles
from daftari.rows.formats.dates import ISO_DAY, DateStyle
from daftari.rows.formats.late_evidence import contradicts, is_doubtful
from daftari.rows.formats.numbers import NumberStyle, bare, to_decimal, to_integer
from daftari.rows.formats.texts import TextColumn, columns_of
from daftari.rows.intake.block import Block, Malformed
from daftari.rows.intake.remarks import Remark, RemarkKind
from daftari.rows.json_rows.values import is_document
from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan

#: Read as missing in a column of numbers or dates; in text they stay text.
NULL_WORDS = ("n/a", "na", "#n/a", "null", "none", "nil", "nan", "-", "--", "\u2013", "\u2014", "?", ".")
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
    #: fields that no row has: existing rows keep their value
    absent: tuple[str, ...] = ()
    #: for each row the further fields that it lacks, with a comma after each; None: none
    absent_in_row: pl.Series | None = None
    #: field: why the reader of the file found its value to be none, by row; null where it is one
    faults: dict[str, pl.Series] = default(default_factory=dict)
    contradicted: tuple[str, ...] = ()  #: fields whose style a first part of the file did not tell

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
        """Return which rows lack at least one of *fields*."""
        if self.absent_in_row is None or set(fields) & set(self.absent):
            return pl.repeat(bool(set(fields) & set(self.absent)), len(self.lines), eager=True)
        named = pl.any_horizontal(lacks_field(pl.col("absent"), name) for name in fields)
        return self.absent_in_row.to_frame("absent").select(named).to_series()


def to_rows(plan: ColumnPlan, block: Block, dataset: Dataset, seen: Counter[str] | None = None) -> ParsedRows:
    """
    Read the cells of *block* as the fields of *dataset*. Pass the same *seen* for all blocks of a file.

    A value that cannot be read exactly is null in `values` and kept in `text`: nothing is rounded or guessed.
    """
    noted = reasons_of_cells(plan, block, dataset)
    read = [
        _read_column(one, column, block, noted.get(one.field.name))
        for one, column in zip(plan.fields, columns_of(plan, block, seen), strict=True)
    ]
    assert len(plan.fields) == len(dataset.fields), "a plan has each field of its dataset"
    values = pl.DataFrame([one.values for one in read])
    faults = {one.values.name: one.faults for one in read if one.faults is not None}
    wrong = [
        currency_faults(one, it.content, values, dataset) for one, it in zip(plan.fields, read, strict=True)
    ]
    for name, why in zip(values.columns, wrong, strict=True):
        if why is not None:
            faults[name] = why if name not in faults else faults[name].fill_null(why)
            values = values.with_columns(values[name].set(why.is_not_null(), None))
    return ParsedRows(
        values=values,
        text=pl.DataFrame([one.text for one in read]),
        lines=block.lines,
        unreadable={one.values.name: one.expected for one in read if one.expected},
        contradicted=tuple(one.values.name for one in read if one.is_contradicted),
        remarks=tuple(remark for one in read for remark in one.remarks),
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


@dataclass(frozen=True, kw_only=True)
class _ReadColumn:
    """The values of one field in one block; both series have its name."""

    values: pl.Series
    text: pl.Series
    content: pl.Series
    expected: str = ""  #: what was expected of the unreadable values
    faults: pl.Series | None = None
    is_contradicted: bool = False
    remarks: tuple[Remark, ...] = ()


def _read_column(plan: FieldPlan, column: TextColumn, block: Block, noted: pl.Series | None) -> _ReadColumn:
    name, found, content = plan.field.name, column.found, column.content
    values, typed = read_cells(plan, column, block)
    why = cell_faults(plan, block, content, reader_faults(plan, block, found, noted))
    remarks: tuple[Remark, ...] = ()
    if values.null_count() > content.null_count() and plan.takes_null_words:
        unread = values.is_null() if why is None else values.is_null() & why.is_null()
        found, remarks = _without_null_words(plan, column, unread, block.lines)
    read = _ReadColumn(
        values=values.alias(name),
        text=found.alias(name),
        content=content,
        remarks=(*column.remarks, *remarks),
    )
    if why is not None:
        read = replace(read, faults=why, values=read.values.set(why.is_not_null(), None))
    if read.values.null_count() > found.null_count():
        read = replace(read, expected=expectation(plan))
    if column.marked is not None:
        # What is rejected is shown as the file has it.
        as_given = read.values.is_null() & found.is_not_null() & column.marked.is_not_null()
        read = replace(read, text=found.zip_with(~as_given, column.marked).alias(name))
    if plan.seen is None:
        return read
    text = content if typed is None else content.filter(~typed)
    misread = content.filter(values.is_null() & found.is_not_null() & content.is_not_null())
    return replace(read, is_contradicted=contradicts(plan, misread) or is_doubtful(plan, text))


def read_cells(plan: FieldPlan, column: TextColumn, block: Block) -> tuple[pl.Series, pl.Series | None]:
    """
    Read the cells of *column* as the type of the field; null if one cannot be read exactly.

    Also return which of them the file itself marks as numbers or dates; None if it marks none.
    """
    is_cell = len(plan.columns) == 1 and column.content is column.found
    typed = block.typed.get(plan.columns[0]) if is_cell else None
    if typed is not None and typed.any():
        return _read_typed(column.content, typed, plan), typed
    return read_values(column.content, plan, may_hold_nul=block.may_hold_nul or not is_cell), None


def _without_null_words(
    plan: FieldPlan, column: TextColumn, unread: pl.Series, lines: pl.Series
) -> tuple[pl.Series, tuple[Remark, ...]]:
    """Return the texts of the field without the words that mean nothing."""
    content = column.content
    words = (unread & content.str.to_lowercase().is_in(NULL_WORDS)).fill_null(False)
    if not words.any():
        return column.found, ()
    found = Remark(
        kind=RemarkKind.NULL_WORD,
        text=f"{plan.field.name}: a word such as n/a is read as empty",
        count=int(words.sum()),
        line=lines.filter(words).min(),  # type: ignore[arg-type]  # of whole numbers, a whole number
    )
    return column.found.set(words, None), (found,)


def _read_typed(content: pl.Series, typed: pl.Series, plan: FieldPlan) -> pl.Series:
    """Read cells that the file marks as numbers or dates in canonical form, the others in the styles of *plan*."""
    styles: tuple[DateStyle | NumberStyle, ...] = canonical_styles(plan.field.logical_type)
    if plan.field.logical_type is LogicalType.DATE:
        styles = (*styles, *canonical_styles(LogicalType.TIMESTAMP))
    elif plan.field.logical_type is LogicalType.TIMESTAMP:
        styles = (*styles, ISO_DAY)
    sure = read_values(content.set(~typed, None), replace(plan, styles=styles))
    rest = content.set(sure.is_not_null(), None)
    return _either(sure, read_values(rest, plan)) if rest.null_count() < len(rest) else sure


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
    if plan.source.phone:
        return (
            f"a phone number of {plan.source.phone} with all its digits, or of another country with its code"
        )
    if plan.source.keep == "digits" or plan.field.digits_only:
        return "text with digits"
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
    return " or ".join(dict.fromkeys(style.expected for style in _styles(plan)))


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
    return _within_years(read)


def _midnights(moments: pl.Series, plan: FieldPlan) -> pl.Series:
    """
    Return the dates of *moments*, of those with an offset the date in the workspace's zone.

    A time of day without an offset is dropped only if the mapping declares its format.
    """
    if moments.dtype == pl.Datetime("us", "UTC"):
        return moments.dt.convert_time_zone(plan.timezone).dt.date()
    if not plan.source.format:
        moments = moments.set((moments.dt.time() != time(0)).fill_null(False), None)
    return moments.dt.date()


#: The days and moments that both PostgreSQL and Python hold: 0001-01-01 to 9999-12-31 UTC, since 1970.
_FIRST_DAY, _AFTER_LAST_DAY = -719_162, 2_932_897
_DAY_US = 86_400_000_000


def _within_years(read: pl.Series) -> pl.Series:
    """Return null for what is before the year 1 or after 9999, in UTC."""
    unit = 1 if read.dtype == pl.Date else _DAY_US
    count = read.to_physical()
    lowest, highest = count.min(), count.max()
    if lowest is None or (lowest >= _FIRST_DAY * unit and highest < _AFTER_LAST_DAY * unit):  # type: ignore[operator]
        return read
    outside = (count < _FIRST_DAY * unit) | (count >= _AFTER_LAST_DAY * unit)
    return read.set(outside.fill_null(False), None)


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
    return _within_years(read)


def to_utc(local: pl.Series, timezone: str) -> pl.Series:
    """Convert *local* times in *timezone* to UTC; null for a time that a clock change skips or repeats."""
    placed = local.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    return placed.dt.convert_time_zone("UTC")
