"""The fields that an approval step fills in: who took it, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from daftari.contract.model import Dataset
from daftari.contract.permissions import is_own, step_between


def signed(
    row: Mapping[str, Any],
    change: Mapping[str, Any],
    dataset: Dataset,
    who: tuple[str, str | None],
    now: datetime,
) -> dict[str, Any]:
    """
    Return *change* plus the fields that its step from *row* fills in; *who* is the role and the person.

    A change that is not a step of theirs is returned unchanged: the server refuses it.
    """
    approval, (role, person) = dataset.approval, who
    if approval is None or dataset.subject is None or approval.field not in change:
        return dict(change)
    states = (str(row[approval.field]), str(change[approval.field]))
    step = step_between(approval, role, states, is_own=is_own(dataset, row, person))
    filled = {} if step is None else {step.by: person, step.at: now.isoformat()}
    return {**change, **{name: value for name, value in filled.items() if name is not None}}
