"""Approvals that could not be held are refused with the place and what is expected."""

import pytest
from tests.contracts import contract_of, field

from daftari.contract.governable.governable import governable

STATES = {
    "name": "known", "type": "library", "metric": "invalidValues", "mustBe": 0,
    "arguments": {"validValues": ["asked", "granted"]},
}  # fmt: skip
FIELDS = [
    field("visit_id", "string", required=True, primaryKey=True),
    field("patient", "string"),
    field("state", "string", required=True, quality=[STATES]),
    field("free", "string", required=True),
    field("at", "timestamp"),
    field("day", "date"),
]
ACCESS = [
    {"role": "nurse", "operations": ["read", "update"], "rows": "all"},
    {"role": "clerk", "operations": ["read"], "rows": "all"},
    {"role": "porter", "operations": ["update"], "rows": "all", "fields": ["state"]},
]
STEP = {"from": "asked", "to": "granted", "roles": ["nurse"]}


def told(*, subject="patient", step=None, **said):
    approval = {"field": "state", "begins": "asked", "steps": [{**STEP, **(step or {})}], **said}
    custom = {"subject": subject, "access": ACCESS, "approval": approval}
    custom = {name: value for name, value in custom.items() if value is not None}
    return [(it.place, it.found, it.expected) for it in governable(contract_of(fields=FIELDS, custom=custom))]


def test_an_approval_whose_states_roles_and_fields_are_there_is_governable():
    assert told(step={"at": "at", "by": "free"}) == []


@pytest.mark.parametrize(
    ("said", "place", "expected"),
    [
        ({"field": "free"}, "approval.field", "a required field with a closed set"),
        ({"begins": "wished"}, "approval.steps", "asked"),
        ({"step": {"to": "gone"}}, "approval.steps", "granted"),
        ({"step": {"roles": ["clerk"]}}, "approval.steps", "update of state"),
        ({"step": {"roles": ["porter"], "at": "at"}}, "approval.steps", "update of at, state"),
        ({"step": {"at": "day"}}, "approval", "a timestamp"),
        ({"step": {"by": "at"}}, "approval", "a string"),
        ({"askedAt": "day"}, "approval", "a timestamp"),
        ({"workingDays": {"field": "at", "start": "day", "end": "day"}}, "approval", "a number"),
        ({"subject": None}, "approval", "to identify a request"),
    ],
)
def test_an_approval_that_cannot_be_held_is_told_with_the_reason(said, place, expected):
    faults = told(**said)
    assert faults, "it is refused"
    assert any(place in where and expected in wanted for where, _, wanted in faults), faults
