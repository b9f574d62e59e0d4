"""
A contract's condition over a row, in two equivalent forms: a polars expression and PostgreSQL text.

It may look at rows that the row refers to (`user.left_on`). If it sums over rows (`sum(days) over (partition by
user_id)`), it has the second form only.

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

from daftari.contract.model import Dataset, Field, Relationship, RowRule
from daftari.errors import ContractError
from daftari.rows.rules.expression_terms import (
    ExpressionRefused,
    Shape,
    column_name,
    is_cast_to,
    is_literal,
    operands,
)
from daftari.rows.rules.expression_types import WORKING_DAYS, Fields, summed, type_of_expression
from daftari.rows.rules.expression_values import to_polars
from daftari.rows.rules.working_days import holidays_of, weekend_of


@dataclass(frozen=True, kw_only=True)
class Referenced:
    """Fields of referenced rows that a condition looks at."""

    relationship: Relationship
    names: tuple[str, ...]  #: of the referenced dataset

    @property
    def alias(self) -> str:
        """Stands for the referenced row in both forms."""
        return "_".join(self.relationship.fields)


@dataclass(frozen=True, kw_only=True)
class ParsedCondition:
    text: str  #: as in the contract
    fields: tuple[str, ...]  #: of the row, those that refer to another row included
    sql: str  #: every name quoted; independent of the session's time zone
    check: str | None  #: *sql* for a check constraint; None if it depends on the current day or on other rows

    #: returns the expression over typed values, given the current day; not for sums
    expression: Callable[[date], pl.Expr]
    referenced: tuple[Referenced, ...] = ()
    own: tuple[str, ...] = ()  #: the fields of the row that it compares
    beside_sums: tuple[str, ...] = ()  #: those of *own* that it looks at outside its sums
    sums: tuple[Sum, ...] = ()
    uses_calendar: bool = False

    @property
    def looks_beyond(self) -> bool:
        """Whether a check constraint cannot judge it, whatever the day: *sql* refers to ROW and of referenced rows."""
        return bool(self.referenced or self.sums or self.uses_calendar)


@dataclass(frozen=True, kw_only=True)
class Sum:
    """A sum, in SQL."""

    value: str
    partition: tuple[str, ...]
    condition: str | None  #: of the rows that it adds up; None: all
    nullable: tuple[bool, ...]  #: of each part of the partition: whether it may be null
    fields: tuple[str, ...]  #: the parts of the partition that are fields themselves


#: The alias of the judged row in SQL that looks beyond it.
ROW = "daftari_row"


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
        referenced = _name_references(tree, dataset, fields)
        found = type_of_expression(tree, fields)
    except ExpressionRefused as error:
        raise ContractError(f"{where}: {error}", hint=error.hint) from None
    if found.shape is not Shape.TRUTH:
        raise ContractError(f"{where}: is {found.shape}; expected a condition")
    own = sorted({column.name for column in tree.find_all(exp.Column) if not column.table})
    names = sorted({*own, *(name for it in referenced for name in it.relationship.fields)})
    if not names:
        raise ContractError(f"{where}: uses no field; known: {', '.join(fields)}")
    sums, calendar = list(tree.find_all(exp.Window)), tree.find(exp.Anonymous) is not None
    looks_beyond = bool(referenced or sums or calendar)
    if looks_beyond and any(dataset.field(name).protection.sealed for name in names):
        raise ContractError(f"{where}: looks beyond its row and uses a sealed field; expected other fields")
    written = _to_sql(tree, fields, dataset.time_zone, row=ROW if looks_beyond else None)
    return ParsedCondition(
        text=text,
        fields=tuple(names),
        sql=written,
        check=None if looks_beyond or tree.find(exp.CurrentDate) else written,
        expression=lambda today: to_polars(tree, fields, today, dataset.time_zone),
        referenced=referenced,
        own=tuple(own),
        beside_sums=tuple(name for name in names if name not in own or _is_beside_sums(name, tree)),
        sums=tuple(_sum_of(it, fields, dataset.time_zone) for it in sums),
        uses_calendar=calendar,
    )


def parsed_rules(dataset: Dataset) -> tuple[tuple[RowRule, ParsedCondition], ...]:
    """
    Return the rules of *dataset*, parsed. Those that look at a dataset whose contract has not been read are left out.

    Raises:
        ContractError: a rule is not a condition over the dataset's fields.
    """
    known = _parsed.get(id(dataset))
    if known is None or known[0] is not dataset:
        if len(_parsed) >= _MOST_PARSED:
            _parsed.clear()
        rules = tuple(
            (rule, parse(rule.expression, dataset, where=f"{dataset.name}: rule {rule.id}"))
            for rule in dataset.rules
            if not lacks_contracts(rule.expression, dataset)
        )
        known = _parsed[id(dataset)] = (dataset, rules)
    return known[1]


#: The rules of the latest datasets, by identity: parsing takes longer than judging a record.
_parsed: dict[int, tuple[Dataset, tuple[tuple[RowRule, ParsedCondition], ...]]] = {}
_MOST_PARSED = 256


def lacks_contracts(text: str, dataset: Dataset) -> bool:
    """Whether the condition looks at rows of a dataset whose contract has not been read."""
    if "." not in text or all(it.known_fields for it in dataset.relationships):
        return False
    try:
        tree = sqlglot.parse_one(text, read="postgres")
    except sqlglot.errors.SqlglotError:
        return False
    known = references_by_name(dataset)
    named = {known.get(column.table) for column in tree.find_all(exp.Column) if column.table}
    return any(it is not None and not it.known_fields for it in named)


def references_by_name(dataset: Dataset) -> dict[str, Relationship]:
    """
    Return how rules name the referenced rows of *dataset*: by the field that refers, or that without its end `_id` or
    `_code`.

    A reference of several fields is named by its dataset. A name that could mean two is left out.
    """
    found: dict[str, list[Relationship]] = {}
    for it in dataset.relationships:
        whole = it.fields[0] if len(it.fields) == 1 else it.target
        for name in {whole, whole.removesuffix("_id"), whole.removesuffix("_code")}:
            found.setdefault(name, []).append(it)
    return {name: them[0] for name, them in found.items() if len(set(them)) == 1}


def _name_references(tree: exp.Expr, dataset: Dataset, fields: dict[str, Field]) -> tuple[Referenced, ...]:
    """Name referenced rows in *tree* by their alias, and add their fields to *fields*."""
    known = references_by_name(dataset)
    used: dict[Relationship, list[str]] = {}
    for column in list(tree.find_all(exp.Column)):
        if not column.table:
            continue
        relationship = known.get(column.table)
        if relationship is None:
            raise ExpressionRefused(
                f"{column.table}.{column.name}: {column.table} names no reference; known: {', '.join(known) or 'none'}"
            )
        found = Referenced(relationship=relationship, names=(column.name,))
        fields[f"{found.alias}.{column.name}"] = _referenced_field(relationship, column.name, dataset)
        column.set("table", exp.to_identifier(found.alias, quoted=True))
        used.setdefault(relationship, []).append(column.name)
    return tuple(Referenced(relationship=it, names=tuple(dict.fromkeys(names))) for it, names in used.items())


def _referenced_field(relationship: Relationship, name: str, dataset: Dataset) -> Field:
    found = next((it for it in relationship.known_fields if it.name == name), None)
    if relationship.target == dataset.name:
        raise ExpressionRefused(
            f"{name} is of another row of {dataset.name}; a rule looks at other datasets only"
        )
    if found is None:
        known = (
            ", ".join(it.name for it in relationship.known_fields) or "none, its contract has not been read"
        )
        raise ExpressionRefused(f"{name} is not a field of {relationship.target}; known: {known}")
    if found.protection.sealed:
        raise ExpressionRefused(f"{relationship.target}.{name} is sealed, so no rule can look at it")
    return found


def _is_beside_sums(name: str, tree: exp.Expr) -> bool:
    return any(
        it.name == name and not it.table and it.find_ancestor(exp.Window) is None
        for it in tree.find_all(exp.Column)
    )


def _sum_of(node: exp.Window, fields: Fields, time_zone: str) -> Sum:
    total, condition = summed(node)
    parts = node.args["partition_by"]
    return Sum(
        value=_to_sql(total.this, fields, time_zone, row=ROW),
        partition=tuple(_to_sql(it, fields, time_zone, row=ROW) for it in parts),
        condition=None if condition is None else _to_sql(condition, fields, time_zone, row=ROW),
        nullable=tuple(_may_be_null(it, fields) for it in parts),
        fields=tuple(it.name for it in parts if isinstance(it, exp.Column)),
    )


def _may_be_null(node: exp.Expr, fields: Fields) -> bool:
    if isinstance(node, exp.Coalesce):
        return all(_may_be_null(it, fields) for it in operands(node))
    return not all(_is_filled(it, fields) for it in node.find_all(exp.Column))


def _is_filled(column: exp.Column, fields: Fields) -> bool:
    field = fields[column_name(column)]
    return field.required or field.is_key


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].replace("\x1b[4m", "").replace("\x1b[0m", "")


def _to_sql(tree: exp.Expr, fields: Fields, time_zone: str, *, row: str | None = None) -> str:
    """
    Return the condition as PostgreSQL text. Days begin in *time_zone*, as checks require, not in the session's.

    *row* is the alias of the row's own fields.
    """
    tree = exp.Paren(this=tree.copy())  # so that the whole tree can be replaced as well
    _set_zone(tree, fields, time_zone)
    for column in list(tree.find_all(exp.Column)):
        field = fields[column_name(column)]
        column.this.set("quoted", True)
        if row is not None and not column.table:
            column.set("table", exp.to_identifier(row, quoted=True))
        if _is_text_by_another_type(field) and not _is_compared_with_values(column):
            column.replace(exp.cast(column.copy(), exp.DataType.Type.TEXT))
    for call in list(tree.find_all(exp.Anonymous)):  # last: it brings columns of its own
        if call.name.lower() == WORKING_DAYS:
            call.replace(_days_in_sql(call))
    return str(tree.this.sql("postgres", comments=False))


def _set_zone(tree: exp.Expr, fields: Fields, time_zone: str) -> None:
    """Let days begin in *time_zone*."""
    for cast in list(tree.find_all(exp.Cast)):
        if is_cast_to(cast, Shape.DATE) and type_of_expression(cast.this, fields).shape is Shape.TIMESTAMP:
            # A cast of timestamptz to date depends on the session's zone; this does not.
            cast.set("this", _in_zone(cast.this.copy(), time_zone))
    for day in list(tree.find_all(exp.CurrentDate)):
        day.replace(exp.cast(_in_zone(exp.func("now"), time_zone), exp.DataType.Type.DATE))


_DAYS = """
    (select count(*)
     from generate_series(cast(:start as timestamp), cast(:end as timestamp), interval '1 day') as days (day)
     where extract(isodow from days.day) not in (<weekend>)
       and not cast(days.day as date) = any (cast(array[<off>] as date[])))
"""


def _days_in_sql(call: exp.Anonymous) -> exp.Expr:
    """Count the days of a series: PostgreSQL knows no holidays, so they are listed."""
    start, end, country = (it.copy() for it in call.expressions)
    weekend = ", ".join(str(day + 1) for day in weekend_of(country.name))
    off = ", ".join(f"'{day}'" for day in holidays_of(country.name))
    counted = sqlglot.parse_one(_DAYS.replace("<weekend>", weekend).replace("<off>", off), read="postgres")
    whole = exp.replace_placeholders(counted, start=start, end=end)
    unknown = exp.or_(start.is_(exp.null()), end.is_(exp.null()))
    return exp.Paren(this=exp.case().when(unknown, exp.null()).else_(whole))


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
