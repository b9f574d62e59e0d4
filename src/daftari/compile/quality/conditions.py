"""The row rules of a contract as SQL conditions, for checks of tables."""

from __future__ import annotations

from collections.abc import Iterable

from daftari.contract.model import Dataset, RowRule
from daftari.rows.rules.expressions import parse, parsed_rules


def rules_in_sql(dataset: Dataset) -> tuple[RowRule, ...]:
    """
    Return the rules about one row that SQL can judge: those without sealed fields.

    Raises:
        ContractError: a rule is not a condition over the dataset's fields.
    """
    return tuple(
        rule
        for rule, condition in parsed_rules(dataset)
        if not condition.looks_beyond and not speaks_of_sealed(dataset, condition.fields)
    )


def speaks_of_sealed(dataset: Dataset, names: Iterable[str]) -> bool:
    return any(dataset.field(name).protection.sealed for name in names)


def sql_condition(dataset: Dataset, rule: RowRule) -> str:
    """
    Return *rule* as a PostgreSQL condition, every name quoted. Null is not a violation.

    A rule that depends on the current day uses the day on which the query runs.

    Raises:
        ContractError: the rule is not a condition over the dataset's fields.
    """
    parsed = parse(rule.expression, dataset, where=f"{dataset.name}: rule {rule.id}")
    return parsed.sql
