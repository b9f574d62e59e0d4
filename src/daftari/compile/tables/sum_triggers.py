"""Enforce rules over sums in PostgreSQL: a trigger judges the rows of each statement together with those stored."""

from __future__ import annotations

from collections.abc import Iterator

from daftari.compile.names import Schemas, derived, identifier, identifiers, literal, qualified
from daftari.compile.quality.beyond_row import joins_to
from daftari.compile.quality.expectations import table_of
from daftari.compile.tables.objects import Trigger
from daftari.contract.model import Dataset, RowRule
from daftari.rows.rules.expressions import ROW, ParsedCondition
from daftari.rows.rules.sums import sums_at_writing

#: The rows of the statement, in the trigger; `removed` are their old versions.
_ADDED, _REMOVED = "added", "removed"


def sum_triggers(dataset: Dataset, schemas: Schemas) -> Iterator[Trigger]:
    """
    Yield the triggers of the rules over sums that are judged when a row is written.

    Deleting a row is never refused: retention, erasure and undo must work.

    Raises:
        ContractError: a rule is not a condition over the dataset's fields.
    """
    for rule, condition in sums_at_writing(dataset):
        yield _trigger(dataset, schemas, rule, condition, event="insert")
        yield _trigger(dataset, schemas, rule, condition, event="update")


def _trigger(
    dataset: Dataset, schemas: Schemas, rule: RowRule, condition: ParsedCondition, *, event: str
) -> Trigger:
    changed = _changed(dataset, condition, is_update=event == "update")
    arguments = (
        derived(dataset.name, rule.id),
        _groups(condition, changed),
        _broken(dataset, condition, changed),
    )
    old = f"old table as {_REMOVED} " if event == "update" else ""
    name = derived("sum", rule.id, event)
    return Trigger(
        schema=schemas.data,
        table=dataset.name,
        name=name,
        definition=(
            f"create trigger {identifier(name)} after {event} on {qualified(schemas.data, dataset.name)}"
            f" referencing {old}new table as {_ADDED}"
            f" for each statement execute function daftari.judge_sums({', '.join(map(literal, arguments))})"
        ),
        always=True,
    )


def _parts(condition: ParsedCondition) -> list[str]:
    """The names of the parts of a row's group."""
    return [f"part_{at}" for at in range(len(condition.sums[0].partition))]


def _changed(dataset: Dataset, condition: ParsedCondition, *, is_update: bool) -> str:
    """
    Return a query for the key and the group of each row of the statement.

    A row is left out if an update changes nothing that the rule looks at, so that a row which is already too much can
    still be corrected in other fields.
    """
    parts = zip(condition.sums[0].partition, _parts(condition), strict=True)
    columns = [f"{identifier(ROW)}.{identifier(it)}" for it in dataset.key]
    columns += [f"({part}) as {name}" for part, name in parts]
    columns.append(f"row({', '.join(_looked_at(condition))}) as looked_at")
    added, removed = (
        f"select {', '.join(columns)} from {it} as {identifier(ROW)}" for it in (_ADDED, _REMOVED)
    )
    if not is_update or not dataset.key:
        return added
    key = identifiers(dataset.key)
    return (
        f"select a.* from ({added}) a left join ({removed}) r using ({key})"
        " where r.looked_at is null or a.looked_at is distinct from r.looked_at"
    )


def _looked_at(condition: ParsedCondition) -> Iterator[str]:
    """Yield what the rule looks at in a row: of an amount that is not counted, only that."""
    for it in condition.sums:
        yield from it.partition
        yield it.value if it.condition is None else f"case when {it.condition} then {it.value} end"
        yield "true" if it.condition is None else f"({it.condition}) is true"
    for name in condition.beside_sums:
        yield f"{identifier(ROW)}.{identifier(name)}"


def _groups(condition: ParsedCondition, changed: str) -> str:
    return f"select distinct {', '.join(_parts(condition))} from ({changed}) as changed"


def _broken(dataset: Dataset, condition: ParsedCondition, changed: str) -> str:
    """Return a query for whether a row of the statement breaks the rule, beside all rows of its group."""
    row, sums = identifier(ROW), condition.sums
    parts = zip(sums[0].partition, sums[0].nullable, _parts(condition), strict=True)
    same_group = " and ".join(
        f"({part}) {'is not distinct from' if nullable else '='} groups.{name}"
        for part, nullable, name in parts
    )
    counts = [it.condition for it in sums]
    is_counted = "true" if None in counts else " or ".join(f"({it}) is true" for it in counts)
    own = "".join(f"{row}.{identifier(it)}, " for it in dataset.key)
    same_row = " and ".join(f"changed.{identifier(it)} = judged.{identifier(it)}" for it in dataset.key)
    among_changed = f" and exists (select from changed where {same_row})" if dataset.key else ""
    return (
        f"with changed as materialized ({changed}), groups as materialized ({_groups_of(condition)})"
        f" select exists (select from (select {own}({condition.sql}) as holds, ({is_counted}) as counts"
        f" from groups join {table_of(dataset)} as {row} on {same_group}{joins_to(condition)}) as judged"
        f" where counts and holds is false{among_changed})"
    )


def _groups_of(condition: ParsedCondition) -> str:
    return f"select distinct {', '.join(_parts(condition))} from changed"
