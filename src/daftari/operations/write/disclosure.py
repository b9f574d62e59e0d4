"""Which reasons of a rejection a caller may see: they must not reveal rows that the caller does not see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from daftari.contract.access.role_permissions import permission_of
from daftari.contract.model import Dataset, Operation
from daftari.contract.permissions import sees_all_rows
from daftari.rows.rules.expressions import parsed_rules
from daftari.rows.rules.references import reference_rule
from daftari.rows.rules.rejection import NOT_TAKEN, without_cause
from daftari.rows.rules.sums import hidden_sums


@dataclass(frozen=True, kw_only=True)
class HiddenRules:
    rules: frozenset[str]
    key: str  #: the key's fields: named instead of the field whose rule is hidden


def hidden_rules(dataset: Dataset, known: Mapping[str, Dataset], role: str) -> HiddenRules:
    """
    Return the rules of *dataset* that would reveal to *role* what it does not see: rows of referenced datasets, their
    fields, or sums over rows.
    """
    hidden = {
        it
        for it in dataset.relationships
        if it.target not in known or not sees_all_rows(known[it.target], role)
    }
    by_rule = {
        rule.id
        for rule, condition in parsed_rules(dataset)
        for it in condition.referenced
        if it.relationship in hidden or not _sees(known[it.relationship.target], role, it.names)
    }
    by_rule |= hidden_sums(dataset, role)
    rules = frozenset({*map(reference_rule, hidden), *by_rule})
    return HiddenRules(rules=rules, key=", ".join(dataset.key))


def _sees(dataset: Dataset, role: str, names: Iterable[str]) -> bool:
    share = permission_of(dataset, role, Operation.READ)
    return share is not None and set(names) <= set(share.everywhere)


def disclosed_reason(rule: str, field: str, reason: str, hidden: HiddenRules) -> tuple[str, str, str]:
    """
    Return the rule, field and reason to disclose: of a hidden rule, those of a row that a policy rejects.

    Where a rule is hidden, so is the cause of a row whose parent is rejected: it may be that rule.
    """
    if rule in hidden.rules:
        return NOT_TAKEN.rule, hidden.key, NOT_TAKEN.reason
    return rule, field, without_cause(reason) if hidden.rules else reason


def disclosed_reasons(
    reasons: Iterable[Mapping[str, Any]], hidden: HiddenRules
) -> tuple[dict[str, Any], ...]:
    """Return `disclosed_reason` of each of the *reasons* that quarantine stores for a row."""
    found = []
    for one in reasons:
        rule, field, reason = disclosed_reason(one["rule"], one["field"], one["reason"], hidden)
        found.append({**one, "rule": rule, "field": field, "reason": reason})
    return tuple(found)
