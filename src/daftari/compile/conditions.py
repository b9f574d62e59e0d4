"""The row rules of a contract as SQL conditions, for whatever judges tables rather than files."""

from __future__ import annotations

from daftari.contract.model import Dataset, RowRule
from daftari.rows.expressions import parse


def sql_condition(dataset: Dataset, rule: RowRule) -> str:
    """
    Return *rule* as a PostgreSQL condition, every name quoted. Null is not a violation.

    A rule that depends on the day has no form for a check constraint; as of today it can still be asked.

    Raises:
        ContractError: the rule is not a condition over the dataset's fields.
    """
    parsed = parse(rule.expression, dataset, where=f"{dataset.name}: rule {rule.id}")
    return parsed.check or rule.expression
