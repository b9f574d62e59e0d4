"""Rules over sums of rows: which the database judges when a row is written, and who may be told of them."""

from __future__ import annotations

from collections.abc import Iterator

from daftari.contract.access.role_permissions import permission_of
from daftari.contract.model import Dataset, Operation, RowRule, RuleTime
from daftari.contract.permissions import reaches_only_own_rows, sees_all_rows
from daftari.rows.rules.expressions import ParsedCondition, parsed_rules


def sums_at_writing(dataset: Dataset) -> Iterator[tuple[RowRule, ParsedCondition]]:
    """
    Yield the rules over sums that are judged when a row is written.

    Raises:
        ContractError: a rule is not a condition over the dataset's fields.
    """
    for rule, condition in parsed_rules(dataset):
        if condition.sums and rule.when is not RuleTime.CHECKED:
            yield rule, condition


def hidden_sums(dataset: Dataset, role: str) -> frozenset[str]:
    """
    Return the rules over sums that would reveal to *role* rows which it does not see.

    Who reaches only rows about itself sees all rows of a sum that is taken by person.
    """
    if sees_all_rows(dataset, role):
        return frozenset()
    share = permission_of(dataset, role, Operation.READ)
    seen = set(share.everywhere) if share and reaches_only_own_rows(dataset, role) else set()
    return frozenset(
        rule.id
        for rule, condition in parsed_rules(dataset)
        if condition.sums
        and not (set(condition.own) <= seen and all(dataset.subject in it.fields for it in condition.sums))
    )
