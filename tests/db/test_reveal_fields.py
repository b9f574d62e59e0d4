"""Sealed fields in the clear, such as HR's file for the bank: as a role, for a purpose, and in the audit."""

import psycopg
import pytest
from tests import sealed_clinic
from tests.clinic import NOW

from daftari.compile.access.access_policies import Rights
from daftari.compile.access.roles import Roles
from daftari.errors import AccessRefused, DatabaseError, KeyDestroyed
from daftari.io.audit.audit_entries import AuditFilter, audit_entries
from daftari.io.keys.session_keys import RevealRequest
from daftari.io.workspace.files import read_workspace
from daftari.operations.keys.reveal_fields import reveal_fields
from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.protect.keys import KeyOwner

ROWS = (
    "V1,2026-03-01,A,Amina,+254700000001,10,first",
    "V2,2026-03-01,A,Otieno,+254700000002,20,second",
    "V3,2026-03-02,B,Amina,+254700000003,30,third",
)
ACCESS = [
    {"role": "nurse", "operations": ["read"], "rows": "ward = 'A'"},
    {"role": "porter", "operations": ["read"], "rows": "all", "fields": ["visit_id", "ward"]},
]


#: Of this server alone.
NAMES = Roles(prefix="reveal_")


def fill(conn, root):
    sealed_clinic.fill(conn, root, access=ACCESS)
    found = read_workspace(root).contracts
    apply_contracts(conn, found, migrations_dir=root / "other", now=NOW, rights=Rights(roles=NAMES))


class House:
    def __init__(self, conn, url, root):
        self.clinic = sealed_clinic.clinic_in(conn, url, root)
        self.conn = conn
        self.roles = NAMES
        self.clinic.load_path(self.clinic.file(*ROWS, header=sealed_clinic.HEADER))
        self.keys = sealed_clinic.store_of(self.clinic)
        self.dataset = self.clinic.workspace.dataset("visits")[1].dataset

    def reveal(self, *names, role="nurse", purpose="calling them back", **equal):
        reading = RevealRequest(purpose=purpose, role=self.roles.of(role), equal=tuple(equal.items()))
        return reveal_fields(self.conn, self.keys, self.dataset, names, reading)

    def reads(self):
        found = audit_entries(self.conn, AuditFilter(relation="ops.visits"))
        return [
            (it.role, it.purpose, it.rows, it.detail["columns"]) for it in found if it.operation == "read"
        ]


@pytest.fixture
def house(filled, tmp_path, monkeypatch):
    with filled(fill, tmp_path) as (conn, url):
        monkeypatch.setenv("DAFTARI_DATABASE_URL", url)
        yield House(conn, url, tmp_path)


@pytest.mark.usefixtures("pgcrypto")
def test_a_role_gets_the_rows_that_it_sees_with_sealed_fields_opened(house):
    found = house.reveal("visit_id", "patient", "phone")
    assert found.rows == (("V1", "Amina", "+254700000001"), ("V2", "Otieno", "+254700000002"))
    assert found.keys == 2


@pytest.mark.usefixtures("pgcrypto")
def test_rows_are_chosen_by_what_their_fields_are(house):
    assert house.reveal("visit_id", "phone", patient="Amina", seen_on="2026-03-01").rows == (
        ("V1", "+254700000001"),
    )
    assert house.reveal("visit_id", "phone", patient="nobody").rows == ()


@pytest.mark.usefixtures("pgcrypto")
def test_the_read_is_in_the_audit_with_its_purpose_and_how_many_values_were_opened(house):
    house.reveal("visit_id", "patient", "phone")
    assert [it[1:] for it in house.reads()] == [
        ("calling them back", 2, ["patient"]),
        ("calling them back", 2, ["phone"]),
    ]


@pytest.mark.parametrize("purpose", ["", "  "])
def test_without_a_purpose_nothing_is_revealed(house, purpose):
    with pytest.raises(AccessRefused, match="visits: no purpose was given"):
        house.reveal("phone", purpose=purpose)
    assert house.reads() == []


def test_what_a_role_does_not_see_it_is_not_shown_opened_either(house):
    with pytest.raises(AccessRefused, match="may not see every requested field"):
        house.reveal("visit_id", "phone", role="porter")
    assert house.reads() == []
    assert house.reveal("visit_id", "ward", role="porter").rows[2] == ("V3", "B")


def test_a_field_that_its_contract_does_not_call_revealable_stays_sealed(house):
    with pytest.raises(AccessRefused, match=r"visits\.fee: SQL may not reveal it"):
        house.reveal("visit_id", "fee")


def test_a_value_to_choose_rows_by_is_refused_and_not_quoted_where_it_is_none(house):
    with pytest.raises(AccessRefused, match="not valid for its field") as refused:
        house.reveal("phone", seen_on="kanaria")
    assert "kanaria" not in str(refused.value)
    with pytest.raises(AccessRefused, match="is sealed; expected an unsealed field"):
        house.reveal("visit_id", phone="+254700000001")


@pytest.mark.usefixtures("pgcrypto")
def test_values_of_an_erased_person_are_not_to_be_had(house):
    house.keys.destroy([KeyOwner(scope="visits.patient/731d", subject="Amina")], now=NOW)
    with pytest.raises(KeyDestroyed):
        house.reveal("visit_id", "phone")
    assert house.reveal("visit_id", "phone", patient="Otieno").rows == (("V2", "+254700000002"),)


@pytest.mark.usefixtures("pgcrypto")
def test_no_lent_key_is_left_and_the_session_is_who_it_was(house):
    before = house.conn.execute("select current_user").fetchone()
    house.reveal("phone")
    assert house.conn.execute("select to_regclass('pg_temp.daftari_loan')").fetchone() == (None,)
    assert house.conn.execute("select current_user").fetchone() == before
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="was lent to this session"):
        house.conn.execute("select daftari.reveal(phone, 'visits.phone', patient) from ops.visits")


def test_a_database_without_the_functions_of_pgcrypto_is_refused_and_says_so(house):
    house.conn.execute("drop view if exists daftari.key_loan cascade")  # another server never had it
    with pytest.raises(DatabaseError, match="expected pgcrypto on the server"):
        house.reveal("visit_id", "phone")
    assert house.reads() == []
