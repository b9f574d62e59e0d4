"""Rows that refer to a row of their own dataset which does not exist or is rejected, and the cause of each."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from daftari.contract.model import Relationship
from daftari.rows.rules.references import missing, named_as_own, reference_rule
from daftari.rows.rules.rejection import NAMES_NOTHING, NAMES_REJECTED, Refusal

#: Rows and their lines.
Numbered = tuple[pl.DataFrame, pl.Series]


def orphans(
    rows: pl.DataFrame, lines: pl.Series, stored: Mapping[Relationship, pl.DataFrame | None]
) -> dict[int, Relationship]:
    """
    Return by line the reference that finds no row, neither in *stored* nor in the rest of *rows*.

    Without a row, those that refer to it are orphans too.
    """
    found: dict[int, Relationship] = {}
    for relationship, keys in stored.items():
        arriving = named_as_own(rows, relationship)
        known = arriving if keys is None else pl.concat([keys, arriving]).unique()
        for line in lines.filter(missing(rows, known)):
            found.setdefault(line, relationship)
    if not found:
        return found
    waiting = deque(lines.is_in(list(found)).arg_true().to_list())
    families = [_Family(rows, relationship, keys) for relationship, keys in stored.items()]
    numbers = lines.to_list()
    while waiting:
        gone = waiting.popleft()
        for family in families:
            for place in family.without(gone):
                if numbers[place] not in found:
                    found[numbers[place]] = family.relationship
                    waiting.append(place)
    return found


class _Family:
    """Which rows refer to which, by one relationship of a dataset to itself."""

    def __init__(self, rows: pl.DataFrame, relationship: Relationship, stored: pl.DataFrame | None) -> None:
        self.relationship = relationship
        own = named_as_own(rows, relationship)
        self._keys = own.rows()
        self._left = Counter(self._keys)
        self._is_stored = None if stored is None else ~missing(own, stored)
        self._children: dict[tuple[object, ...], list[int]] = {}
        for place, key in enumerate(rows.select(relationship.fields).iter_rows()):
            if None not in key:
                self._children.setdefault(key, []).append(place)

    def without(self, place: int) -> Sequence[int]:
        """Remove the row at *place*; return the places of the rows that find none any more."""
        key = self._keys[place]
        self._left[key] -= 1
        if self._left[key] or (self._is_stored is not None and self._is_stored[place]):
            return ()
        return self._children.get(key, ())


def causes_of(
    found: Mapping[int, Relationship], rows: Numbered, rejected: Numbered, reasons: Mapping[int, str]
) -> dict[int, Refusal]:
    """
    Return by line why each orphan of *found* is rejected.

    *rows* are the orphans; *rejected*, the rows that broke other rules, whose *reasons* (JSON) are by line. If an
    orphan refers to one of these, or to another orphan, its reason names the line and the fields of the first cause.
    """
    parents: dict[int, int | None] = {}
    for relationship in dict.fromkeys(found.values()):
        by_key: dict[tuple[object, ...], int] = {}
        for values, lines in (rejected, rows):
            for key, line in _keys(values, relationship.target_fields, lines):
                by_key.setdefault(key, line)
        for key, line in _keys(rows[0], relationship.fields, rows[1]):
            if found[line] is relationship:
                parents[line] = by_key.get(key)
    roots = _roots(found, parents)
    fields = {root: _fields(root, found, reasons) for root in dict.fromkeys(roots.values())}
    return {line: _reason(line, root, found[line], fields[root]) for line, root in roots.items()}


def _keys(
    rows: pl.DataFrame, names: tuple[str, ...], lines: Iterable[int]
) -> Iterable[tuple[tuple[object, ...], int]]:
    return zip(rows.select(names).iter_rows(), lines, strict=True)


def _roots(lines: Iterable[int], parents: Mapping[int, int | None]) -> dict[int, int]:
    """Return by line the first cause: the last of its parents, before they come round again."""
    roots: dict[int, int] = {}
    known: dict[int, int] = {}
    for line in lines:
        path, at = {line: None}, line
        while at not in known and (parent := parents.get(at)) is not None and parent not in path:
            path[parent], at = None, parent
        roots[line] = known.get(at, at)
        if at in known or parents.get(at) is None:  # else they come round again
            known.update(dict.fromkeys(path, roots[line]))
    return roots


def _fields(root: int, found: Mapping[int, Relationship], reasons: Mapping[int, str]) -> str:
    why = [one["field"] for one in json.loads(reasons[root])] if root in reasons else found[root].fields
    return ", ".join(dict.fromkeys(why))


def _reason(line: int, root: int, relationship: Relationship, fields: str) -> Refusal:
    rule = reference_rule(relationship)
    if root == line:
        return Refusal(rule=rule, fields=relationship.fields, reason=NAMES_NOTHING)
    return Refusal(
        rule=f"{rule}_rejected",
        fields=relationship.fields,
        reason=f"{NAMES_REJECTED}: the cause is line {root} ({fields})",
    )
