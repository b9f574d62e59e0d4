"""Profile a file's columns and rows: types, required fields, keys, fields about persons, and what is doubtful."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from daftari.contract.draft_contract import ColumnProfile, sql_name_of
from daftari.contract.model import LogicalType
from daftari.rows.formats.number_evidence import NumberEvidence
from daftari.rows.profile.column_types import PLACEHOLDERS, ColumnType, is_open, type_of_column
from daftari.rows.profile.keys import KEY_NAME, propose_key
from daftari.rows.profile.personal_values import might_be_national_ids, personal_values

#: A column with few distinct values in many rows counts as a closed set, if its name says that they are kinds.
MOST_ALLOWED = 12
_ROWS_PER_VALUE = 10
_LONGEST_VALUE_BYTES = 63
_NAME_OF_A_SET = re.compile(
    r"(^|_)(status|state|type|kind|class|category|categories|currency|method|mode|stage|priority|severity|impact|"
    r"urgency|level|channel|frequency|unit|units|flag|active|hali|aina|sarafu)$"
)

_IS_COUNTED = re.compile(r"(^|_)(age|salary|mshahara|wage|pay|children|dependants|amount)(_|$)")

_COUNTED = (LogicalType.INTEGER, LogicalType.NUMBER)
_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class ProfiledRows:
    columns: tuple[ColumnProfile, ...]
    kinds: Mapping[str, LogicalType]
    remarks: tuple[str, ...] = ()  #: about the key, for people


def profile_columns(cells: pl.DataFrame, *, examples: bool = False) -> ProfiledRows:
    """
    Return the profile of each column of *cells*, which are text, trimmed, null where empty, and rows only.

    Dates with ambiguous day and month still count as dates: a mapping must declare the format.
    """
    types = {column.name: _type(column) for column in cells.iter_columns()}
    mark = _decimal_mark(types.values())
    profiles = [_profile(cells[name], kind, mark, examples) for name, kind in types.items()]
    profiles = _with_national_ids(profiles, cells)
    proposal = propose_key(profiles, cells)
    keyed = tuple(
        replace(one, key_position=1, unique=True) if one.name == proposal.key else one for one in profiles
    )
    kinds = {one.name: one.logical_type for one in profiles}
    return ProfiledRows(columns=keyed, kinds=kinds, remarks=proposal.remarks)


def trimmed(cells: pl.DataFrame) -> pl.DataFrame:
    """Return *cells* without outer white space; null where nothing is left."""
    return cells.with_columns(pl.all().str.strip_chars().replace("", None))


def _type(column: pl.Series) -> ColumnType:
    return type_of_column(column, is_identifier=KEY_NAME.search(sql_name_of(column.name)) is not None)


def _decimal_mark(types: Iterable[ColumnType]) -> str | None:
    """Return the decimal mark that the file's columns show; None if none does, or they differ."""
    shown = {one.evidence.decided() for one in types if one.evidence is not None} - {None}
    return shown.pop() if len(shown) == 1 else None


def _profile(column: pl.Series, found: ColumnType, mark: str | None, examples: bool) -> ColumnProfile:
    values = column.drop_nulls().unique(maintain_order=True)
    name = sql_name_of(column.name)
    personal = personal_values(name, values)
    found = _by_mark(found, mark)
    if personal and found.kind is LogicalType.INTEGER and not _IS_COUNTED.search(name):
        found = ColumnType(kind=LogicalType.STRING)  # a phone or identity number, which nobody adds up
    empty = column.null_count() + sum(rows for _, rows in found.words)
    is_full = bool(len(column)) and not empty
    is_text = found.kind is LogicalType.STRING
    is_set = is_text and not personal and _is_closed(values, len(column) - empty)
    is_named_so = _NAME_OF_A_SET.search(name) is not None
    return ColumnProfile(
        name=column.name,
        logical_type=found.kind,
        required=is_full,
        unique=is_full and len(values) == len(column) and _may_be_key(found.kind, name),
        allowed=tuple(sorted(values)) if is_set and is_named_so else (),
        examples=tuple(values.head(_EXAMPLES)) if examples and not personal else (),
        personal=personal,
        null_words=tuple(word for word, _ in found.words if word.lower() in PLACEHOLDERS),
        format=found.format,
        decimal=(mark or ".") if found.is_ambiguous and found.evidence else "",
        remarks=(*_remarks(found, mark), *(() if is_named_so or not is_set else _set_remark(values, column))),
    )


def _by_mark(found: ColumnType, mark: str | None) -> ColumnType:
    """Return the type of ambiguous numbers, read by the decimal *mark* that other columns show."""
    evidence = found.evidence
    if mark is None or evidence is None or not is_open(evidence):
        return found
    is_grouped = bool(evidence.either("," if mark == "." else "."))
    is_decimal = bool(evidence.either(mark))
    kind = LogicalType.NUMBER if is_decimal else LogicalType.INTEGER if is_grouped else found.kind
    return replace(found, kind=kind)


def _may_be_key(kind: LogicalType, name: str) -> bool:
    return kind in (LogicalType.STRING, LogicalType.INTEGER) and KEY_NAME.search(name) is not None


def _is_closed(values: pl.Series, rows: int) -> bool:
    few = 2 <= len(values) <= MOST_ALLOWED and len(values) * _ROWS_PER_VALUE <= rows
    return few and bool((values.str.len_bytes() <= _LONGEST_VALUE_BYTES).all())


def _remarks(found: ColumnType, mark: str | None) -> Iterable[str]:
    if found.kind is LogicalType.STRING:
        yield from _remarks_on_text(found)
        return
    kind = _in_words(found.kind)
    for word, rows in found.words:
        where = "1 row" if rows == 1 else f"{rows:,} rows"
        yield f"The word '{word}' stands in {where} in place of a value: declare it in null_words."
    if found.outliers:
        others = f"the other {found.outliers:,} would be rejected"
        yield f"{found.fits:,} of {found.values:,} values read as {kind}; {others}."
    if found.exponents:
        yield f"Written with an exponent, as in 9.9E-9: {found.exponents:,} of {found.values:,} values."
    if found.evidence is not None and is_open(found.evidence):
        yield _open_mark(found.evidence, mark)
    elif found.is_ambiguous:
        yield f"No single style reads all of its {kind}: declare `format` in the source mapping{_perhaps(found)}."


def _remarks_on_text(found: ColumnType) -> Iterable[str]:
    if found.looks_dated:
        yield "Its values look like dates, in a style that is not known: kept as text."
    if found.tried is not None:
        kind = _in_words(found.tried)
        yield f"{found.tried_fits:,} of {found.values:,} values read as {kind}; kept as text because the others do not."


def _open_mark(evidence: NumberEvidence, mark: str | None) -> str:
    found = "dot" if evidence.either(".") else "comma"
    if mark is not None:
        use = "is the decimal mark" if found == {".": "dot", ",": "comma"}[mark] else "groups thousands"
        return f"The {found} before three digits is ambiguous; by the file's other columns it {use}."
    return (
        f"The {found} before three digits is ambiguous: decimal mark or thousands? No value shows which; declare"
        " `decimal` in the source mapping."
    )


def _perhaps(found: ColumnType) -> str:
    return f", perhaps {found.format}" if found.format else ""


def _set_remark(values: pl.Series, column: pl.Series) -> tuple[str, ...]:
    found = f"{len(values)} distinct values in {len(column):,} rows"
    return (f"{found}: if they are a closed set, list them in a check of invalidValues.",)


def _in_words(kind: LogicalType) -> str:
    return {
        LogicalType.INTEGER: "whole numbers",
        LogicalType.NUMBER: "numbers",
        LogicalType.DATE: "dates",
        LogicalType.TIMESTAMP: "dates with a time",
        LogicalType.TIME: "times",
        LogicalType.BOOLEAN: "yes or no",
    }.get(kind, "text")


def _with_national_ids(profiles: list[ColumnProfile], cells: pl.DataFrame) -> list[ColumnProfile]:
    """Beside names of persons, a column of distinct numbers of the right length holds identity numbers."""
    if not any("names of persons" in (one.personal or "") for one in profiles):
        return profiles
    why = "beside names, its values look like identity numbers"
    return [replace(one, personal=why) if _might_be_ids(one, cells[one.name]) else one for one in profiles]


def _might_be_ids(profile: ColumnProfile, column: pl.Series) -> bool:
    if profile.personal or profile.logical_type is not LogicalType.INTEGER or profile.unique:
        return False
    values = column.drop_nulls()
    return values.n_unique() == len(values) and might_be_national_ids(values)
