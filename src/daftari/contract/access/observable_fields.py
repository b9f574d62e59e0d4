"""
Which fields a role may not update, because whether its update succeeds would tell a value that it does not see.

A constraint answers with one bit, whatever words the error has: an update of `net`, where `net = gross - tax`, finds a
masked `gross` in as many updates as it has bits, each rolled back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

from daftari.contract.model import Dataset, RuleTime

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Fields that one constraint compares: with one another, and perhaps with those of other rows."""

    fields: frozenset[str]
    across_rows: bool = False


def revealing_fields(dataset: Dataset, unseen: Set[str]) -> frozenset[str]:
    """Return the fields of which an update would reveal something of the *unseen* ones."""
    found: set[str] = set()
    for it in _compared(dataset):
        hidden = it.fields & unseen
        if it.across_rows and hidden:
            found |= it.fields
        else:  # a field that is written itself is no secret to its writer
            found |= {name for name in it.fields if hidden - {name}}
    return frozenset(found)


def overlap_fields(dataset: Dataset) -> frozenset[str]:
    """Return the fields that decide whether two rows may not be there together; none if any two may."""
    overlap = dataset.no_overlap
    if overlap is None:
        return frozenset()
    conditions = " ".join(filter(None, (overlap.unless, overlap.shared)))
    return frozenset({*overlap.key, overlap.start, overlap.end}) | _named(dataset, conditions)


def _compared(dataset: Dataset) -> Iterator[Compared]:
    for rule in dataset.rules:
        if rule.when is not RuleTime.CHECKED:
            yield Compared(fields=_named(dataset, rule.expression))
    if dataset.key:
        yield Compared(fields=frozenset(dataset.key), across_rows=True)
    for field in dataset.fields:
        if field.unique:
            yield Compared(fields=frozenset({field.name}), across_rows=True)
    yield Compared(fields=overlap_fields(dataset), across_rows=True)


def _named(dataset: Dataset, condition: str) -> frozenset[str]:
    """Return the fields that *condition* may name. Its words are enough: too many fields is the safe side."""
    words = set(_WORD.findall(condition))
    refers = {name for it in dataset.relationships for name in it.fields}
    by_reference = {it for it in refers if words & {it.removesuffix("_id"), it.removesuffix("_code")}}
    return frozenset(it.name for it in dataset.fields if it.name in words) | by_reference
