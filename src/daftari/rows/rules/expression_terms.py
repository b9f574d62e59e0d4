"""The parts of a condition over one row: their shapes, its literals, and its errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum

from sqlglot import exp


class Shape(StrEnum):
    NUMBER = "a number"
    TEXT = "a text"
    TRUTH = "true or false"
    DATE = "a date"
    TIME = "a time"
    TIMESTAMP = "a timestamp"
    DOCUMENT = "a document"


@dataclass(frozen=True, kw_only=True)
class Type:
    shape: Shape
    whole: int = 0  #: of a number: the most digits before the decimal point
    scale: int = 0  #: of a number: the most digits after it
    is_float: bool = False


class ExpressionRefused(Exception):
    """The message states what is not allowed; `hint`, what is."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


#: Literals with the same meaning for PostgreSQL and for us, whatever the session's settings.
WRITTEN: dict[Shape, tuple[re.Pattern[str], Callable[[str], date | time | datetime], str]] = {
    Shape.DATE: (re.compile(r"\d{4}-\d\d-\d\d"), date.fromisoformat, "YYYY-MM-DD"),
    Shape.TIME: (re.compile(r"\d\d:\d\d(:\d\d)?"), time.fromisoformat, "HH:MM or HH:MM:SS"),
    Shape.TIMESTAMP: (
        re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)"),
        datetime.fromisoformat,
        "YYYY-MM-DDTHH:MM:SS+03:00, with its offset",
    ),
}


def literal_value(node: exp.Expr, shape: Shape) -> str | bool | int | Decimal | date | time | datetime:
    """Return the value of a literal where *shape* is expected."""
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Neg):
        return -_number(node.this.name)
    if not node.is_string:
        return _number(node.name)
    if shape not in WRITTEN:
        return node.name
    form, read, words = WRITTEN[shape]
    try:
        if form.fullmatch(node.name):
            return read(node.name)
    except ValueError:
        pass
    raise ExpressionRefused(f"{node.name!r} is not {shape}; expected {words}")


def _number(text: str) -> Decimal | int:
    return int(text) if text.isdigit() else Decimal(text)


def is_text_literal(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def is_literal(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, exp.Neg) else node
    return isinstance(inner, exp.Literal | exp.Boolean)


def is_cast_to(node: exp.Cast, shape: Shape) -> bool:
    kinds = exp.DataType.Type
    kind = {kinds.DATE: Shape.DATE, kinds.TEXT: Shape.TEXT}.get(node.to.this)
    return kind is shape and not node.to.expressions


def operands(node: exp.Expr) -> tuple[exp.Expr, ...]:
    """Return the operands of *node*."""
    if isinstance(node, exp.Between):
        return (node.this, node.args["low"], node.args["high"])
    if isinstance(node, exp.In | exp.Coalesce):
        return (node.this, *node.expressions)
    return (node.this, node.expression)


def column_name(node: exp.Expr) -> str:
    """Return the name of a column: of a referenced row, `referring field.field`."""
    return f"{node.table}.{node.name}" if isinstance(node, exp.Column) and node.table else node.name


def quoted_fragment(node: exp.Expr) -> str:
    return str(node.sql("postgres"))
