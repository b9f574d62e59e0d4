"""
Parse the query parameters of a dataset's URL: filters, order, fields, limit, cursor.

`field=value`, `field.ne=`, `.lt= .lte= .gt= .gte=`, `.in=a,b`, `.starts=text`, `.is=null|notnull`;
`sort=-spent_on,amount`; `limit`; `fields=a,b`; `after=`, the cursor that a page gives for the next one. Pure. Only
values that are valid for their column's type reach the server.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from uuid import UUID

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.errors import QueryRefused

DEFAULT_LIMIT = 50
MOST_ROWS = 1000
_OPERATORS = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "is", "starts")
_WORDS = ("sort", "limit", "fields", "after")
_MOST_VALUES = 1000
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class VisibleColumn:
    """A column as a role sees it."""

    name: str
    type: str  #: PostgreSQL's
    field: Field | None = None  #: None: one of the platform's
    is_masked: bool = False  #: its values are masked text
    required: bool = False

    @property
    def is_restricted(self) -> bool:
        """Whether reading its values requires a stated purpose."""
        return not self.is_masked and self.field is not None and self.field.is_restricted

    @property
    def is_for_addresses(self) -> bool:
        """Whether a URL may contain its values: URLs end up in logs and browser histories."""
        return not self.is_masked and not self.is_restricted


@dataclass(frozen=True, kw_only=True)
class Filter:
    column: VisibleColumn
    operator: str  #: one of eq, ne, lt, lte, gt, gte, in, is, starts
    values: tuple[str, ...]  #: as text that is valid for the column's type


@dataclass(frozen=True, kw_only=True)
class Sort:
    column: VisibleColumn
    descending: bool = False


@dataclass(frozen=True, kw_only=True)
class Query:
    fields: tuple[VisibleColumn, ...]
    filters: tuple[Filter, ...] = ()
    sort: tuple[Sort, ...] = ()  #: ends with the key, so that the order is total
    limit: int = DEFAULT_LIMIT
    after: tuple[str | None, ...] | None = None  #: the last row's values of the sort columns

    @property
    def order(self) -> str:
        return ",".join(f"{'-' if it.descending else ''}{it.column.name}" for it in self.sort)

    def cursor(self, values: Sequence[str | None]) -> str:
        """Return the cursor of the page after a row with these sort values."""
        text = json.dumps([self.order, list(values)], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_query(
    dataset: Dataset, columns: Sequence[VisibleColumn], parameters: Sequence[tuple[str, str]]
) -> Query:
    """
    Parse *parameters*, the names and values in a URL, for the columns that a role sees.

    Raises:
        QueryRefused: something is not valid. Unknown columns and columns that the role may not see get the same
            message; no value is quoted.
    """
    known = {column.name: column for column in columns}
    words: dict[str, str] = {}
    filters = []
    for name, value in parameters:
        if name in _WORDS and name not in known:
            if name in words:
                raise QueryRefused(f"{name}: given twice; expected once")
            words[name] = value
        else:
            filters.append(_filter(name, value, known))
    query = Query(
        fields=_fields(words.get("fields"), known),
        filters=tuple(filters),
        sort=_sort(words.get("sort"), known, dataset),
        limit=_limit(words.get("limit")),
    )
    after = _after(words["after"], query) if "after" in words else None
    return Query(**{**vars(query), "after": after})


def _column(name: str, known: Mapping[str, VisibleColumn], where: str) -> VisibleColumn:
    if name not in known:
        raise QueryRefused(f"{where}: names an unknown field; expected one of {', '.join(known)}")
    return known[name]


def _fields(given: str | None, known: Mapping[str, VisibleColumn]) -> tuple[VisibleColumn, ...]:
    if given is None:
        return tuple(known.values())
    names = dict.fromkeys(name.strip() for name in given.split(","))
    return tuple(_column(name, known, "fields") for name in names)


def _limit(given: str | None) -> int:
    if given is None:
        return DEFAULT_LIMIT
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= MOST_ROWS):
        raise QueryRefused(f"limit: expected a whole number from 1 to {MOST_ROWS}")
    return int(given)


def _sort(given: str | None, known: Mapping[str, VisibleColumn], dataset: Dataset) -> tuple[Sort, ...]:
    found: dict[str, Sort] = {}
    for part in given.split(",") if given else ():
        name = part.strip().removeprefix("-")
        column = _column(name, known, "sort")
        if column.name in found:
            raise QueryRefused(f"sort: names {column.name} twice; expected once")
        _require_ordered(column, "sort")
        _require_open(column, "sort")
        found[column.name] = Sort(column=column, descending=part.strip().startswith("-"))
    for name in dataset.key:
        if name in known:
            found.setdefault(name, Sort(column=known[name]))
    if not found:
        raise QueryRefused("sort: this role does not see the key; expected the fields to sort by")
    return tuple(found.values())


def _require_open(column: VisibleColumn, where: str) -> None:
    if not column.is_for_addresses:
        raise QueryRefused(
            f"{where}: {column.name} may not be used in a URL; "
            "expected a field that is neither masked nor restricted"
        )


def _require_ordered(column: VisibleColumn, where: str) -> None:
    if column.field and column.field.logical_type in (LogicalType.OBJECT, LogicalType.ARRAY):
        raise QueryRefused(f"{where}: {column.name} has no order; expected a field that has one")


def _filter(parameter: str, value: str, known: Mapping[str, VisibleColumn]) -> Filter:
    name, _, operator = parameter.partition(".")
    operator = operator or "eq"
    column = _column(name, known, "the query")
    where = f"{column.name}.{operator}" if operator in _OPERATORS else column.name
    if operator not in _OPERATORS:
        raise QueryRefused(f"{where}: unknown comparison; expected one of {', '.join(_OPERATORS)}")
    if "\0" in value:
        raise QueryRefused(f"{where}: contains a character that no row can contain")
    if operator == "is":
        if value not in ("null", "notnull"):
            raise QueryRefused(f"{where}: expected null or notnull")
        return Filter(column=column, operator=operator, values=(value,))
    _require_ordered(column, where)
    _require_open(column, where)
    if operator == "starts":
        if not _is_text(column):
            raise QueryRefused(f"{where}: not text; expected a text field")
        return Filter(column=column, operator=operator, values=(value,))
    values = value.split(",") if operator == "in" else [value]
    if len(values) > _MOST_VALUES:
        raise QueryRefused(f"{where}: expected {_MOST_VALUES} values or fewer")
    return Filter(column=column, operator=operator, values=tuple(_value(column, it, where) for it in values))


def _is_text(column: VisibleColumn) -> bool:
    is_string = column.field is not None and column.field.logical_type is LogicalType.STRING
    return is_string and column.type.startswith(("text", "varchar"))


def _value(column: VisibleColumn, value: str, where: str) -> str:
    """Return a value as text that is valid for the column's type."""
    if _is_text(column):
        return value
    field = column.field
    if field is not None and field.allowed:
        if value not in field.allowed:
            raise QueryRefused(f"{where}: expected one of {', '.join(field.allowed)}")
        return value
    kind = field.logical_type if field else _kind_of_platform(column)
    try:
        return _READ[kind](value)
    except (ValueError, InvalidOperation, OverflowError):
        raise QueryRefused(f"{where}: expected {_EXPECTED[kind]}") from None


def _kind_of_platform(column: VisibleColumn) -> LogicalType:
    return LogicalType.TIMESTAMP if column.type == "timestamptz" else LogicalType.INTEGER


def _integer(value: str) -> str:
    number = int(value) if len(value) <= 20 and "_" not in value else None
    if number is None or not _SMALLEST <= number <= _LARGEST:
        raise ValueError
    return str(number)


def _number(value: str) -> str:
    number = Decimal(value)
    if len(value) > 60 or not number.is_finite() or abs(number.adjusted()) > 60:
        raise ValueError
    return f"{number:f}"


def _instant(value: str) -> str:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError
    return found.isoformat()


def _boolean(value: str) -> str:
    if value not in ("true", "false"):
        raise ValueError
    return value


_READ = {
    LogicalType.STRING: lambda value: str(UUID(value)),  # other strings are text
    LogicalType.INTEGER: _integer,
    LogicalType.NUMBER: _number,
    LogicalType.BOOLEAN: _boolean,
    LogicalType.DATE: lambda value: date.fromisoformat(value).isoformat(),
    LogicalType.TIME: lambda value: time.fromisoformat(value).isoformat(),
    LogicalType.TIMESTAMP: _instant,
}
_EXPECTED = {
    LogicalType.STRING: "a UUID",
    LogicalType.INTEGER: "a whole number",
    LogicalType.NUMBER: "a number such as 1250.50",
    LogicalType.BOOLEAN: "true or false",
    LogicalType.DATE: "a day such as 2026-03-14",
    LogicalType.TIME: "a time such as 09:30:00",
    LogicalType.TIMESTAMP: "an instant with its zone such as 2026-03-14T09:30:00+03:00",
}


def _after(given: str, query: Query) -> tuple[str | None, ...]:
    """Decode a cursor; refuse one that is not ours, or for another sort order."""
    refused = QueryRefused(
        "after: not a cursor of this sort order; expected one from a page with the same sort"
    )
    try:
        padded = given + "=" * (-len(given) % 4)
        document = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
        order, values = document
    except (ValueError, TypeError, RecursionError):
        raise refused from None
    is_ours = isinstance(values, list) and all(it is None or isinstance(it, str) for it in values)
    if not is_ours or order != query.order or len(values) != len(query.sort):
        raise refused
    return tuple(_place(sort.column, value, refused) for sort, value in zip(query.sort, values, strict=True))


def _place(column: VisibleColumn, value: str | None, refused: QueryRefused) -> str | None:
    if value is None:
        return None
    if "\0" in value:
        raise refused
    try:
        return _value(column, value, "after")
    except QueryRefused:
        raise refused from None
