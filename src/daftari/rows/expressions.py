"""
A contract's condition over one row, in two equal forms: a polars expression and a PostgreSQL check.

The text is untrusted: sqlglot parses it, and only what is listed here passes. Both forms follow SQL's
three-valued logic: where a field is null the condition may be null, and null is not a violation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import sqlglot
from sqlglot import exp

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.errors import ContractError

#: Where a timestamp becomes a date. One zone for the whole product, as on screens.
ZONE = "Africa/Nairobi"


@dataclass(frozen=True, kw_only=True)
class Condition:
    text: str  #: as the contract has it
    fields: tuple[str, ...]
    check: str | None  #: for a check constraint; None where it depends on the day it is judged

    #: what to evaluate on typed values; takes the day of judging
    expression: Callable[[date], pl.Expr]


def parse(text: str, dataset: Dataset, *, where: str) -> Condition:
    """
    Return the condition *text* over the fields of *dataset*; *where* begins the message of an error.

    Raises:
        ContractError: it is not one condition, names an unknown field, or uses what is not allowed.
    """
    try:
        tree = sqlglot.parse_one(text, read="postgres")
    except sqlglot.errors.SqlglotError as error:
        raise ContractError(f"{where}: not a condition in SQL: {_first_line(error)}") from None
    fields = {f.name: f for f in dataset.fields}
    for node in tree.walk():
        _allow(node, fields, where)
    names = tuple(sorted({column.name for column in tree.find_all(exp.Column)}))
    uses_today = tree.find(exp.CurrentDate) is not None
    return Condition(
        text=text,
        fields=names,
        check=None if uses_today else _to_sql(tree, fields),
        expression=lambda today: _to_polars(tree, fields, today),
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].replace("\x1b[4m", "").replace("\x1b[0m", "")


def _allow(node: exp.Expression, fields: Mapping[str, Field], where: str) -> None:
    if isinstance(node, exp.Column):
        if node.table or node.name not in fields:
            raise ContractError(
                f"{where}: {node.sql('postgres')} is not a field; there is {', '.join(fields)}"
            )
    elif isinstance(node, exp.Cast):
        if _cast_target(node) is None:
            raise ContractError(f"{where}: cast to {node.to.sql('postgres')}; date and text are possible")
    elif type(node) in _ORDERINGS and any(
        _is_text(side, fields) for side in (node.this, node.args.get("expression"))
    ):
        raise ContractError(f"{where}: text has no order that every server shares; = and <> are possible")
    elif isinstance(node, exp.Extract):
        _allow_extract(node, fields, where)
    elif type(node) not in _ALLOWED:
        raise ContractError(
            f"{where}: {type(node).__name__} is not allowed in a rule",
            hint="Possible: = <> < <= > >= and or not, is null, in, between, + - *, cast, extract, length, lower …",
        )


def _allow_extract(node: exp.Extract, fields: Mapping[str, Field], where: str) -> None:
    if node.name.lower() not in _DATE_PARTS or not _is_date(node.expression, fields):
        raise ContractError(f"{where}: extract takes {', '.join(_DATE_PARTS)} from a date")


def _cast_target(node: exp.Cast) -> str | None:
    kind = node.to.this
    if kind == exp.DataType.Type.DATE:
        return "date"
    return "text" if kind in (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR) else None


# --- PostgreSQL


def _to_sql(tree: exp.Expression, fields: Mapping[str, Field]) -> str:
    """The condition as PostgreSQL text, every name quoted, and immutable, as a check must be."""
    tree = tree.copy()
    for column in tree.find_all(exp.Column):
        column.this.set("quoted", True)
    for cast in list(tree.find_all(exp.Cast)):
        if _cast_target(cast) == "date" and _is_timestamp(cast.this, fields):
            # A cast of timestamptz to date depends on the session's zone; this does not.
            zoned = exp.AtTimeZone(this=cast.this.copy(), zone=exp.Literal.string(ZONE))
            cast.set("this", exp.Paren(this=zoned))
    return tree.sql("postgres")


def _is_text(node: exp.Expression, fields: Mapping[str, Field]) -> bool:
    field = fields.get(node.name) if isinstance(node, exp.Column) else None
    return field is not None and field.logical_type is LogicalType.STRING


def _is_date(node: exp.Expression, fields: Mapping[str, Field]) -> bool:
    if isinstance(node, exp.Column):
        return fields[node.name].logical_type is LogicalType.DATE
    if isinstance(node, exp.Cast):
        return _cast_target(node) == "date"
    return isinstance(node, exp.CurrentDate)


def _is_timestamp(node: exp.Expression, fields: Mapping[str, Field]) -> bool:
    return isinstance(node, exp.Column) and fields[node.name].logical_type is LogicalType.TIMESTAMP


# --- polars


def _to_polars(node: exp.Expression, fields: Mapping[str, Field], today: date) -> pl.Expr:
    def of(child: exp.Expression) -> pl.Expr:
        return _to_polars(child, fields, today)

    if isinstance(node, exp.Literal):
        return pl.lit(str(node.this) if node.is_string else _number(str(node.this)))
    if isinstance(node, exp.CurrentDate):
        return pl.lit(today)
    if isinstance(node, exp.Boolean):
        return pl.lit(bool(node.this))
    if isinstance(node, exp.Column):
        return pl.col(node.name)
    if isinstance(node, exp.Binary) and type(node) in _COMPARISONS:
        left, right = _alike(node.this, node.expression, fields, of)
        return _COMPARISONS[type(node)](left, right)
    return _FORMS[type(node)](node, of, fields)


def _alike(
    left: exp.Expression,
    right: exp.Expression,
    fields: Mapping[str, Field],
    of: Callable[[exp.Expression], pl.Expr],
) -> tuple[pl.Expr, pl.Expr]:
    """A quoted date or timestamp beside a field of that type is read as one, as PostgreSQL does."""
    return _literal_as(left, right, fields) or of(left), _literal_as(right, left, fields) or of(right)


def _literal_as(node: exp.Expression, other: exp.Expression, fields: Mapping[str, Field]) -> pl.Expr | None:
    if not (isinstance(node, exp.Literal) and node.is_string):
        return None
    if _is_timestamp(other, fields):
        return pl.lit(datetime.fromisoformat(str(node.this)))
    return pl.lit(date.fromisoformat(str(node.this))) if _is_date(other, fields) else None


def _number(text: str) -> Decimal | int:
    return int(text) if text.isdigit() else Decimal(text)


Of = Callable[[exp.Expression], pl.Expr]
Fields = Mapping[str, Field]


def _in(node: exp.In, of: Of, _fields: Fields) -> pl.Expr:
    members = [_literal_value(choice) for choice in node.expressions]
    return of(node.this).is_in(members)


def _literal_value(node: exp.Expression) -> str | Decimal | int | bool:
    """The Python value of a literal in a list."""
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    return str(node.this) if node.is_string else _number(str(node.this))


def _between(node: exp.Between, of: Of, fields: Fields) -> pl.Expr:
    low = _literal_as(node.args["low"], node.this, fields)
    high = _literal_as(node.args["high"], node.this, fields)
    value = of(node.this)
    return (value >= (of(node.args["low"]) if low is None else low)) & (
        value <= (of(node.args["high"]) if high is None else high)
    )


def _add(node: exp.Add, of: Of, fields: Fields) -> pl.Expr:
    if _is_date(node.this, fields):
        return of(node.this) + pl.duration(days=of(node.expression))
    return of(node.this) + of(node.expression)


def _sub(node: exp.Sub, of: Of, fields: Fields) -> pl.Expr:
    """As in PostgreSQL, a date less a date is a number of days, and less a number of days a date."""
    left, right = of(node.this), of(node.expression)
    if not _is_date(node.this, fields):
        return left - right
    if _is_date(node.expression, fields):
        return (left - right).dt.total_days()
    return left - pl.duration(days=right)


def _is_null(node: exp.Is, of: Of, _fields: Fields) -> pl.Expr:
    return of(node.this).is_not_null() if node.args.get("negate") else of(node.this).is_null()


def _cast(node: exp.Cast, of: Of, fields: Fields) -> pl.Expr:
    if _cast_target(node) == "text":
        return of(node.this).cast(pl.String)
    if _is_timestamp(node.this, fields):
        return of(node.this).dt.convert_time_zone(ZONE).dt.date()
    return of(node.this).cast(pl.Date)


def _extract(node: exp.Extract, of: Of, _fields: Fields) -> pl.Expr:
    return _DATE_PARTS[node.name.lower()](of(node.expression))


_DATE_PARTS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "year": lambda day: day.dt.year(),
    "month": lambda day: day.dt.month(),
    "day": lambda day: day.dt.day(),
}
_COMPARISONS: dict[type[exp.Expression], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.And: lambda a, b: a & b,
    exp.Or: lambda a, b: a | b,
}
_ORDERINGS = {exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between}
_FORMS: dict[type[exp.Expression], Callable[..., pl.Expr]] = {
    exp.Paren: lambda n, of, _: of(n.this),
    exp.Not: lambda n, of, _: ~of(n.this),
    exp.Neg: lambda n, of, _: -of(n.this),
    exp.Is: _is_null,
    exp.Add: _add,
    exp.Sub: _sub,
    exp.Mul: lambda n, of, _: of(n.this) * of(n.expression),
    exp.In: _in,
    exp.Between: _between,
    exp.Cast: _cast,
    exp.Length: lambda n, of, _: of(n.this).str.len_chars(),
    exp.Lower: lambda n, of, _: of(n.this).str.to_lowercase(),
    exp.Abs: lambda n, of, _: of(n.this).abs(),
    exp.Extract: _extract,
    exp.Coalesce: lambda n, of, _: pl.coalesce(of(n.this), *(of(e) for e in n.expressions)),
}
_ALLOWED = {
    *_COMPARISONS,
    *_FORMS,
    exp.Literal,
    exp.Boolean,
    exp.Null,
    exp.Identifier,
    exp.Var,
    exp.DataType,
    exp.CurrentDate,
}
