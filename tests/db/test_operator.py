"""A database of one's own, whose user is no superuser: it runs everything, and is held by the same policies."""

from datetime import timedelta

import pytest
from tests.clinic import Clinic, apply_workspace, counted, open_wards, write_workspace
from tests.conftest import NOW as LATER
from tests.small_contracts import NOTES, READINGS, contracts

from daftari.compile.access.access_policies import Rights
from daftari.compile.access.roles import Roles
from daftari.errors import DatabaseError
from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.operations.schema.make_partitions import make_partitions
from daftari.operations.schema.verify_database import verify_database

pytestmark = pytest.mark.each_server
ACCESS = [{"role": "orderly", "operations": ["read"], "rows": "all"}]


@pytest.fixture
def own_clinic(owned, db, tmp_path):
    db.execute("create role orderly")
    try:
        workspace = write_workspace(tmp_path, access=ACCESS)
        apply_workspace(owned, workspace)
        open_wards(owned)
        yield Clinic(workspace=workspace, conn=owned, url="")
    finally:
        db.execute("drop owned by orderly; drop role orderly")


def test_loads_insert_update_and_refuse_as_for_a_superuser(own_clinic):
    first = own_clinic.load("1,2026-03-01,A,,10,", "2,2026-03-01,A,,20,", "3,2026-03-01,Z,,1,")
    again = own_clinic.load(
        "1,2026-03-01,A,,11,", "2,2026-03-01,A,,20,", "4,2026-03-01,B,,1,", name="more.csv"
    )
    assert counted(first) == {"received": 3, "inserted": 2, "quarantined": 1}
    assert counted(again) == {"received": 3, "inserted": 1, "updated": 1, "unchanged": 1}
    assert own_clinic.keys() == "1 2 4"


def test_a_constraint_that_no_rule_foresaw_costs_a_row_and_not_the_load(own_clinic):
    own_clinic.conn.execute("alter table ops.visits add constraint by_hand check (fee <> 13)")
    loaded = own_clinic.load("1,2026-03-01,A,,13,", "2,2026-03-01,A,,20,")
    assert counted(loaded) == {"received": 2, "inserted": 1, "quarantined": 1}


def test_whoever_would_see_a_part_only_loads_nothing(own_clinic, db):
    db.execute("drop policy operator on ops.visits")
    with pytest.raises(DatabaseError, match="visits: policies hide rows of it from user plain_"):
        own_clinic.load("1,2026-03-01,A,,13,")


def test_partitions_made_later_are_closed(owned, tmp_path):
    wanted = contracts(READINGS, NOTES)
    apply_contracts(owned, wanted, migrations_dir=tmp_path, now=LATER)
    owned.execute("insert into ops.readings (reading, read_at, _run_id) values (1, '2027-08-01', 1)")
    later = LATER + timedelta(days=300)
    made = make_partitions(owned, wanted, now=later)
    assert [(it.partition, it.rows_moved) for it in made][-2:] == [
        ("readings_2027q3", 1),
        ("readings_2027q4", 0),
    ]
    assert verify_database(owned, wanted, migrations_dir=tmp_path, now=later).drifts == ()
    assert owned.execute("select count(*) from ops.readings").fetchone() == (1,)


def test_a_user_who_may_not_make_roles_is_told_what_to_have_run(owner_of_empty, db, tmp_path):
    wanted, rights = contracts(READINGS, NOTES), Rights(roles=Roles(prefix="elsewhere_"))
    user = owner_of_empty.info.user
    with pytest.raises(DatabaseError) as raised:
        apply_contracts(owner_of_empty, wanted, migrations_dir=tmp_path, now=LATER, rights=rights)
    names = "elsewhere_daftari_operator, elsewhere_daftari_owner"
    assert str(raised.value) == (
        f"apply: user {user} may not create roles or join them; missing: {names}; "
        "not an operator by: elsewhere_daftari_operator, elsewhere_daftari_owner"
    )
    _, _, advice = raised.value.hint.partition("once for the server: ")
    db.execute(advice)
    try:
        apply_contracts(owner_of_empty, wanted, migrations_dir=tmp_path, now=LATER, rights=rights)
        found = verify_database(owner_of_empty, wanted, migrations_dir=tmp_path, now=LATER, rights=rights)
        assert found.drifts == ()
    finally:
        db.execute(f"drop owned by {names} cascade; drop role {names}")


def test_a_user_who_may_make_roles_makes_them(owner_of_empty, db, tmp_path):
    wanted, rights = contracts(READINGS, NOTES), Rights(roles=Roles(prefix="made_"))
    db.execute(f"alter role {owner_of_empty.info.user} createrole")
    try:
        apply_contracts(owner_of_empty, wanted, migrations_dir=tmp_path, now=LATER, rights=rights)
        found = verify_database(owner_of_empty, wanted, migrations_dir=tmp_path, now=LATER, rights=rights)
        assert found.drifts == ()
    finally:
        names = "made_daftari_owner, made_daftari_operator"
        db.execute(f"drop owned by {names} cascade; drop role {names}")
