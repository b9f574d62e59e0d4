"""
A contract's condition over one row, in two equivalent forms: a polars expression and a PostgreSQL check.

The text is untrusted: sqlglot parses it, and only what `expression_types` lists is allowed. Both forms follow
SQL's three-valued logic: if a field is null the condition may be null, and null is not a violation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl
import sqlglot
from sqlglot import exp

from daftari.contract.model import Dataset, Field
from daftari.errors import ContractError
from daftari.rows.rules.expression_terms import ExpressionRefused, Shape, is_cast_to, is_literal
from daftari.rows.rules.expression_types import Fields, type_of_expression
from daftari.rows.rules.expression_values import to_polars


@dataclass(frozen=True, kw_only=True)
class ParsedCondition:
    text: str  #: as in the contract
    fields: tuple[str, ...]
    sql: str  #: every name quoted; independent of the session's time zone
    check: str | None  #: *sql* for a check constraint; None if it depends on the current day

    #: returns the expression over typed values, given the current day
    expression: Callable[[date], pl.Expr]


def parse(text: str, dataset: Dataset, *, where: str) -> ParsedCondition:
    """
    Return the condition *text* over the fields of *dataset*; *where* begins the message of an error.

    Raises:
        ContractError: it is not one condition, names an unknown field, or uses a form that is not allowed.
    """
    try:
        tree = sqlglot.parse_one(text, read="postgres")
    except sqlglot.errors.SqlglotError as error:
        raise ContractError(f"{where}: not an SQL condition: {_first_line(error)}") from None
    fields = {f.name: f for f in dataset.fields}
    try:
        found = type_of_expression(tree, fields)
    except ExpressionRefused as error:
        raise ContractError(f"{where}: {error}", hint=error.hint) from None
    if found.shape is not Shape.TRUTH:
        raise ContractError(f"{where}: is {found.shape}; expected a condition")
    names = sorted({column.name for column in tree.find_all(exp.Column)})
    if not names:
        raise ContractError(f"{where}: uses no field; known: {', '.join(fields)}")
    written = _to_sql(tree, fields, dataset.time_zone)
    return ParsedCondition(
        text=text,
        fields=tuple(names),
        sql=written,
        check=None if tree.find(exp.CurrentDate) else written,
        expression=lambda today: to_polars(tree, fields, today, dataset.time_zone),
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].replace("\x1b[4m", "").replace("\x1b[0m", "")


def _to_sql(tree: exp.Expr, fields: Fields, time_zone: str) -> str:
    """Return the condition as PostgreSQL text. Days begin in *time_zone*, as checks require, not in the session's."""
    tree = tree.copy()
    for cast in list(tree.find_all(exp.Cast)):
        if is_cast_to(cast, Shape.DATE) and type_of_expression(cast.this, fields).shape is Shape.TIMESTAMP:
            # A cast of timestamptz to date depends on the session's zone; this does not.
            cast.set("this", _in_zone(cast.this.copy(), time_zone))
    for day in list(tree.find_all(exp.CurrentDate)):
        day.replace(exp.cast(_in_zone(exp.func("now"), time_zone), exp.DataType.Type.DATE))
    for column in list(tree.find_all(exp.Column)):
        column.this.set("quoted", True)
        if _is_text_by_another_type(fields[column.name]) and not _is_compared_with_values(column):
            column.replace(exp.cast(column.copy(), exp.DataType.Type.TEXT))
    return tree.sql("postgres", comments=False)


def _in_zone(instant: exp.Expr, time_zone: str) -> exp.Paren:
    return exp.Paren(this=exp.AtTimeZone(this=instant, zone=exp.Literal.string(time_zone)))


def _is_text_by_another_type(field: Field) -> bool:
    """Cast enums and UUIDs to text: text functions and comparisons with text do not accept them."""
    return bool(field.allowed) or field.physical_type == "uuid"


def _is_compared_with_values(column: exp.Column) -> bool:
    if isinstance(column.parent, exp.In | exp.Is):
        return True
    return isinstance(column.parent, exp.EQ | exp.NEQ) and (
        is_literal(column.parent.this) or is_literal(column.parent.expression)
    )
