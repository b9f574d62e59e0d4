"""Type-check a condition over one row: the allowed forms and types. Refuse everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import polars as pl
from sqlglot import exp

from daftari.contract.model import Field, LogicalType
from daftari.rows.formats.parse import physical
from daftari.rows.rules.expression_terms import (
    WRITTEN,
    ExpressionRefused,
    Shape,
    Type,
    column_name,
    is_cast_to,
    is_literal,
    is_text_literal,
    literal_value,
    operands,
    quoted_fragment,
)
from daftari.rows.rules.working_days import is_country

Fields = Mapping[str, Field]

#: The most digits of a number in polars.
MOST_DIGITS = 38


HINT = (
    "A rule compares fields: = <> < <= > >= and or not, is null, in, between, + - *, cast, extract, "
    "length, lower, abs, coalesce, working_days(start, end, country), fields of a referenced row (user.left_on), "
    "sum(field) filter (where …) over (partition by …)"
)
DATE_PARTS = ("year", "month", "day")
WORKING_DAYS = "working_days"

_SHAPES = {
    LogicalType.STRING: Shape.TEXT,
    LogicalType.BOOLEAN: Shape.TRUTH,
    LogicalType.DATE: Shape.DATE,
    LogicalType.TIME: Shape.TIME,
    LogicalType.TIMESTAMP: Shape.TIMESTAMP,
    LogicalType.OBJECT: Shape.DOCUMENT,
    LogicalType.ARRAY: Shape.DOCUMENT,
}
_ORDERED = (Shape.NUMBER, Shape.DATE, Shape.TIME, Shape.TIMESTAMP)


def type_of_expression(node: exp.Expr, fields: Fields) -> Type:
    """
    Return the type of *node*.

    Raises:
        ExpressionRefused: something in it is not allowed, or types do not match.
    """
    typing = _TYPING.get(type(node))
    if typing is None:
        raise ExpressionRefused(f"{type(node).__name__} is not allowed in a rule", hint=HINT)
    return typing(node, fields)


def common_type(nodes: Sequence[exp.Expr], fields: Fields) -> Type:
    """Return the common type of *nodes*, which are compared; quoted text next to a date is read as a date."""
    typed = [type_of_expression(node, fields) for node in nodes if not is_text_literal(node)]
    shape = typed[0].shape if typed else Shape.TEXT
    if shape is Shape.DOCUMENT:
        raise ExpressionRefused("documents cannot be compared; only is null is allowed")
    for node in nodes:
        _require_shape(node, shape, fields)
    closed = {
        choice for node in nodes if is_closed(node, fields) for choice in fields[column_name(node)].allowed
    }
    for node in nodes:
        if closed and is_text_literal(node) and node.name not in closed:
            raise ExpressionRefused(f"{node.name!r} is not a value of the field's closed set")
    return Type(
        shape=shape,
        whole=max((one.whole for one in typed), default=0),
        scale=max((one.scale for one in typed), default=0),
        is_float=any(one.is_float for one in typed),
    )


def _require_shape(node: exp.Expr, shape: Shape, fields: Fields) -> None:
    if is_text_literal(node) and shape in (Shape.TEXT, *WRITTEN):
        literal_value(node, shape)
        return
    found = type_of_expression(node, fields).shape
    if found is not shape:
        raise ExpressionRefused(f"{quoted_fragment(node)} is {found}, but is compared with {shape}")


def is_closed(node: exp.Expr, fields: Fields) -> bool:
    """Whether *node* is a field with a closed set of values, stored as an enum."""
    return isinstance(node, exp.Column) and bool(fields[column_name(node)].allowed)


def _column(node: exp.Column, fields: Fields) -> Type:
    if column_name(node) not in fields:
        raise ExpressionRefused(f"{quoted_fragment(node)} is not a field; known: {', '.join(fields)}")
    field = fields[column_name(node)]
    kind = physical(field)
    if kind.is_float():
        return Type(shape=Shape.NUMBER, is_float=True)
    if isinstance(kind, pl.Decimal):
        return Type(shape=Shape.NUMBER, whole=kind.precision - kind.scale, scale=kind.scale)
    if kind.is_integer():
        return Type(shape=Shape.NUMBER, whole=19)
    return Type(shape=_SHAPES[field.logical_type])


def _literal(node: exp.Literal, _fields: Fields) -> Type:
    if node.is_string:
        return Type(shape=Shape.TEXT)
    _, digits, exponent = Decimal(node.name).as_tuple()
    scale = max(0, -int(exponent))
    return Type(shape=Shape.NUMBER, whole=max(len(digits) + int(exponent), 1), scale=scale)


def _truth(nodes: Sequence[exp.Expr], fields: Fields) -> Type:
    for node in nodes:
        found = type_of_expression(node, fields).shape
        if found is not Shape.TRUTH:
            raise ExpressionRefused(f"{quoted_fragment(node)} is {found}; expected a condition")
    return Type(shape=Shape.TRUTH)


def _equality(node: exp.Binary, fields: Fields) -> Type:
    if any(isinstance(side, exp.Null) for side in (node.this, node.expression)):
        raise ExpressionRefused("nothing equals null; use is null or is not null")
    common_type((node.this, node.expression), fields)
    return Type(shape=Shape.TRUTH)


def _ordering(node: exp.Expr, fields: Fields) -> Type:
    if node.args.get("symmetric"):
        raise ExpressionRefused("between symmetric is not allowed in a rule; name the lower bound first")
    found = common_type(operands(node), fields)
    if found.shape is Shape.TEXT:
        raise ExpressionRefused("the order of text differs between servers; use = or <>")
    if found.shape not in _ORDERED:
        raise ExpressionRefused(
            f"{quoted_fragment(node.this)} is {found.shape}, which has no order; use = or <>"
        )
    return Type(shape=Shape.TRUTH)


def _in(node: exp.In, fields: Fields) -> Type:
    if not node.expressions or not all(map(is_literal, node.expressions)):
        raise ExpressionRefused("in takes a list of values")
    common_type(operands(node), fields)
    return Type(shape=Shape.TRUTH)


def _is(node: exp.Is, fields: Fields) -> Type:
    if isinstance(node.expression, exp.Boolean):
        return _truth([node.this], fields)
    if not isinstance(node.expression, exp.Null):
        raise ExpressionRefused(f"{quoted_fragment(node)} is not allowed in a rule", hint=HINT)
    type_of_expression(node.this, fields)
    return Type(shape=Shape.TRUTH)


def _sum(node: exp.Add | exp.Sub, fields: Fields) -> Type:
    left, right = type_of_expression(node.this, fields), type_of_expression(node.expression, fields)
    if left.shape is Shape.DATE and right.shape is Shape.DATE and isinstance(node, exp.Sub):
        return Type(shape=Shape.NUMBER, whole=7)
    if left.shape is Shape.DATE and right.shape is Shape.NUMBER:
        if not (isinstance(node.expression, exp.Literal) and node.expression.name.isdigit()):
            raise ExpressionRefused(
                f"{quoted_fragment(node)}: only a literal whole number of days can be added to a date"
            )
        return left
    scale = max(left.scale, right.scale)
    whole = min(max(left.whole, right.whole) + 1, MOST_DIGITS - scale)
    return _numeric(node, (left, right), whole=whole, scale=scale)


def _product(node: exp.Mul, fields: Fields) -> Type:
    left, right = type_of_expression(node.this, fields), type_of_expression(node.expression, fields)
    scale = left.scale + right.scale
    whole = min(left.whole + right.whole, MOST_DIGITS - scale)
    if whole < min(left.whole + right.whole, 10):
        raise ExpressionRefused(
            f"{quoted_fragment(node)} would have {scale} decimals, too many to be exact",
            hint="Give the fields a physicalType with fewer decimals, such as numeric(14,2).",
        )
    return _numeric(node, (left, right), whole=whole, scale=scale)


def _numeric(node: exp.Expr, types: Sequence[Type], *, whole: int, scale: int) -> Type:
    for one in types:
        if one.shape is not Shape.NUMBER:
            raise ExpressionRefused(f"{quoted_fragment(node)}: {one.shape} does not support this calculation")
    if any(one.is_float for one in types):
        return Type(shape=Shape.NUMBER, is_float=True)
    return Type(shape=Shape.NUMBER, whole=whole, scale=scale)


def _same_number(node: exp.Neg | exp.Abs, fields: Fields) -> Type:
    found = type_of_expression(node.this, fields)
    return _numeric(node, [found], whole=found.whole, scale=found.scale)


def _of_text(result: Shape) -> Callable[[exp.Expr, Fields], Type]:
    def typing(node: exp.Expr, fields: Fields) -> Type:
        found = type_of_expression(node.this, fields).shape
        if found is not Shape.TEXT:
            raise ExpressionRefused(f"{quoted_fragment(node)} needs a text, not {found}")
        return Type(shape=result, whole=10 if result is Shape.NUMBER else 0)

    return typing


def _cast(node: exp.Cast, fields: Fields) -> Type:
    found = type_of_expression(node.this, fields)
    if is_cast_to(node, Shape.DATE) and found.shape in (Shape.DATE, Shape.TIMESTAMP):
        return Type(shape=Shape.DATE)
    # The text of other types depends on the server or session.
    whole_number = found.shape is Shape.NUMBER and found.scale == 0 and not found.is_float
    if is_cast_to(node, Shape.TEXT) and (found.shape is Shape.TEXT or whole_number):
        return Type(shape=Shape.TEXT)
    raise ExpressionRefused(
        f"{quoted_fragment(node)} is not allowed in a rule",
        hint="A timestamp can be cast to date; a whole number to text.",
    )


def _window(node: exp.Window, fields: Fields) -> Type:
    """Type a sum over the rows that share something with this one: numbers only, in no order."""
    total, condition = summed(node)
    if any(node.args.get(it) for it in ("order", "spec", "alias")) or not node.args.get("partition_by"):
        raise ExpressionRefused(
            f"{quoted_fragment(node)}: expected sum(field) [filter (where …)] over (partition by …), without an order"
        )
    if condition is not None:
        _truth([condition], fields)
    for part in node.args["partition_by"]:
        type_of_expression(part, fields)
    if any(column.table for column in node.find_all(exp.Column)):
        raise ExpressionRefused(f"{quoted_fragment(node)}: a sum takes only fields of the rows themselves")
    found = type_of_expression(total.this, fields)
    return _numeric(node, [found], whole=MOST_DIGITS - found.scale, scale=found.scale)


def summed(node: exp.Window) -> tuple[exp.Sum, exp.Expr | None]:
    """Return the sum of a window, and the condition of its filter."""
    inner, condition = node.this, None
    if isinstance(inner, exp.Filter):
        inner, condition = inner.this, inner.expression.this
    if not isinstance(inner, exp.Sum) or isinstance(inner.this, exp.Distinct):
        raise ExpressionRefused(f"{quoted_fragment(node)}: only sum(…) is allowed over (partition by …)")
    return inner, condition


def _function(node: exp.Anonymous, fields: Fields) -> Type:
    if node.name.lower() != WORKING_DAYS:
        raise ExpressionRefused(f"{node.name} is not allowed in a rule", hint=HINT)
    given = node.expressions
    if len(given) != 3 or not is_text_literal(given[2]):
        raise ExpressionRefused(f"{quoted_fragment(node)}: expected {WORKING_DAYS}(start, end, 'KE')")
    for one in given[:2]:
        if type_of_expression(one, fields).shape is not Shape.DATE:
            raise ExpressionRefused(f"{quoted_fragment(node)}: {quoted_fragment(one)} is no date")
    if not is_country(given[2].name):
        raise ExpressionRefused(
            f"{given[2].name!r} is no country whose public holidays are known; expected such as KE"
        )
    return Type(shape=Shape.NUMBER, whole=7)


def _extract(node: exp.Extract, fields: Fields) -> Type:
    from_date = type_of_expression(node.expression, fields).shape is Shape.DATE
    if node.name.lower() not in DATE_PARTS or not from_date:
        raise ExpressionRefused(f"extract supports {', '.join(DATE_PARTS)} from a date")
    return Type(shape=Shape.NUMBER, whole=4)


_TYPING: dict[type[exp.Expr], Callable[..., Type]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: lambda node, fields: Type(shape=Shape.TRUTH),  # noqa: ARG005
    exp.CurrentDate: lambda node, fields: Type(shape=Shape.DATE),  # noqa: ARG005
    exp.Paren: lambda node, fields: type_of_expression(node.this, fields),
    exp.Not: lambda node, fields: _truth([node.this], fields),
    exp.And: lambda node, fields: _truth(operands(node), fields),
    exp.Or: lambda node, fields: _truth(operands(node), fields),
    exp.EQ: _equality,
    exp.NEQ: _equality,
    exp.LT: _ordering,
    exp.LTE: _ordering,
    exp.GT: _ordering,
    exp.GTE: _ordering,
    exp.Between: _ordering,
    exp.In: _in,
    exp.Is: _is,
    exp.Add: _sum,
    exp.Sub: _sum,
    exp.Mul: _product,
    exp.Neg: _same_number,
    exp.Abs: _same_number,
    exp.Length: _of_text(Shape.NUMBER),
    exp.Lower: _of_text(Shape.TEXT),
    exp.Cast: _cast,
    exp.Extract: _extract,
    exp.Window: _window,
    exp.Anonymous: _function,
    exp.Coalesce: lambda node, fields: common_type(operands(node), fields),
}
