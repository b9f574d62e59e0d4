"""Profile the columns of a file: type, required, unique, closed set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from daftari.contract.draft_contract import ColumnProfile, sql_name_of
from daftari.contract.model import Field, LogicalType
from daftari.errors import MappingError
from daftari.rows.formats import booleans
from daftari.rows.formats.inference import infer_styles
from daftari.rows.formats.parse import read_values
from daftari.rows.formats.texts import columns_of
from daftari.rows.intake.block import Block
from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan
from daftari.rows.mapping.mapping import FieldSource, Mapping

#: A column with few distinct values in many rows counts as a closed set.
MOST_ALLOWED = 12
_ROWS_PER_VALUE = 10
_LONGEST_VALUE_BYTES = 63

#: Names of key columns; uniqueness alone may be chance.
_KEY_NAME = re.compile(r"(^|_)(id|key|code|number|no|num|ref|reference|uuid)$")
#: 00123 and +254 are identifiers, not numbers.
_NO_COUNT = r"^(?:[+]|-?0[0-9])|^[0-9]{16,}$"
_WITH_DECIMALS = r"[.,][0-9]{1,2}\)?$"
_LIKE_NUMBERS = r"^[-+(]?[0-9][0-9., ']*\)?$"
_LIKE_DATES = r"^[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}"

_DATED = (LogicalType.DATE, LogicalType.TIMESTAMP, LogicalType.TIME)
_EXAMPLES = 3


def profile_columns(cells: pl.DataFrame, *, examples: bool = False) -> tuple[ColumnProfile, ...]:
    """
    Return the profile of each column of *cells*, which are text, null where empty.

    Dates with ambiguous day and month still count as dates: a mapping must declare the format.
    """
    profiles = [_profile(cells[name], examples) for name in cells.columns]
    key = next((p.name for p in profiles if p.unique), None)
    return tuple(replace(p, key_position=1) if p.name == key else p for p in profiles)


def _profile(column: pl.Series, examples: bool) -> ColumnProfile:
    text = column.str.strip_chars().replace("", None)
    values = text.drop_nulls().unique(maintain_order=True)
    kind, nulls = _type_of(text, values)
    is_full = bool(len(text)) and not nulls
    name = sql_name_of(column.name)
    is_text = kind is LogicalType.STRING
    return ColumnProfile(
        name=column.name,
        logical_type=kind,
        required=is_full,
        unique=is_full and len(values) == len(text) and _may_be_key(kind, name),
        allowed=tuple(sorted(values)) if is_text and _is_closed(values, len(text) - nulls) else (),
        examples=tuple(values.head(_EXAMPLES)) if examples else (),
    )


def _may_be_key(kind: LogicalType, name: str) -> bool:
    return kind in (LogicalType.STRING, LogicalType.INTEGER) and _KEY_NAME.search(name) is not None


def _is_closed(values: pl.Series, rows: int) -> bool:
    few = 2 <= len(values) <= MOST_ALLOWED and len(values) * _ROWS_PER_VALUE <= rows
    return few and bool((values.str.len_bytes() <= _LONGEST_VALUE_BYTES).all())


def _type_of(text: pl.Series, values: pl.Series) -> tuple[LogicalType, int]:
    """Return the narrowest type that fits every value of the column, and how many are null as that type."""
    if len(values):
        for kind in _candidates(values):
            nulls = _nulls_as(kind, text)
            if nulls is not None:
                return kind, nulls
    return LogicalType.STRING, text.null_count()


def _candidates(values: pl.Series) -> Iterable[LogicalType]:
    words = not values.is_in(["0", "1"]).all()
    if words and booleans.read_booleans(values).null_count() == 0:
        yield LogicalType.BOOLEAN
    if values.str.contains("[0-9]").sum() * 2 < len(values):
        return  # mostly text: trying to read it as numbers would only take time
    if not values.str.contains(_NO_COUNT).any():
        if not values.str.contains(_WITH_DECIMALS).any():
            yield LogicalType.INTEGER
        yield LogicalType.NUMBER
    if values.str.contains("[^0-9]").all():  # a bare number might be an Excel date, but nothing declares it
        yield from _DATED


def _nulls_as(kind: LogicalType, text: pl.Series) -> int | None:
    """Return how many of *text* are null as *kind*; None if some cannot be read as it."""
    name = text.name
    field = Field(name="c", logical_type=kind)
    one = FieldPlan(field=field, source=FieldSource(), columns=(name,))
    plan = ColumnPlan(file="", fields=(one,), header=(name,), mapping=Mapping(dataset="c"))
    lines = pl.Series("line", range(1, len(text) + 1), dtype=pl.Int64)
    block = Block(cells=text.to_frame(), lines=lines)
    try:
        settled = infer_styles(plan, [block])
    except MappingError:
        # Either ambiguous between two styles of this kind, or not of this kind.
        like = _LIKE_DATES if kind in _DATED else _LIKE_NUMBERS
        return text.null_count() if text.drop_nulls().str.contains(like).all() else None
    [column] = columns_of(settled, block)
    read = read_values(column.content, settled.fields[0])
    return read.null_count() if read.null_count() == column.found.null_count() < len(text) else None
