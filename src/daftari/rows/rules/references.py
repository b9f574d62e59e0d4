"""References to other rows: which find a row, and the rules that look at the rows referred to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from daftari.contract.model import Dataset, Relationship, RuleTime
from daftari.rows.rules.expressions import Referenced, parsed_rules


def reference_rule(relationship: Relationship) -> str:
    return f"{'_'.join(relationship.fields)}.reference"


def missing(values: pl.DataFrame, keys: pl.DataFrame) -> pl.Series:
    """Return which rows refer to a key that is not in *keys*. As in SQL, a null in any field refers to nothing."""
    if keys.width == 1:
        name = keys.columns[0]
        return values.select((~pl.col(name).is_in(keys[name].implode())).fill_null(False)).to_series()
    fields = keys.columns
    found = values.select(fields).join(
        keys.with_columns(found=True), on=fields, how="left", maintain_order="left"
    )
    named = values.select(pl.all_horizontal(pl.col(fields).is_not_null())).to_series()
    return named & found["found"].is_null()


@dataclass(frozen=True, kw_only=True)
class ExistingRows:
    """What the rules need to know about rows in the database."""

    #: by relationship: the existing keys, and beside them the fields that rules look at (see `asked_of`)
    keys: Mapping[Relationship, pl.DataFrame]
    #: by rule that looks at referenced rows: the key and the rule's fields of each row of the dataset that breaks it.
    #: A row that comes again with the same values is not judged again: what it refers to has changed since.
    standing: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    def as_sent(self) -> ExistingRows:
        """Return the same for another process, which has read the fields of the referenced datasets itself."""
        return replace(self, keys={replace(it, known_fields=()): rows for it, rows in self.keys.items()})


def asked_of(dataset: Dataset) -> dict[Relationship, tuple[str, ...]]:
    """Return which fields of referenced rows the rules of *dataset* look at when a row is written."""
    found: dict[Relationship, list[str]] = {it: [] for it in dataset.relationships}
    if not any("." in rule.expression for rule in dataset.rules):
        return dict.fromkeys(found, ())
    for rule, condition in parsed_rules(dataset):
        for it in condition.referenced if rule.when is not RuleTime.CHECKED and not condition.sums else ():
            found[it.relationship] += it.names
    return {it: tuple(dict.fromkeys(names)) for it, names in found.items()}


def named_as_own(keys: pl.DataFrame, relationship: Relationship) -> pl.DataFrame:
    """Return *keys* of the referenced dataset, named as the fields that refer to them."""
    named = zip(relationship.target_fields, relationship.fields, strict=True)
    return keys.select(pl.col(target).alias(own) for target, own in named)


def named_as_target(values: pl.DataFrame, relationship: Relationship) -> pl.DataFrame:
    """Return the keys that *values* refer to, named as in the referenced dataset."""
    named = zip(relationship.fields, relationship.target_fields, strict=True)
    return values.select(pl.col(own).alias(target) for own, target in named)


def referenced_rows(known: Mapping[Relationship, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return by the rule of each reference its rows, with the referring fields and with columns `alias.field`."""
    found = {}
    for relationship, rows in known.items():
        alias = "_".join(relationship.fields)
        looked_at = rows.rename({name: f"{alias}.{name}" for name in rows.columns})
        found[reference_rule(relationship)] = pl.concat(
            [named_as_own(rows, relationship), looked_at], how="horizontal"
        )
    return found


def broken_by_reference(
    values: pl.DataFrame, violated: pl.Expr, own: Sequence[str], rows: Mapping[Relationship, pl.DataFrame]
) -> pl.Series:
    """
    Return which of *values* break a rule that looks at the referenced *rows*, and at the fields *own* of the row.
    """
    violated, joined = violated.fill_null(False), values
    for relationship, frame in rows.items():
        fields = list(relationship.fields)
        if len(rows) == 1 and not own:  # judge the referenced rows, which are few, instead of the rows
            bad = frame.filter(violated).select(fields)
            named = values.select(pl.all_horizontal(pl.col(fields).is_not_null())).to_series()
            return named & ~missing(values, bad)
        joined = joined.join(frame, on=fields, how="left", maintain_order="left")
    return joined.select(violated).to_series()


def unless_standing(values: pl.DataFrame, broken: pl.Series, standing: pl.DataFrame | None) -> pl.Series:
    """Return *broken* without the rows that exist with the same values and break the rule (see `ExistingRows`)."""
    if standing is None or standing.is_empty() or not broken.any():
        return broken
    names = standing.columns
    found = values.select(names).join(
        standing.unique().with_columns(found=True),
        on=names,
        how="left",
        maintain_order="left",
        nulls_equal=True,
    )
    return broken & found["found"].is_null()


def looks_at(
    referenced: Sequence[Referenced], book: Mapping[str, pl.DataFrame]
) -> dict[Relationship, pl.DataFrame]:
    """Return the referenced rows of each relationship in *referenced* that *book* has, by the rule of the reference."""
    named = {it.relationship: reference_rule(it.relationship) for it in referenced}
    return {it: book[rule] for it, rule in named.items() if rule in book}
