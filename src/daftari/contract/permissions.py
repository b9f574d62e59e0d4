"""
Who may do what to a dataset: the one home of these rules.

Pages draw by them, operations refuse by them, and policies are compiled from them. Each `refusal_to_…` says why not;
None: it may be done. `shares.py` puts the lines of `daftari.access` together; which rows of a dataset are within a
scope, PostgreSQL decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from daftari.contract.access.caller import Caller
from daftari.contract.access.role_permissions import RolePermission, permission_of
from daftari.contract.approval import Approval, ApprovalStep
from daftari.contract.model import Condition, Dataset, Field, LogicalType, Operation, RowScope
from daftari.errors import AccessRefused

#: Said of a dataset that is there too, where it is not for whoever asks.
NO_SUCH_DATASET = "There is no such dataset, or it is not for your role."
_ASK_THE_CONTRACT = "`daftari contract show` tells who may do what."


def require(refusal: str | None, hint: str | None = _ASK_THE_CONTRACT) -> None:
    """Raises AccessRefused where there is a *refusal*."""
    if refusal is not None:
        raise AccessRefused(refusal, hint=hint)


def roles_named(datasets: Iterable[Dataset]) -> frozenset[str]:
    """Return every role that the contracts name."""
    return frozenset(entry.role for dataset in datasets for entry in dataset.access)


# --- rows


def refusal_to_read(dataset: Dataset, caller: Caller) -> str | None:
    is_given = permission_of(dataset, caller.role, Operation.READ) is not None
    if is_given and caller.may_name(dataset.name):
        return None
    return f"{dataset.name}: this caller does not read it; expected a role to which its contract shows it"


def sees_all_rows(dataset: Dataset, role: str) -> bool:
    """Whether no row is hidden from *role*: figures over all rows tell it nothing new."""
    return RowScope.ALL in _scopes(dataset, role, Operation.READ)


def sees_own_rows_alone(dataset: Dataset, role: str) -> bool:
    """Whether *role* reads rows, and each of them is about the person who reads."""
    return set(_scopes(dataset, role, Operation.READ)) == {RowScope.OWN}


def refusal_to_read_all(dataset: Dataset, caller: Caller) -> str | None:
    refusal = refusal_to_read(dataset, caller)
    if refusal is not None or sees_all_rows(dataset, caller.role):
        return refusal
    return f"{dataset.name}: role {caller.role} sees some of its rows; expected a role that sees all of them"


def refusal_to_write(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may neither insert nor update any row."""
    operations = (Operation.INSERT, Operation.UPDATE)
    is_given = any(permission_of(dataset, caller.role, it) for it in operations)
    return _refusal_of_token(dataset, caller) or _unless(is_given, dataset, caller, "write to it")


def refusal_to_insert(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may insert no row, not even one about itself."""
    is_given = permission_of(dataset, caller.role, Operation.INSERT) is not None
    return _refusal_of_token(dataset, caller) or _unless(is_given, dataset, caller, "insert into it")


def refusal_to_insert_for_others(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may not insert rows about others, as files hold them. Who inserts its own alone asks."""
    is_given = bool(set(_scopes(dataset, caller.role, Operation.INSERT)) - {RowScope.OWN})
    return _refusal_of_token(dataset, caller) or _unless(is_given, dataset, caller, "load files of it")


def refusal_to_mend(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may not see and mend refused rows: that is for whoever loads a dataset and sees all of it."""
    is_given = (refusal_to_insert_for_others(dataset, caller) or refusal_to_read_all(dataset, caller)) is None
    return None if is_given else f"{dataset.name}: its refused rows are not for your role to mend"


def refusal_to_watch(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may not see a dataset's runs and its state: they tell of rows that it may not see."""
    refusals = (refusal_to_insert_for_others(dataset, caller), refusal_to_read_all(dataset, caller))
    return (
        None if None in refusals else f"{dataset.name}: its runs are for whoever loads it or sees all of it"
    )


def refusal_to_open(dataset: Dataset, caller: Caller) -> str | None:
    """Why the dataset has no page for the caller, in words that do not tell whether it is there."""
    ways = (refusal_to_read, refusal_to_insert_for_others, refusal_to_ask)
    is_given = any(way(dataset, caller) is None for way in ways)
    return None if is_given else NO_SUCH_DATASET


def refusal_to_oversee(role: str, overseers: Collection[str]) -> str | None:
    """Why *role* may not look at the audit trail, the access review and the privacy desk."""
    return None if role in overseers else "This page is for who oversees."


# --- requests


def is_own(dataset: Dataset, row: Mapping[str, Any], person: str | None) -> bool:
    """Whether *row* is about *person*. Nothing is about nobody in particular."""
    whose = row.get(dataset.subject or "")
    return whose is not None and str(whose) == person


def steps_of(approval: Approval, role: str, *, is_own: bool) -> tuple[ApprovalStep, ...]:
    """
    Return the steps that *role* takes of requests that are its person's own, or of those of others.

    Nobody decides their own: a step of one's own is a step of nobody else's, and the other way round.
    """
    return tuple(it for it in approval.steps_of(role) if it.own is is_own)


def step_between(
    approval: Approval, role: str, states: tuple[str, str], *, is_own: bool
) -> ApprovalStep | None:
    """Return the step by which *role* brings a request from one state to another; None: it has none."""
    found = (it for it in steps_of(approval, role, is_own=is_own) if (it.start, it.to) == states)
    return next(found, None)


def may_bring(approval: Approval, role: str, states: tuple[str, str], *, is_own: bool) -> bool:
    """
    Whether *role* may bring a request from one state to another: by a step, or as who records those of others.

    `daftari.take_step` of migration 0015 asks the same of the same approval, in the server.
    """
    records = role in approval.recorded_by and not is_own
    return records or step_between(approval, role, states, is_own=is_own) is not None


def may_insert_decided(approval: Approval, role: str, rows: RowScope | Condition) -> bool:
    """
    Whether *role*, which inserts within the scope *rows*, brings requests of others in any state.

    Who reaches some rows only asks. Whoever it is, a row about oneself begins where every request begins.
    """
    return rows == RowScope.ALL or role in approval.recorded_by


def refusal_to_decide(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller takes no steps of others' requests."""
    approval = dataset.approval
    if approval is None:
        return f"{dataset.name}: its contract knows no approval"
    if not steps_of(approval, caller.role, is_own=False):
        return f"{dataset.name}: there is nothing that your role decides here"
    return _refusal_of_token(dataset, caller) or refusal_to_read(dataset, caller)


def refusal_to_ask(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller asks for nothing here. A key of one text is made up for whoever asks."""
    key = [dataset.field(name).logical_type for name in dataset.key]
    is_asked_for = dataset.approval is not None and dataset.subject is not None
    is_somebody = caller.user_id is not None
    if (
        is_asked_for
        and is_somebody
        and key == [LogicalType.STRING]
        and refusal_to_insert(dataset, caller) is None
    ):
        return None
    return f"{dataset.name}: there is nothing that your role may ask for here"


def open_fields(dataset: Dataset, role: str) -> tuple[Field, ...]:
    """Return what whoever asks may say: neither the key, the person nor the state, and nothing that a step fills in."""
    approval, share = dataset.approval, permission_of(dataset, role, Operation.INSERT)
    if approval is None or share is None:
        return ()
    closed = {*dataset.key, dataset.subject, approval.field, approval.asked_at}
    closed |= {name for step in approval.steps for name in (step.by, step.at)}
    return tuple(it for it in dataset.fields if it.name in share.everywhere and it.name not in closed)


def _scopes(dataset: Dataset, role: str, operation: Operation) -> tuple[RowScope | Condition, ...]:
    share: RolePermission | None = permission_of(dataset, role, operation)
    return share.scopes if share else ()


def _refusal_of_token(dataset: Dataset, caller: Caller) -> str | None:
    if caller.writes and caller.may_name(dataset.name):
        return None
    return f"{dataset.name}: this token is not for writing to it; expected one that is"


def _unless(is_given: bool, dataset: Dataset, caller: Caller, what: str) -> str | None:
    if is_given:
        return None
    return (
        f"{dataset.name}: role {caller.role} may not {what}; expected a role to which its contract gives that"
    )
