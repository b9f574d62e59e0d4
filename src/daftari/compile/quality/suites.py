"""
Compile a contract's promises about its table to Great Expectations suites, as plain data.

An expectation only counts tested and failing rows. `verdicts` judges the counts: there an empty table does not
pass, as it does in Great Expectations. Bounds are checked in SQL, with the conditions of the table's check
constraints, because its `between` would round decimals to floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from daftari.compile.names import identifier, identifiers, literal, qualified
from daftari.compile.quality.beyond_row import query_for_broken, rules_beyond_row
from daftari.compile.quality.conditions import rules_in_sql, sql_condition
from daftari.compile.quality.contract_checks import quality_checks
from daftari.compile.quality.expectations import (
    ROWS,
    SCHEMA,
    Check,
    Measure,
    Suite,
    failing_rows,
    rows_query,
    shown_key,
    table_of,
)
from daftari.compile.tables.checks import anchored, field_conditions
from daftari.compile.tables.columns import column_type
from daftari.contract.model import Contract, Dataset, Field, LogicalType, Relationship, RowRule, RuleTime
from daftari.rows.rules.expressions import ParsedCondition


def suite(contract: Contract) -> Suite:
    """
    Return the suite of a contract's dataset.

    Raises:
        ContractError: a rule is not a condition, or a query is not one read-only statement.
    """
    dataset = contract.dataset
    return Suite(
        dataset=dataset.name,
        contract_hash=contract.hash,
        query=_query(dataset),
        checks=(*_of_table(dataset), *_of_fields(dataset), *quality_checks(dataset)),
        key=dataset.key,
        shown_key=shown_key(dataset),
    )


def _query(dataset: Dataset) -> str:
    """Select the columns with text cast to text: enums have no patterns and compare only with themselves."""
    columns = [
        f"cast({identifier(field.name)} as text) as {identifier(field.name)}"
        if (field.allowed or field.logical_type is LogicalType.STRING) and not field.protection.sealed
        else identifier(field.name)
        for field in dataset.fields
    ]
    return f"select {', '.join(columns)} from {table_of(dataset)}"


def _of_table(dataset: Dataset) -> Iterator[Check]:
    yield _types(dataset)
    if len(dataset.key) > 1:
        yield Check(
            id="key.unique",
            description=f"{', '.join(dataset.key)} together are unique",
            expectation="expect_compound_columns_to_be_unique",
            kwargs={"column_list": list(dataset.key)},
        )
    for relation in dataset.relationships:
        yield _relationship(dataset, relation)
    for rule in rules_in_sql(dataset):
        yield Check(
            id=f"rule.{rule.id}",
            description=f"no row {rule.message}",
            expectation=ROWS,
            kwargs=failing_rows(dataset, f"not (\n{sql_condition(dataset, rule)}\n)"),
            severity=rule.severity,
        )
    for rule, condition in rules_beyond_row(dataset):
        if rule.when is not RuleTime.WRITTEN:
            yield _beyond_row(dataset, rule, condition)


def _beyond_row(dataset: Dataset, rule: RowRule, condition: ParsedCondition) -> Check:
    shown = shown_key(dataset)
    query = query_for_broken(dataset, condition, shown or dataset.key or condition.fields[:1])
    return Check(
        id=f"rule.{rule.id}",
        description=f"no row {rule.message}",
        expectation=ROWS,
        kwargs=rows_query(query if shown else f"select 1 as failing from ({query}) as broken"),
        severity=rule.severity,
    )


def _types(dataset: Dataset) -> Check:
    wanted = ", ".join(
        f"({literal(field.name)}, {literal(column_type(dataset, field))})" for field in dataset.fields
    )
    query = (
        f"select wanted.name from (values {wanted}) as wanted (name, type) where not exists ("
        "select from pg_catalog.pg_attribute a"
        f" where a.attrelid = {literal(table_of(dataset))}::regclass and a.attname = wanted.name"
        " and not a.attisdropped and a.atttypid = to_regtype(wanted.type))"
    )
    return Check(
        id="types",
        description="every field has a column of its type",
        expectation=ROWS,
        kwargs=rows_query(query),
        measure=Measure.VALUE,
    )


def _relationship(dataset: Dataset, relation: Relationship) -> Check:
    own, target = identifiers(relation.fields), identifiers(relation.target_fields)
    present = " and ".join(f"{identifier(name)} is not null" for name in relation.fields)
    known = " and ".join(f"{identifier(name)} is not null" for name in relation.target_fields)
    table = qualified(SCHEMA, relation.target)
    return Check(
        id=f"{'_'.join(relation.fields)}.relationship",
        field=relation.fields[0] if len(relation.fields) == 1 else None,
        description=f"{', '.join(relation.fields)} is in {relation.target}",
        expectation=ROWS,
        kwargs=failing_rows(
            dataset, f"{present} and ({own}) not in (select {target} from {table} where {known})"
        ),
    )


def _of_fields(dataset: Dataset) -> Iterator[Check]:
    for field in dataset.fields:
        yield from _presence(dataset, field)
        if not field.protection.sealed:  # its content was judged before sealing
            yield from _content(dataset, field)


def _presence(dataset: Dataset, field: Field) -> Iterator[Check]:
    column = {"column": field.name}
    if field.required or field.is_key:
        yield Check(
            id=f"{field.name}.not_null",
            field=field.name,
            description=f"{field.name} is not missing",
            expectation="expect_column_values_to_not_be_null",
            kwargs=column,
        )
    if (field.unique or dataset.key == (field.name,)) and not field.protection.sealed:
        yield Check(
            id=f"{field.name}.unique",
            field=field.name,
            description=f"{field.name} is unique",
            expectation="expect_column_values_to_be_unique",
            kwargs=column,
        )


def _content(dataset: Dataset, field: Field) -> Iterator[Check]:
    for what, condition in field_conditions(dataset, field):
        if what != "allowed":
            expectation, kwargs = _native(field, what) or (ROWS, failing_rows(dataset, f"not ({condition})"))
            yield Check(
                id=f"{field.name}.{what}",
                field=field.name,
                description=f"{field.name} respects its {what.replace('_', ' ')}",
                expectation=expectation,
                kwargs=kwargs,
            )
    if field.allowed and field.logical_type is not LogicalType.ARRAY:
        yield Check(
            id=f"{field.name}.allowed",
            field=field.name,
            description=f"{field.name} is one of its {len(field.allowed)} values",
            expectation="expect_column_values_to_be_in_set",
            kwargs={"column": field.name, "value_set": list(field.allowed)},
        )


def _native(field: Field, what: str) -> tuple[str, dict[str, Any]] | None:
    """Return an equivalent native expectation, if any: Great Expectations runs a table's native ones in one query."""
    options = field.options
    match what:
        case "length":
            return "expect_column_value_lengths_to_be_between", {
                "column": field.name,
                "min_value": options.min_length,
                "max_value": options.max_length,
            }
        case "pattern":
            assert options.pattern is not None, "a condition comes from the option"
            return "expect_column_values_to_match_regex", {
                "column": field.name,
                "regex": anchored(options.pattern),
            }
    return None
