import pytest
from tests.conftest import NOW
from tests.small_contracts import NOTES, READINGS, TEAMS, TRIPS, contracts

from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.operations.schema.examine_server import examine_server
from daftari.operations.schema.verify_database import verify_database

pytestmark = pytest.mark.each_server


def test_it_tells_what_is_there_and_what_is_not(db, server_kind):
    found = {it.name: it.present for it in examine_server(db).abilities}
    assert found == {
        "version 15 to 18": True,
        "UTF-8": True,
        "standard strings": True,
        "may create schemas": True,
        "btree_gist": True,
        "pgcrypto": server_kind.binaries.has_pgcrypto,
        "pgaudit": "pgaudit" in server_kind.binaries.libraries,
        "pg_stat_statements": True,
        "bulk key checks": True,
        "audits schema changes": True,
        "logs restricted reads": False,  # nothing was applied to this database
        "data checksums": True,
        "survives crashes": False,  # the tests' server is in a hurry
    }


def test_a_user_who_only_owns_the_database_can_apply_and_verify_and_is_told_the_rest(owned, tmp_path):
    all_contracts = contracts(TEAMS, TRIPS, READINGS, NOTES)
    apply_contracts(owned, all_contracts, migrations_dir=tmp_path, now=NOW)
    verified = verify_database(owned, all_contracts, migrations_dir=tmp_path, now=NOW)
    assert verified.drifts == ()
    assert verified.off == (
        "drop, detach and alter leave no entry in the audit: event triggers need a superuser",
    )

    examined = examine_server(owned)
    assert examined.lacking == ()
    lacking = {it.name for it in examined.abilities if not it.present}
    assert {"bulk key checks", "audits schema changes"} <= lacking


def test_what_is_essential_and_not_there_is_lacking(owned):
    owned.execute("set standard_conforming_strings = off")
    assert [it.name for it in examine_server(owned).lacking] == ["standard strings"]
