"""How PostgreSQL holds `daftari.approval`: where new rows begin, and who brings a row from one state to another."""

from __future__ import annotations

import json

from daftari.compile.names import Schemas, identifier, literal, qualified
from daftari.compile.tables.objects import Trigger
from daftari.contract.model import Condition, Dataset, RowScope
from daftari.contract.permissions import may_insert_decided

#: What the server names as the constraint that a refused step breaks; the function is of migration 0015.
CONSTRAINT = "approval"


def begins(dataset: Dataset, rows: RowScope | Condition, role: str) -> str | None:
    """
    Return what is asked of a row that *role* inserts within the scope *rows*, as SQL; None: nothing.

    For everybody a row about oneself is a request, which begins at the beginning.
    """
    approval = dataset.approval
    if approval is None or dataset.subject is None:
        return None
    state = f"{identifier(approval.field)} = {literal(approval.begins)}"
    if not may_insert_decided(approval, role, rows):
        return state
    return f"({state} or {identifier(dataset.subject)}::text is distinct from coalesce((select daftari.user_id()), ''))"


def trigger(dataset: Dataset, schemas: Schemas) -> Trigger | None:
    """Return the trigger that lets a row change its state by a step of its contract alone."""
    approval = dataset.approval
    if approval is None or dataset.subject is None:
        return None
    steps = [
        {"from": it.start, "to": it.to, "roles": list(it.roles), "own": it.own, "by": it.by, "at": it.at}
        for it in approval.steps
    ]
    arguments = (
        approval.field, dataset.subject, json.dumps(steps), json.dumps(list(approval.recorded_by))
    )  # fmt: skip
    state, subject = identifier(approval.field), identifier(dataset.subject)
    return Trigger(
        schema=schemas.data,
        table=dataset.name,
        name="take_step",
        definition=(
            f"create trigger take_step before update on {qualified(schemas.data, dataset.name)} for each row "
            f"when (old.{state} is distinct from new.{state} or old.{subject} is distinct from new.{subject}) "
            f"execute function daftari.take_step({', '.join(map(literal, arguments))})"
        ),
    )
