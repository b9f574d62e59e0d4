"""Whether `daftari.approval` can be enforced: its states exist, and its roles may take the steps."""

from __future__ import annotations

from collections.abc import Iterator

from daftari.contract.access.role_permissions import permission_of
from daftari.contract.approval import Approval
from daftari.contract.governable.findings import ContractFinding
from daftari.contract.model import Dataset, LogicalType, Operation
from daftari.contract.reader.odcs_schema import one_of


def approval_findings(dataset: Dataset, approval: Approval) -> Iterator[ContractFinding]:
    """Yield why the *approval* of *dataset* cannot be enforced. Nothing if it names an unknown field."""
    if not {name for _, name in approval.fields()} <= {it.name for it in dataset.fields}:
        return  # another check reports unknown fields
    field = dataset.field(approval.field)
    if not field.allowed or not field.required:
        yield ContractFinding(
            "approval.field", repr(field.name), "a required field with a closed set of values", field=field
        )
        return
    if dataset.subject is None or not dataset.key:
        yield ContractFinding(
            "approval", "no daftari.subject or no key", "both, to identify a request and its person"
        )
    states = [approval.begins, *(state for step in approval.steps for state in (step.start, step.to))]
    for state in dict.fromkeys(states):
        if state not in field.allowed:
            yield ContractFinding("approval.steps", repr(state), one_of(state, field.allowed), field=field)
    yield from _roles(dataset, approval)
    yield from _types(dataset, approval)
    for name in approval.covers or ():
        if dataset.field(name).protection.sealed:
            yield ContractFinding(
                "approval.covers",
                f"{name}, which is sealed",
                "a field that PostgreSQL can compare",
                field=dataset.field(name),
            )


def _roles(dataset: Dataset, approval: Approval) -> Iterator[ContractFinding]:
    for role in dict.fromkeys(role for step in approval.steps for role in step.roles):
        share = permission_of(dataset, role, Operation.UPDATE)
        written = {approval.field}
        written |= {name for it in approval.steps_of(role) for name in (it.by, it.at) if name}
        if share is None or not written <= set(share.everywhere):
            yield ContractFinding(
                "approval.steps",
                role,
                f"a role to which daftari.access grants update of {', '.join(sorted(written))}",
            )


def _types(dataset: Dataset, approval: Approval) -> Iterator[ContractFinding]:
    wanted: list[tuple[str | None, tuple[LogicalType, ...], str]] = [
        (step.at, (LogicalType.TIMESTAMP,), "a timestamp") for step in approval.steps
    ]
    wanted += [(step.by, (LogicalType.STRING,), "a string") for step in approval.steps]
    wanted.append((approval.asked_at, (LogicalType.TIMESTAMP,), "a timestamp"))
    if approval.working_days:
        days = approval.working_days
        wanted.append((days.field, (LogicalType.NUMBER, LogicalType.INTEGER), "a number"))
        wanted += [(days.start, (LogicalType.DATE,), "a date"), (days.end, (LogicalType.DATE,), "a date")]
    for name, types, expected in dict.fromkeys(wanted):
        if name is None:
            continue
        field = dataset.field(name)
        if field.logical_type not in types or field.protection.sealed:
            yield ContractFinding(
                "approval",
                f"{name}: {field.logical_type.value}",
                f"{expected} that is not sealed",
                field=field,
            )
