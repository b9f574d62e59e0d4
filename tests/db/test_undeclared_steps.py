"""A file of an operator may bring any state; what is not a step of the contract is said."""

from __future__ import annotations

import pytest
from tests.clinic import VISITS, Clinic, open_clinic
from tests.contracts import field

from daftari.io.workspace.files import read_workspace

STATE = {
    "name": "state",
    "logicalType": "string",
    "required": True,
    "quality": [
        {
            "name": "known",
            "type": "library",
            "metric": "invalidValues",
            "mustBe": 0,
            "arguments": {"validValues": ["asked", "granted", "done"]},
        }
    ],
}
CUSTOM = {
    "subject": "patient",
    "access": [{"role": "matron", "operations": ["read", "insert", "update"], "rows": "all"}],
    "approval": {
        "field": "state",
        "begins": "asked",
        "steps": [
            {"from": "asked", "to": "granted", "roles": ["matron"]},
            {"from": "granted", "to": "done", "roles": ["matron"]},
        ],
    },
}


@pytest.fixture
def clinic(filled, tmp_path):
    fields = [*VISITS[:3], field("patient", "string"), STATE]
    with filled(open_clinic, tmp_path, visits=fields, **CUSTOM) as (conn, url):
        yield Clinic(workspace=read_workspace(tmp_path), conn=conn, url=url)


def test_a_change_of_state_that_is_no_step_is_said_with_its_states_and_rows(clinic):
    header = "visit_id,seen_on,ward,patient,state"

    def load(*states):
        rows = [f"V{at},2026-03-01,A,Wanjiku,{state}" for at, state in enumerate(states)]
        loaded = clinic.load_path(clinic.file(*rows, header=header))
        return [str(it) for it in loaded.remarks if it.kind == "undeclared_step"]

    assert load("asked", "asked", "granted", "done") == []
    assert load("granted", "asked", "done", "done") == []
    assert load("asked", "done", "asked", "asked") == [
        "state changed from asked to done, which is not a step of the contract's approval",
        "state changed from done to asked, which is not a step of the contract's approval (2 times)",
        "state changed from granted to asked, which is not a step of the contract's approval",
    ]
