"""
Compile ODCS `quality` entries to checks: library metrics, and a contract's own SQL.

A contract's SQL is untrusted: it must be one read-only statement, and runs in a read-only transaction.
Entries of the types text and custom are for people and other tools: they give no check.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlglot
from sqlglot import exp

from daftari.compile.names import identifier, identifiers, literal
from daftari.compile.quality.expectations import (
    ROW_COUNT,
    ROWS,
    Check,
    Limit,
    Measure,
    failing_rows,
    rows_query,
    shown_key,
    table_of,
)
from daftari.compile.tables.checks import anchored
from daftari.contract.model import Dataset, Field, Quality, QualityMetric, QualityOperator, QualityType
from daftari.contract.sql_guard import PLACEHOLDERS, refusal_to_run
from daftari.errors import ContractError


def quality_checks(dataset: Dataset) -> Iterator[Check]:
    """
    Return a check for each entry that tests rows.

    Raises:
        ContractError: an entry's query is not one read-only statement.
    """
    for entry in dataset.quality:
        yield from _check(dataset, None, entry)
    for field in dataset.fields:
        for entry in field.quality:
            if not (_is_closed_set(field, entry) or field.protection.sealed):
                yield from _check(dataset, field, entry)


def _is_closed_set(field: Field, entry: Quality) -> bool:
    """Whether the entry defines `Field.allowed`, which is checked with the field."""
    values = entry.arguments.get("validValues")
    is_strict = entry.comparison == QualityOperator.BE and entry.expected == 0
    return (
        entry.metric == QualityMetric.INVALID_VALUES
        and is_strict
        and bool(field.allowed)
        and isinstance(values, list)
    )


def _check(dataset: Dataset, field: Field | None, entry: Quality) -> Iterator[Check]:
    parts = _sql(dataset, field, entry) if entry.type is QualityType.SQL else _library(dataset, field, entry)
    if parts is None:
        return
    expectation, kwargs, measure = parts
    yield Check(
        id=f"quality.{field.name + '.' if field else ''}{entry.name}",
        field=field.name if field else None,
        description=entry.description or entry.name.replace("_", " "),
        expectation=expectation,
        kwargs=kwargs,
        keys_kwargs=_keys_of_counted(dataset, field, entry),
        measure=measure,
        # a query of type sql contains its own limit
        limit=Limit() if entry.type is QualityType.SQL else _limit(entry),
        severity=entry.severity,
    )


def _limit(entry: Quality) -> Limit:
    if entry.comparison is None:
        return Limit()
    return Limit(comparison=entry.comparison, expected=entry.expected, unit=entry.unit)


_Asked = tuple[str, dict[str, Any], Measure]


def _library(dataset: Dataset, field: Field | None, entry: Quality) -> _Asked | None:
    if entry.type is not QualityType.LIBRARY:
        return None
    if entry.metric == QualityMetric.ROW_COUNT:
        return ROW_COUNT, {"min_value": 0}, Measure.VALUE
    if entry.metric == QualityMetric.DUPLICATE_VALUES:
        return _duplicates(dataset, field, entry)
    condition = _failing_condition(field, entry) if field else None
    if condition is None:
        return None
    return ROWS, failing_rows(dataset, condition), Measure.FAILING_ROWS


def _duplicates(dataset: Dataset, field: Field | None, entry: Quality) -> _Asked | None:
    """Select the rows after the first of each group of equal rows: ODCS counts duplicates, not originals."""
    names = (field.name,) if field else tuple(entry.arguments.get("properties", ()))
    if not names:
        return None
    for name in names:
        dataset.field(name)  # raises UnknownName
    columns, shown = identifiers(names), identifiers(shown_key(dataset))
    query = (
        f"select {shown or '1 as failing'} from (select {shown}{', ' if shown else ''}"
        f"row_number() over (partition by {columns}) as place"
        f" from {table_of(dataset)} where num_nulls({columns}) = 0) as placed where place > 1"
    )
    return ROWS, rows_query(query), Measure.FAILING_ROWS


def _failing_condition(field: Field, entry: Quality) -> str | None:
    column = identifier(field.name)
    text = f"cast({column} as text)"
    match entry.metric:
        case QualityMetric.NULL_VALUES:
            return f"{column} is null"
        case QualityMetric.MISSING_VALUES:
            stand_ins = [value for value in entry.arguments.get("missingValues", ()) if value is not None]
            named = f" or {text} in ({_literals(stand_ins)})" if stand_ins else ""
            return f"({column} is null{named})"
        case QualityMetric.INVALID_VALUES:
            values, pattern = entry.arguments.get("validValues"), entry.arguments.get("pattern")
            wrong = [f"{text} not in ({_literals(values)})"] if values else []
            wrong += [f"{text} !~ {literal(anchored(str(pattern)))}"] if pattern else []
            return f"({' or '.join(wrong)})" if wrong else None
    return None


def _literals(values: list[Any]) -> str:
    return ", ".join(literal(str(getattr(value, "exact", value))) for value in values)


def _sql(dataset: Dataset, field: Field | None, entry: Quality) -> _Asked | None:
    """Select one row if the query's number breaks the limit, or if the query gives no number."""
    if not entry.query:
        return None
    refusal = refusal_to_run(entry.query)
    if refusal is not None:
        raise ContractError(
            f"{dataset.name}: quality {entry.name}: found {refusal}; expected one select that only reads",
            hint="Use ${object} and ${property} for the table and the column.",
        )
    query = _placed(entry.query, dataset, field)
    admitted = _comparison(entry)
    wrapped = (
        f"select 1 as failing from (select (\n{query}\n) as value) as measured where ({admitted}) is not true"
    )
    return ROWS, rows_query(wrapped), Measure.VALUE


def _keys_of_counted(dataset: Dataset, field: Field | None, entry: Quality) -> dict[str, Any] | None:
    """Return how to fetch the keys of the rows that a query of type sql counts; None where it counts no rows."""
    if entry.type is not QualityType.SQL or not entry.query or not shown_key(dataset):
        return None
    tree = sqlglot.parse_one(_placed(entry.query, dataset, field), read="postgres")
    if not isinstance(tree, exp.Select) or any(tree.args.get(it) for it in _OTHER_THAN_ROWS):
        return None
    counted = _counted(tree)
    table = tree.args["from_"].this if counted else None
    if not isinstance(table, exp.Table) or table.name != dataset.name:
        return None
    columns = [exp.column(name, table=table.alias_or_name, quoted=True) for name in shown_key(dataset)]
    query = tree.where(counted).select(*columns, append=False)
    return rows_query(query.sql("postgres", comments=False))


#: With these a count is not one of the table's rows.
_OTHER_THAN_ROWS = ("group", "having", "distinct", "limit", "offset")


def _counted(tree: exp.Select) -> exp.Expr | None:
    """Return the condition of the rows that `select count(…)` counts, beside its where; None: it counts no rows."""
    if len(tree.selects) != 1 or not tree.args.get("from_"):
        return None
    selected, condition = tree.selects[0].unalias(), exp.true()
    if isinstance(selected, exp.Filter):
        selected, condition = selected.this, selected.expression.this
    if not isinstance(selected, exp.Count):
        return None
    if isinstance(selected.this, exp.Star | exp.Literal):
        return condition
    return (
        exp.and_(condition, selected.this.is_(exp.null()).not_())
        if isinstance(selected.this, exp.Column)
        else None
    )


def _placed(query: str, dataset: Dataset, field: Field | None) -> str:
    place = {
        "${object}": table_of(dataset),
        "${property}": identifier(field.name) if field else "${property}",
    }
    text = query.strip().rstrip(";")
    for mark in PLACEHOLDERS:
        text = text.replace(mark, place[mark])
    return text


def _comparison(entry: Quality) -> str:
    operator = entry.comparison or QualityOperator.BE
    if operator in (QualityOperator.BE_BETWEEN, QualityOperator.NOT_BE_BETWEEN):
        negation = "not " if operator is QualityOperator.NOT_BE_BETWEEN else ""
        low, high = entry.expected
        return f"value {negation}between {_number(low)} and {_number(high)}"
    expected = entry.expected or 0 if operator is QualityOperator.BE else entry.expected
    return f"value {_SIGNS[operator]} {_number(expected)}"


_SIGNS = {
    QualityOperator.BE: "=",
    QualityOperator.NOT_BE: "<>",
    QualityOperator.BE_GREATER_THAN: ">",
    QualityOperator.BE_GREATER_OR_EQUAL_TO: ">=",
    QualityOperator.BE_LESS_THAN: "<",
    QualityOperator.BE_LESS_OR_EQUAL_TO: "<=",
}


def _number(value: Any) -> str:
    """Return a contract's expected value as SQL; text that is not a number is quoted."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return literal(str(value))
    return str(getattr(value, "exact", value))
