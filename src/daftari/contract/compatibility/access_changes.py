"""Which roles gain or lose access when `daftari.access` changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from daftari.contract.access.role_permissions import PermissionLine, Visibility, permission_of, sights
from daftari.contract.approval import Approval
from daftari.contract.compatibility.changes import ChangeKind, ContractChange
from daftari.contract.model import Condition, Dataset, Operation, RowScope


def _lies_within(inner: RowScope | Condition, outer: RowScope | Condition) -> bool:
    """Whether every row of *inner* is also in *outer*. Nothing is known about two different conditions."""
    match inner:
        case RowScope.NONE:
            return isinstance(outer, RowScope)
        case RowScope.OWN:
            return outer in (RowScope.OWN, RowScope.DEPARTMENT, RowScope.REPORTS, RowScope.ALL)
        case RowScope.DEPARTMENT | RowScope.REPORTS | RowScope.ALL | Condition():
            return outer in (inner, RowScope.ALL)
        case _:
            assert_never(inner)


@dataclass(frozen=True)
class _Grant:
    """What one line of access gives a role on one field."""

    operation: Operation
    rows: RowScope | Condition
    is_masked: bool

    def covers(self, other: _Grant) -> bool:
        """Whether *other* adds nothing to this grant."""
        return (
            self.operation == other.operation
            and _lies_within(other.rows, self.rows)
            and (other.is_masked or not self.is_masked)
        )


def access_changes(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    """Compare access to the fields of both versions: a gain is exposure, a loss is breaking."""
    fields = [field.name for field in new.fields if field.name in {f.name for f in old.fields}]
    roles = dict.fromkeys(entry.role for entry in (*old.access, *new.access))
    for role in roles:
        gained = _beyond(old, new, role, fields)
        lost = _beyond(new, old, role, fields)
        yield from _grant_changes(
            ChangeKind.EXPOSURE, place, f"{role} gains", gained, "the role could not do this before"
        )
        yield from _grant_changes(
            ChangeKind.BREAKING, place, f"{role} loses", lost, "what the role does today may fail"
        )


def new_field_changes(new: Dataset, names: list[str], place: str) -> Iterator[ContractChange]:
    """Yield an exposure for each new confidential field that some role sees unmasked."""
    roles = dict.fromkeys(entry.role for entry in new.access)
    shown = {role: sights(new, role) for role in roles}
    for field in new.fields:
        if field.name not in names or not field.is_confidential:
            continue
        readers = [role for role in roles if Visibility.CLEAR in shown[role][field.name]]
        if readers:
            what = f"confidential, and unmasked for {', '.join(readers)}"
            reason = "roles that see every field also see a new one"
            yield ContractChange(
                kind=ChangeKind.EXPOSURE, place=f"{place}.{field.name}", what=what, reason=reason
            )


def _grants(dataset: Dataset, role: str) -> list[tuple[Operation, PermissionLine]]:
    operations = dict.fromkeys(
        it for entry in dataset.access if entry.role == role for it in entry.operations
    )
    shares = filter(None, (permission_of(dataset, role, it) for it in operations))
    return [(share.operation, line) for share in shares for line in share.lines]


def _on_field(grants: list[tuple[Operation, PermissionLine]], field: str) -> list[_Grant]:
    seen = ((operation, line.rows, line.sight(field)) for operation, line in grants)
    return [
        _Grant(it, rows, sight is Visibility.MASKED)
        for it, rows, sight in seen
        if sight is not Visibility.HIDDEN
    ]


def _beyond(before: Dataset, after: Dataset, role: str, fields: list[str]) -> dict[_Grant, list[str]]:
    """Return the grants that *after* gives *role* and *before* does not cover, with their fields."""
    beyond: dict[_Grant, list[str]] = {}
    old, new = _grants(before, role), _grants(after, role)
    for field in fields:
        had = _on_field(old, field)
        for grant in _on_field(new, field):
            if not any(earlier.covers(grant) for earlier in had):
                beyond.setdefault(grant, []).append(field)
    all_fields = len(fields)
    return {grant: [] if len(named) == all_fields else named for grant, named in beyond.items()}


def _grant_changes(
    kind: ChangeKind, place: str, verb: str, grants: dict[_Grant, list[str]], reason: str
) -> Iterator[ContractChange]:
    for grant, fields in grants.items():
        masked = " masked" if grant.is_masked else ""
        what = f"{verb} {grant.operation}{masked}, rows {grant.rows}, {', '.join(fields) or 'every field'}"
        yield ContractChange(kind=kind, place=place, what=what, reason=reason)


def approval_changes(old: Dataset, new: Dataset, place: str) -> Iterator[ContractChange]:
    """Compare approval steps: a step that a role gains is exposure, one that it loses is breaking."""
    before, after = _transitions(old.approval), _transitions(new.approval)
    for transition in sorted(after - before):
        yield ContractChange(
            kind=ChangeKind.EXPOSURE,
            place=place,
            what=f"approval: {transition}",
            reason="it could not do this before",
        )
    for transition in sorted(before - after):
        yield ContractChange(
            kind=ChangeKind.BREAKING,
            place=place,
            what=f"approval: no longer {transition}",
            reason="what the role does today may fail",
        )
    for name in sorted(_covered(old) - _covered(new)) if new.approval else ():
        yield ContractChange(
            kind=ChangeKind.EXPOSURE,
            place=place,
            what=f"approval: no longer covers {name}",
            reason="it may change after the decision",
        )
    for name in sorted(_covered(new) - _covered(old)) if old.approval else ():
        yield ContractChange(
            kind=ChangeKind.BREAKING,
            place=place,
            what=f"approval: covers {name}",
            reason="a change of it after the decision fails",
        )
    if new.approval and old.approval is None:
        reason = "a change of state outside its steps fails"
        yield ContractChange(kind=ChangeKind.BREAKING, place=place, what="approval added", reason=reason)
    if old.approval and new.approval is None:
        reason = "every role that may update may set any state"
        yield ContractChange(kind=ChangeKind.EXPOSURE, place=place, what="approval removed", reason=reason)


def _covered(dataset: Dataset) -> set[str]:
    """Return the fields that a decision is about; none if all are, new ones too."""
    return set(dataset.approval.covers or ()) if dataset.approval else set()


def _transitions(approval: Approval | None) -> set[str]:
    if approval is None:
        return set()
    steps = {
        f"{role} moves {'its own request' if step.own else 'a request'} from {step.start} to {step.to}"
        f"{', also the person who took an earlier step' if step.same_person else ''}"
        for step in approval.steps
        for role in step.roles
    }
    return steps | {f"{role} records any state" for role in approval.recorded_by}
