"""Enforce `daftari.approval` in PostgreSQL: the first state of new rows, and who may change a row's state."""

from __future__ import annotations

import json
from collections.abc import Iterator

from daftari.compile.names import Schemas, identifier, literal, qualified
from daftari.compile.tables.objects import Trigger
from daftari.contract.approval import Approval
from daftari.contract.model import Dataset
from daftari.contract.permissions import may_insert_decided

#: The constraint name in the server's error for a refused step; `io/database/schema/approval.sql` has it.
CONSTRAINT = "approval"
#: The same for a change of what was decided, or of what a step alone writes; its column is the field.
COVERS = "approval_covers"


def begins(dataset: Dataset, role: str) -> str | None:
    """
    Return the SQL condition on a row that *role* inserts; None: no condition.

    For every role, a row about the caller is a request: it starts in the first state, and nobody decided it.
    """
    approval = dataset.approval
    if approval is None or dataset.subject is None:
        return None
    parts = [f"{identifier(approval.field)} = {literal(approval.begins)}"]
    parts += [f"{identifier(it)} is null" for it in approval.recorded_fields]
    is_asked = " and ".join(parts)
    if not may_insert_decided(approval, role):
        return is_asked
    whose = f"{identifier(dataset.subject)}::text is distinct from coalesce((select daftari.user_id()), '')"
    return f"({is_asked} or {whose})"


def step_triggers(dataset: Dataset, schemas: Schemas) -> Iterator[Trigger]:
    """Yield the triggers that note who takes part in a row, and let its state change only by a step of its contract."""
    approval = dataset.approval
    if approval is None or dataset.subject is None:
        return
    key, recorders = json.dumps(list(dataset.key)), json.dumps(list(approval.recorded_by))
    steps = [
        {
            "from": it.start,
            "to": it.to,
            "roles": list(it.roles),
            "own": it.own,
            "by": it.by,
            "at": it.at,
            "same_person": it.same_person,
        }
        for it in approval.steps
    ]
    # Not each column by name: PostgreSQL would refuse to change the type of a column that a trigger's condition names.
    yield _trigger(
        dataset,
        schemas,
        "take_step",
        ("before update", "for each row when (old.* is distinct from new.*)"),
        approval.field, dataset.subject, json.dumps(steps), recorders,
        approval.begins, json.dumps(covered_fields(dataset, approval)), key, dataset.name,
    )  # fmt: skip
    # A load by an operator is told by its cheap condition: its run says who loaded it.
    yield _trigger(
        dataset,
        schemas,
        "note_entry",
        (
            "after insert",
            "for each row when (new._run_id = 0 or current_setting('daftari.user_id', true) <> '')",
        ),
        *(dataset.name, key, recorders),
    )
    for name, event, seen in (
        ("forget_deleted", "after delete", "referencing old table as removed "),
        ("forget_all", "before truncate", ""),
    ):
        yield _trigger(
            dataset,
            schemas,
            name,
            (event, f"{seen}for each statement"),
            dataset.name,
            key,
            calls="forget_parts",
        )


def _trigger(
    dataset: Dataset,
    schemas: Schemas,
    name: str,
    fires: tuple[str, str],
    *arguments: str,
    calls: str | None = None,
) -> Trigger:
    event, when = fires
    return Trigger(
        schema=schemas.data,
        table=dataset.name,
        name=name,
        definition=(
            f"create trigger {name} {event} on {qualified(schemas.data, dataset.name)} {when} "
            f"execute function daftari.{calls or name}({', '.join(map(literal, arguments))})"
        ),
    )


def covered_fields(dataset: Dataset, approval: Approval) -> list[str]:
    """
    Return the fields that a decision covers, in the contract's order: a change of one sends the row back.

    Those that record a decision are always among them, sealed ones never: a sealed value cannot be compared.
    """
    return [
        it.name
        for it in dataset.fields
        if it.name != approval.field
        and not it.protection.sealed
        and (it.name in approval.recorded_fields or approval.covers is None or it.name in approval.covers)
    ]
