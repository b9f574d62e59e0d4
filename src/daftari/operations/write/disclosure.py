"""Which reasons of a rejection a caller may see: they must not reveal rows that the caller does not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from daftari.contract.model import Dataset
from daftari.contract.permissions import sees_all_rows
from daftari.rows.rules.rejection import NOT_TAKEN
from daftari.rows.rules.rules import reference_rule


@dataclass(frozen=True, kw_only=True)
class HiddenRules:
    rules: frozenset[str]
    key: str  #: the key's fields: named instead of the field whose rule is hidden


def hidden_rules(dataset: Dataset, known: Mapping[str, Dataset], role: str) -> HiddenRules:
    """Return the rules of *dataset* that reveal rows of referenced datasets that *role* does not fully see."""
    rules = frozenset(
        reference_rule(it)
        for it in dataset.relationships
        if it.target not in known or not sees_all_rows(known[it.target], role)
    )
    return HiddenRules(rules=rules, key=", ".join(dataset.key))


def disclosed_reason(rule: str, field: str, reason: str, hidden: HiddenRules) -> tuple[str, str, str]:
    """Return the rule, field and reason to disclose: of a hidden rule, those of a row that a policy rejects."""
    return (NOT_TAKEN.rule, hidden.key, NOT_TAKEN.reason) if rule in hidden.rules else (rule, field, reason)
