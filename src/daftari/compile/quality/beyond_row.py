"""Queries for the rows that break a rule which looks beyond its row: at referenced rows, sums or the calendar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from daftari.compile.names import identifier, identifiers, qualified
from daftari.compile.quality.expectations import SCHEMA, table_of
from daftari.contract.model import Dataset, RowRule
from daftari.rows.rules.expressions import ROW, ParsedCondition, parsed_rules


def rules_beyond_row(dataset: Dataset) -> Iterator[tuple[RowRule, ParsedCondition]]:
    """
    Yield the rules of *dataset* that no check constraint can judge.

    Raises:
        ContractError: a rule is not a condition over the dataset's fields.
    """
    return ((rule, condition) for rule, condition in parsed_rules(dataset) if condition.looks_beyond)


def query_for_broken(
    dataset: Dataset, condition: ParsedCondition, columns: Sequence[str], *, source: str | None = None
) -> str:
    """
    Return a query for *columns* of the rows that break *condition*, among the table's or those of *source*.

    A row that a sum does not count, such as a cancelled request, does not break it. Null is not a violation.
    """
    row = identifier(ROW)
    own = ", ".join(f"{row}.{identifier(name)}" for name in dict.fromkeys(columns))
    counted = [it.condition for it in condition.sums]
    counts = "true" if None in counted or not counted else " or ".join(f"({it}) is true" for it in counted)
    return (
        f"select {identifiers(tuple(columns))} from ("
        f"select {own}, ({condition.sql}) as daftari_holds, ({counts}) as daftari_counts"
        f" from {source or table_of(dataset)} as {row}{joins_to(condition)}"
        ") as judged where daftari_counts and daftari_holds is false"
    )


def joins_to(condition: ParsedCondition) -> str:
    """Return the joins of ROW to the referenced rows that *condition* looks at."""
    joins = ""
    for it in condition.referenced:
        alias = identifier(it.alias)
        match = " and ".join(
            f"{alias}.{identifier(target)} = {identifier(ROW)}.{identifier(own)}"
            for own, target in zip(it.relationship.fields, it.relationship.target_fields, strict=True)
        )
        joins += f" left join {qualified(SCHEMA, it.relationship.target)} as {alias} on {match}"
    return joins


def rows_of_keys(dataset: Dataset) -> str:
    """Return the rows of the given keys as SQL: a parameter for each field of the key, an array of texts."""
    arrays = ", ".join("%s::text[]" for _ in dataset.key)
    match = " and ".join(f"t.{it}::text = k.{it}" for it in map(identifier, dataset.key))
    return f"(select t.* from {table_of(dataset)} t join unnest({arrays}) as k ({identifiers(dataset.key)}) on {match})"
