"""Convert a condition that `expression_types` allowed to polars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlglot import exp

from daftari.rows.rules.expression_terms import Shape, Type, column_name, is_cast_to, literal_value, operands
from daftari.rows.rules.expression_types import MOST_DIGITS, Fields, common_type, type_of_expression
from daftari.rows.rules.working_days import holidays_of, weekend_of


def to_polars(node: exp.Expr, fields: Fields, today: date, time_zone: str) -> pl.Expr:
    """
    Return *node* as an expression over typed values, null where SQL gives null.

    A timestamp becomes a date in *time_zone*. There is a value for each row.
    """
    found = _Former(fields, today, time_zone).of(node)
    # polars makes one value of `coalesce(field, 0)` where the field is null in every row.
    return found & pl.repeat(True, pl.len()) if node.find(exp.Coalesce) else found


@dataclass(frozen=True)
class _Former:
    fields: Fields
    today: date
    time_zone: str

    def of(self, node: exp.Expr) -> pl.Expr:
        return _FORMS[type(node)](self, node)

    def type_of(self, node: exp.Expr) -> Type:
        return type_of_expression(node, self.fields)

    def alike(self, node: exp.Expr) -> list[pl.Expr]:
        """Return the operands of *node*; like PostgreSQL, read quoted text next to a date as a date."""
        nodes = operands(node)
        shape = common_type(nodes, self.fields).shape
        return [
            pl.lit(literal_value(one, shape)) if isinstance(one, exp.Literal) else self.of(one)
            for one in nodes
        ]

    def sum(self, node: exp.Add | exp.Sub) -> pl.Expr:
        """As in PostgreSQL, a date minus a date is a number of days; minus a number of days, a date."""
        left, right = self.of(node.this), self.of(node.expression)
        sign = 1 if isinstance(node, exp.Add) else -1
        found = self.type_of(node)
        if found.shape is Shape.DATE:
            return left + pl.duration(days=sign * int(node.expression.name))
        if self.type_of(node.this).shape is Shape.DATE:
            return (left - right).dt.total_days()
        if not found.is_float:
            left, right = (_exact(one, MOST_DIGITS - 1, found.scale) for one in (left, right))
        return left + right if sign > 0 else left - right

    def product(self, node: exp.Mul) -> pl.Expr:
        """
        Multiply exactly: polars rounds to the larger scale of the two, so the first gets the result's scale.

        Numbers too long for an exact product give null: the check in the database judges those.
        """
        left, right, found = self.type_of(node.this), self.type_of(node.expression), self.type_of(node)
        first, second = self.of(node.this), self.of(node.expression)
        if found.is_float:
            return first * second
        spare = min(right.whole, found.whole // 2)
        first_whole = min(left.whole, found.whole - spare)
        second_whole = min(right.whole, found.whole - first_whole)
        first = _exact(_exact(first, first_whole + left.scale, left.scale), MOST_DIGITS, found.scale)
        return first * _exact(second, second_whole + right.scale, right.scale)

    def is_(self, node: exp.Is) -> pl.Expr:
        value = self.of(node.this)
        if isinstance(node.expression, exp.Boolean):
            found = value.eq_missing(pl.lit(bool(node.expression.this)))
        else:
            found = value.is_null()
        return ~found if node.args.get("negate") else found

    def in_(self, node: exp.In) -> pl.Expr:
        shape = common_type(operands(node), self.fields).shape
        value = self.of(node.this)
        found = [value == pl.lit(literal_value(choice, shape)) for choice in node.expressions]
        if shape is not Shape.TEXT:
            return pl.any_horizontal(found)
        return value.is_in([choice.name for choice in node.expressions])

    def between(self, node: exp.Between) -> pl.Expr:
        value, low, high = self.alike(node)
        return (value >= low) & (value <= high)

    def cast(self, node: exp.Cast) -> pl.Expr:
        value = self.of(node.this)
        if is_cast_to(node, Shape.TEXT):
            return value.cast(pl.String)
        if self.type_of(node.this).shape is Shape.TIMESTAMP:
            return value.dt.convert_time_zone(self.time_zone).dt.date()
        return value

    def working_days(self, node: exp.Anonymous) -> pl.Expr:
        """As in SQL, no days if the end is before the start."""
        start, end = (self.of(it) for it in node.expressions[:2])
        country = node.expressions[2].name
        days = pl.business_day_count(
            start,
            end + pl.duration(days=1),
            week_mask=[day not in weekend_of(country) for day in range(7)],
            holidays=holidays_of(country),
        )
        return pl.when(start.is_not_null() & end.is_not_null()).then(
            pl.when(end < start).then(0).otherwise(days).cast(pl.Int64)
        )

    def extract(self, node: exp.Extract) -> pl.Expr:
        day = self.of(node.expression)
        parts = {"year": day.dt.year, "month": day.dt.month, "day": day.dt.day}
        return parts[node.name.lower()]().cast(pl.Int64)


def _exact(value: pl.Expr, digits: int, scale: int) -> pl.Expr:
    """Return *value* in so many digits; null if it has more."""
    return value.cast(pl.Decimal(min(digits, MOST_DIGITS), scale), strict=False)


def _comparison(compare: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Callable[[_Former, exp.Expr], pl.Expr]:
    def form(former: _Former, node: exp.Expr) -> pl.Expr:
        left, right = former.alike(node)
        return compare(left, right)

    return form


_FORMS: dict[type[exp.Expr], Callable[..., pl.Expr]] = {
    exp.Column: lambda _, node: pl.col(column_name(node)),
    exp.Anonymous: _Former.working_days,
    exp.Literal: lambda _, node: pl.lit(literal_value(node, Shape.TEXT)),
    exp.Boolean: lambda _, node: pl.lit(bool(node.this)),
    exp.CurrentDate: lambda former, _: pl.lit(former.today),
    exp.Paren: lambda former, node: former.of(node.this),
    exp.Not: lambda former, node: ~former.of(node.this),
    exp.And: lambda former, node: former.of(node.this) & former.of(node.expression),
    exp.Or: lambda former, node: former.of(node.this) | former.of(node.expression),
    exp.EQ: _comparison(lambda a, b: a == b),
    exp.NEQ: _comparison(lambda a, b: a != b),
    exp.LT: _comparison(lambda a, b: a < b),
    exp.LTE: _comparison(lambda a, b: a <= b),
    exp.GT: _comparison(lambda a, b: a > b),
    exp.GTE: _comparison(lambda a, b: a >= b),
    exp.Between: _Former.between,
    exp.In: _Former.in_,
    exp.Is: _Former.is_,
    exp.Add: _Former.sum,
    exp.Sub: _Former.sum,
    exp.Mul: _Former.product,
    exp.Neg: lambda former, node: -former.of(node.this),
    exp.Abs: lambda former, node: former.of(node.this).abs(),
    exp.Length: lambda former, node: former.of(node.this).str.len_chars().cast(pl.Int64),
    exp.Lower: lambda former, node: former.of(node.this).str.to_lowercase(),
    exp.Cast: _Former.cast,
    exp.Extract: _Former.extract,
    exp.Coalesce: lambda former, node: pl.coalesce(former.alike(node)),
}
