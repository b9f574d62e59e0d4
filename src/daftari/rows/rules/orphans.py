"""Rows that refer to a row of their own dataset which does not exist or is rejected, and the cause of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import polars as pl

from daftari.contract.model import Relationship
from daftari.rows.rules.references import missing, reference_rule
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
    while True:
        before = len(found)
        for relationship, keys in stored.items():
            arriving = rows.select(
                pl.col(target).alias(own)
                for own, target in zip(relationship.fields, relationship.target_fields, strict=True)
            )
            known = arriving if keys is None else pl.concat([keys, arriving]).unique()
            absent = missing(rows, known)
            if absent.any():
                found |= dict.fromkeys(lines.filter(absent), relationship)
                rows, lines = rows.filter(~absent), lines.filter(~absent)
        if len(found) == before:
            return found


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
    return {line: _reason(line, found, parents, reasons) for line in found}


def _keys(
    rows: pl.DataFrame, names: tuple[str, ...], lines: Iterable[int]
) -> Iterable[tuple[tuple[object, ...], int]]:
    return zip(rows.select(names).iter_rows(), lines, strict=True)


def _reason(
    line: int,
    found: Mapping[int, Relationship],
    parents: Mapping[int, int | None],
    reasons: Mapping[int, str],
) -> Refusal:
    relationship, root, met = found[line], line, {line}
    while (parent := parents.get(root)) is not None and parent not in met:
        root = parent
        met.add(root)
    rule = reference_rule(relationship)
    if root == line:
        return Refusal(rule=rule, fields=relationship.fields, reason=NAMES_NOTHING)
    why = [one["field"] for one in json.loads(reasons[root])] if root in reasons else found[root].fields
    return Refusal(
        rule=f"{rule}_rejected",
        fields=relationship.fields,
        reason=f"{NAMES_REJECTED}: the cause is line {root} ({', '.join(why)})",
    )
