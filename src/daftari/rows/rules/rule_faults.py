"""Check the conditions of a contract before any row arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from daftari.contract.model import Condition, Contract, Dataset, RuleTime
from daftari.errors import ContractError, Fault
from daftari.rows.rules.expressions import lacks_contracts, parse
from daftari.rows.rules.sums import sums_at_writing


def rule_faults(contract: Contract) -> tuple[Fault, ...]:
    """Return the faults in the conditions of *contract*, which has one dataset."""
    dataset = contract.dataset
    faults = []
    for place, text, line in _conditions(dataset):
        try:
            parse(text, dataset, where=place)
        except ContractError as error:
            found = f"{text!r} ({str(error).removeprefix(f'{place}: ')})"
            expected = f"a condition over the fields of {dataset.name}{_in_brackets(error.hint)}"
            where = f"{dataset.name}.{place}"
            faults.append(
                Fault(source=contract.source, line=line, place=where, found=found, expected=expected)
            )
    return (*faults, *_sums_of_several_groups(contract)) if not faults else tuple(faults)


def _sums_of_several_groups(contract: Contract) -> Iterator[Fault]:
    """When a row is written, its group is locked and read: the sums of a rule must be over one."""
    for rule, condition in sums_at_writing(contract.dataset):
        if len({it.partition for it in condition.sums}) > 1:
            yield Fault(
                source=contract.source,
                line=rule.line,
                place=f"{contract.dataset.name}.rules.{rule.id}",
                found=f"sums over different groups, when {rule.when}",
                expected=f"the same partition by in all of its sums, or when: {RuleTime.CHECKED}",
            )


def looks_at_references(dataset: Dataset) -> bool:
    """Whether a rule looks at referenced rows, so that it cannot be judged without the contracts of these."""
    unlinked = replace(
        dataset, relationships=tuple(replace(it, known_fields=()) for it in dataset.relationships)
    )
    return any(lacks_contracts(rule.expression, unlinked) for rule in dataset.rules)


def _in_brackets(hint: str | None) -> str:
    return f" ({hint[0].lower()}{hint[1:]})" if hint else ""


def _conditions(dataset: Dataset) -> Iterator[tuple[str, str, int]]:
    for rule in dataset.rules:
        if not lacks_contracts(rule.expression, dataset):
            yield f"rules.{rule.id}", rule.expression, rule.line
    for name in ("unless", "shared"):
        if condition := getattr(dataset.no_overlap, name, None):
            yield f"noOverlap.{name}", condition, dataset.line
    for entry in dataset.access:
        if isinstance(entry.rows, Condition):
            yield f"access.{entry.role}.rows", entry.rows.text, dataset.line
