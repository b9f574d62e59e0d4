"""
Who may do what to a dataset: the only module that decides this.

Pages, operations and compiled policies all use these rules. Each `refusal_to_…` returns the reason for a refusal;
None: permitted. `role_permissions.py` combines the lines of `daftari.access`. Which rows are within a scope,
PostgreSQL decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from daftari.contract.access.caller import Caller
from daftari.contract.access.role_permissions import RolePermission, permission_of
from daftari.contract.approval import Approval, ApprovalStep
from daftari.contract.model import Condition, Dataset, Field, LogicalType, Operation, RowScope
from daftari.errors import AccessRefused

#: Also the answer for an existing dataset that the caller may not see.
NO_SUCH_DATASET = "This dataset does not exist, or your role may not see it."
_ASK_THE_CONTRACT = "`daftari contract show` lists who may do what."


def require(refusal: str | None, hint: str | None = _ASK_THE_CONTRACT) -> None:
    """Raise AccessRefused if there is a *refusal*."""
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
    return f"{dataset.name}: this caller may not read it; expected a role that its contract lets read it"


def sees_all_rows(dataset: Dataset, role: str) -> bool:
    """Whether *role* sees every row, so figures over all rows reveal nothing new to it."""
    return RowScope.ALL in _scopes(dataset, role, Operation.READ)


def sees_only_own_rows(dataset: Dataset, role: str) -> bool:
    """Whether *role* reads only rows about the reader."""
    return set(_scopes(dataset, role, Operation.READ)) == {RowScope.OWN}


def reaches_only_own_rows(dataset: Dataset, role: str) -> bool:
    """Whether *role* reads, inserts and updates only rows about the caller."""
    operations = (Operation.READ, Operation.INSERT, Operation.UPDATE)
    return {scope for it in operations for scope in _scopes(dataset, role, it)} == {RowScope.OWN}


def refusal_to_read_all(dataset: Dataset, caller: Caller) -> str | None:
    refusal = refusal_to_read(dataset, caller)
    if refusal is not None or sees_all_rows(dataset, caller.role):
        return refusal
    return f"{dataset.name}: role {caller.role} sees only some of its rows; expected a role that sees all"


def refusal_to_write(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may neither insert nor update any row."""
    operations = (Operation.INSERT, Operation.UPDATE)
    is_given = any(permission_of(dataset, caller.role, it) for it in operations)
    return _refusal_of_token(dataset, caller) or _unless(is_given, dataset, caller, "write to it")


def refusal_to_insert(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may not insert any row, not even one about itself."""
    is_given = permission_of(dataset, caller.role, Operation.INSERT) is not None
    return _refusal_of_token(dataset, caller) or _unless(is_given, dataset, caller, "insert into it")


def refusal_to_insert_for_others(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may not load files: inserting only rows about itself is not enough."""
    is_given = bool(set(_scopes(dataset, caller.role, Operation.INSERT)) - {RowScope.OWN})
    return _refusal_of_token(dataset, caller) or _unless(is_given, dataset, caller, "load files into it")


def refusal_to_correct(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may not see and correct rejected rows: only callers that load a dataset and see all rows may."""
    is_given = (refusal_to_insert_for_others(dataset, caller) or refusal_to_read_all(dataset, caller)) is None
    return None if is_given else f"{dataset.name}: your role may not correct its rejected rows"


def refusal_to_watch(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may not see a dataset's runs and state: they reveal facts about rows it may not see."""
    refusals = (refusal_to_insert_for_others(dataset, caller), refusal_to_read_all(dataset, caller))
    return (
        None
        if None in refusals
        else f"{dataset.name}: only roles that load it or see all its rows may see its runs"
    )


def refusal_to_open(dataset: Dataset, caller: Caller) -> str | None:
    """Why the dataset has no page for the caller, without revealing whether it exists."""
    ways = (refusal_to_read, refusal_to_insert_for_others, refusal_to_ask)
    is_given = any(way(dataset, caller) is None for way in ways)
    return None if is_given else NO_SUCH_DATASET


def refusal_to_oversee(role: str, overseers: Collection[str]) -> str | None:
    """Why *role* may not see the audit trail, the access review and the privacy desk."""
    return None if role in overseers else "Only overseers may see this page."


# --- requests


def is_own(dataset: Dataset, row: Mapping[str, Any], person: str | None) -> bool:
    """Whether *row* is about *person*. False if *person* is None."""
    whose = row.get(dataset.subject or "")
    return whose is not None and str(whose) == person


@dataclass(frozen=True, kw_only=True)
class TakenPart:
    """What a person did in a request so far, in whatever role."""

    is_own: bool = False  #: it is about them; or it names no person, and they entered it
    entered: bool = False  #: or brought it from a system of record
    changed: bool = False  #: a field that a decision covers, before it
    decided: bool = False  #: took a step of it since it was last asked for
    only_records: bool = True  #: took part as a recorder alone, or not at all


#: Of a person who has nothing to do with a request.
NO_PART = TakenPart()


def steps_of(approval: Approval, role: str, *, is_own: bool) -> tuple[ApprovalStep, ...]:
    """
    Return the steps that *role* may take in the caller's own requests, or in those of others.

    Nobody approves their own request: each step is either for the requester or for others.
    """
    return tuple(it for it in approval.steps_of(role) if it.own is is_own)


def is_kept_apart(approval: Approval, step: ApprovalStep, part: TakenPart) -> bool:
    """Whether the duties of *step* are for another person than one who took *part* in the request."""
    if step.own:
        return not part.is_own
    repeats = part.decided and not step.same_person and step.to != approval.begins
    return part.is_own or part.entered or repeats or (part.changed and step.start == approval.begins)


def step_between(
    approval: Approval, role: str, states: tuple[str, str], *, is_own: bool, part: TakenPart = NO_PART
) -> ApprovalStep | None:
    """Return the step by which *role* moves a request from one state to another; None if it has none."""
    part = replace(part, is_own=is_own)
    found = (
        it
        for it in steps_of(approval, role, is_own=is_own)
        if (it.start, it.to) == states and not is_kept_apart(approval, it, part)
    )
    return next(found, None)


def may_bring(
    approval: Approval, role: str, states: tuple[str, str], *, is_own: bool, part: TakenPart = NO_PART
) -> bool:
    """
    Whether *role* may move a request from one state to another: by a step, or as a recorder of others' requests.

    The SQL function `daftari.take_step` enforces the same rule (`io/database/schema/approval.sql`).
    """
    records = role in approval.recorded_by and not is_own and part.only_records
    return records or step_between(approval, role, states, is_own=is_own, part=part) is not None


def may_insert_decided(approval: Approval, role: str) -> bool:
    """Whether *role* may insert requests of others in any state. A row about the caller starts in the first state."""
    return role in approval.recorded_by


def refusal_to_decide(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may not take steps in others' requests."""
    approval = dataset.approval
    if approval is None:
        return f"{dataset.name}: its contract has no approval"
    if not steps_of(approval, caller.role, is_own=False):
        return f"{dataset.name}: your role decides no requests here"
    return _refusal_of_token(dataset, caller) or refusal_to_read(dataset, caller)


def refusal_to_ask(dataset: Dataset, caller: Caller) -> str | None:
    """Why the caller may not make requests here. The key must be one text field, which is generated."""
    key = [dataset.field(name).logical_type for name in dataset.key]
    takes_requests = dataset.approval is not None and dataset.subject is not None
    is_person = caller.user_id is not None
    if (
        takes_requests
        and is_person
        and key == [LogicalType.STRING]
        and refusal_to_insert(dataset, caller) is None
    ):
        return None
    return f"{dataset.name}: your role may not make requests here"


def open_fields(dataset: Dataset, role: str) -> tuple[Field, ...]:
    """Return the fields that a requester fills in: not the key, the person, the state or the fields of a step."""
    approval, share = dataset.approval, permission_of(dataset, role, Operation.INSERT)
    if approval is None or share is None:
        return ()
    closed = {*dataset.key, dataset.subject, approval.field, approval.asked_at, *approval.recorded_fields}
    return tuple(it for it in dataset.fields if it.name in share.everywhere and it.name not in closed)


def _scopes(dataset: Dataset, role: str, operation: Operation) -> tuple[RowScope | Condition, ...]:
    share: RolePermission | None = permission_of(dataset, role, operation)
    return share.scopes if share else ()


def _refusal_of_token(dataset: Dataset, caller: Caller) -> str | None:
    if caller.writes and caller.may_name(dataset.name):
        return None
    return f"{dataset.name}: this token may not write to it; expected one that may"


def _unless(is_given: bool, dataset: Dataset, caller: Caller, what: str) -> str | None:
    if is_given:
        return None
    return f"{dataset.name}: role {caller.role} may not {what}; expected a role that its contract permits to"
