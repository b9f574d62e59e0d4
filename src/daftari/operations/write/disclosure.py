"""Which reasons of a rejection a caller may see: they must not reveal rows that the caller does not see."""

from __future__ import annotations

from collections.abc import Mapping

from daftari.contract.model import Dataset
from daftari.contract.permissions import sees_all_rows
from daftari.rows.rules.rejection import NOT_TAKEN
from daftari.rows.rules.rules import reference_rule


def hidden_rules(dataset: Dataset, known: Mapping[str, Dataset], role: str) -> frozenset[str]:
    """Return the rules of *dataset* that reveal rows of referenced datasets that *role* does not fully see."""
    return frozenset(
        reference_rule(it)
        for it in dataset.relationships
        if it.target not in known or not sees_all_rows(known[it.target], role)
    )


def disclosed_reason(rule: str, reason: str, untold: frozenset[str]) -> tuple[str, str]:
    """Return the rule and reason to disclose."""
    return (NOT_TAKEN.rule, NOT_TAKEN.reason) if rule in untold else (rule, reason)
