"""A part of a row is changed: what of it is sealed stays as it is, and is judged with the rest."""

import pytest
from tests import sealed_clinic
from tests.clinic import NOW

from daftari.compile.access.roles import Roles
from daftari.contract.access.caller import Caller, RequestContext
from daftari.io.access.callers import make_service
from daftari.operations.write.write_requests import WriteContext, WriteRequest
from daftari.operations.write.write_rows import write_rows

ACCESS = [{"role": "nurse", "operations": ["read", "insert", "update"], "rows": "all"}]
ROW = "V1,2026-03-01,A,Amina,+254700000001,10,first"


@pytest.fixture
def clinic(filled, tmp_path, monkeypatch):
    with filled(sealed_clinic.fill, tmp_path, access=ACCESS) as (conn, url):
        monkeypatch.setenv("DAFTARI_DATABASE_URL", url)
        opened = sealed_clinic.clinic_in(conn, url, tmp_path)
        opened.load_path(opened.file(ROW, header=sealed_clinic.HEADER))
        make_service(conn)
        yield opened


def change(clinic, **changes):
    contract = clinic.workspace.dataset("visits")[1]
    write_context = WriteContext(
        contract=contract,
        context=RequestContext(caller=Caller(name="t", role="nurse"), request_id="r"),
        roles=Roles(),
        known={it.dataset.name: it.dataset for it in clinic.workspace.contracts},
        open_keys=lambda: sealed_clinic.store_of(clinic),
    )
    request = WriteRequest(records=[{"visit_id": "V1", **changes}], request_id="r", is_partial=True)
    ((outcome,),) = [it.outcomes for it in write_rows(clinic.conn, write_context, [request], now=NOW)]
    return outcome


def sealed(clinic):
    return clinic.rows("phone", "fee", "notes", "phone_index")


def test_a_sealed_value_that_is_not_changed_stays_as_it_is_to_the_byte(clinic):
    before = sealed(clinic)
    assert change(clinic, ward="B").status == "updated"
    assert sealed(clinic) == before
    assert change(clinic, phone="+254700000001", fee="10").status == "unchanged"


def test_a_sealed_value_that_is_changed_is_sealed_anew_with_its_index(clinic):
    before = sealed(clinic)
    assert change(clinic, phone="+254700000009").status == "updated"
    (after,), (was,) = sealed(clinic), before
    assert (after[0] != was[0], after[3] != was[3], after[1:3] == was[1:3]) == (True, True, True)


def test_a_rule_over_a_sealed_value_and_another_holds_though_one_alone_is_changed(clinic):
    outcome = change(clinic, fee="700", notes=None)
    assert [it["rule"] for it in outcome.reasons] == ["dear"]
    assert change(clinic, fee="700").status == "updated"  # its note is there, sealed
