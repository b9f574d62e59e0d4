"""Enforce `daftari.approval` in PostgreSQL: the first state of new rows, and who may change a row's state."""

from __future__ import annotations

import json

from daftari.compile.names import Schemas, identifier, literal, qualified
from daftari.compile.tables.objects import Trigger
from daftari.contract.approval import Approval
from daftari.contract.model import Condition, Dataset, RowScope
from daftari.contract.permissions import may_insert_decided

#: The constraint name in the server's error for a refused step; `io/database/schema/governed_tables.sql` has it.
CONSTRAINT = "approval"
#: The same for a change of what was decided; its column is the field.
COVERS = "approval_covers"


def begins(dataset: Dataset, rows: RowScope | Condition, role: str) -> str | None:
    """
    Return the SQL condition on a row that *role* inserts within the scope *rows*; None: no condition.

    For every role, a row about the caller is a request, which starts in the first state.
    """
    approval = dataset.approval
    if approval is None or dataset.subject is None:
        return None
    state = f"{identifier(approval.field)} = {literal(approval.begins)}"
    if not may_insert_decided(approval, role, rows):
        return state
    return f"({state} or {identifier(dataset.subject)}::text is distinct from coalesce((select daftari.user_id()), ''))"


def trigger(dataset: Dataset, schemas: Schemas) -> Trigger | None:
    """Return the trigger that allows a row to change its state only by a step of its contract."""
    approval = dataset.approval
    if approval is None or dataset.subject is None:
        return None
    steps = [
        {"from": it.start, "to": it.to, "roles": list(it.roles), "own": it.own, "by": it.by, "at": it.at}
        for it in approval.steps
    ]
    arguments = (
        approval.field, dataset.subject, json.dumps(steps), json.dumps(list(approval.recorded_by)),
        approval.begins, json.dumps(covered_fields(dataset, approval)),
    )  # fmt: skip
    # Not each column by name: PostgreSQL would refuse to change the type of a column that a trigger's condition names.
    return Trigger(
        schema=schemas.data,
        table=dataset.name,
        name="take_step",
        definition=(
            f"create trigger take_step before update on {qualified(schemas.data, dataset.name)} for each row "
            "when (old.* is distinct from new.*) "
            f"execute function daftari.take_step({', '.join(map(literal, arguments))})"
        ),
    )


def covered_fields(dataset: Dataset, approval: Approval) -> list[str]:
    """
    Return the fields that keep their value once a row is decided, in the contract's order.

    Those that record a decision are always among them, sealed ones never: a sealed value cannot be compared.
    """
    records = {name for step in approval.steps for name in (step.by, step.at)}
    return [
        it.name
        for it in dataset.fields
        if it.name != approval.field
        and not it.protection.sealed
        and (it.name in records or approval.covers is None or it.name in approval.covers)
    ]
