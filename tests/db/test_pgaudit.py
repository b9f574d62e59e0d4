"""Reads of restricted tables in the server's log, on a server that has pgAudit."""

from __future__ import annotations

import uuid
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql
from tests.conftest import NOW
from tests.small_contracts import READINGS, TEAMS, contracts, with_field

from daftari.contract.model import Classification
from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.operations.schema.examine_server import examine_server
from daftari.operations.schema.verify_database import verify_database

RESTRICTED = with_field(TEAMS, "budget", classification=Classification.RESTRICTED)
METERED = with_field(READINGS, "litres", classification=Classification.RESTRICTED)


@pytest.fixture
def server_with_pgaudit(server, server_kind):
    if "pgaudit" not in server_kind.binaries.libraries:
        pytest.skip("this PostgreSQL has no pgaudit: on Debian, install postgresql-15-pgaudit")
    return server


@pytest.fixture
def read_by(server_with_pgaudit, db, tmp_path):
    """Apply contracts; then have a member of hr read, and return what the server's log says of it."""
    names = [sql.Identifier(f"{name}_{uuid.uuid4().hex[:8]}") for name in ("hr", "amina")]
    db.execute(sql.SQL("create role {0}; create role {1} login; grant {0} to {1}").format(*names))

    def read(statement, parameters=None, *, of):
        apply_contracts(db, contracts(*of), migrations_dir=tmp_path, now=NOW)
        db.execute(
            sql.SQL(
                "grant usage on schema ops to {0}; grant select on all tables in schema ops to {0}"
            ).format(names[0])
        )
        before = server_with_pgaudit.log.stat().st_size
        with psycopg.connect(db.info.dsn, user=names[1]._obj[0], autocommit=True) as conn:
            conn.execute(statement, parameters)
        said = server_with_pgaudit.log.read_bytes()[before:].decode()
        return [line for line in said.splitlines() if f"{names[1]._obj[0]}@{db.info.dbname}" in line]

    yield read
    db.execute(sql.SQL("drop owned by {0}, {1}; drop role {0}, {1}").format(*names))


@pytest.mark.parametrize("value", ["Wanjiku", "12345678"])
def test_a_read_of_a_restricted_table_names_who_and_what_and_no_value(read_by, value):
    (line,) = read_by("select budget from ops.teams where team = %s", [value], of=[RESTRICTED])
    assert "AUDIT: OBJECT,1,1,READ,SELECT,TABLE,ops.teams" in line
    assert value not in line
    assert "select budget" not in line


def test_a_value_written_into_the_statement_is_not_logged_either(read_by):
    (line,) = read_by("select budget from ops.teams where team = 'Wanjiku'", of=[RESTRICTED])
    assert "AUDIT" in line and "Wanjiku" not in line


@pytest.mark.parametrize("relation", ["readings", "readings_2026q4"])
def test_a_partition_that_is_read_by_its_own_name_is_logged_too(read_by, relation):
    (line,) = read_by(f"select litres from ops.{relation}", of=[METERED])
    assert f"READ,SELECT,TABLE,ops.{relation}" in line


def test_a_read_of_a_table_without_restricted_fields_is_not_logged(read_by):
    assert read_by("select budget from ops.teams", of=[TEAMS, METERED]) == []


def test_a_table_that_is_no_longer_restricted_is_no_longer_logged(read_by):
    assert len(read_by("select 1 from ops.teams", of=[RESTRICTED])) == 1
    assert read_by("select 1 from ops.teams", of=[replace(TEAMS, description="Open.")]) == []


@pytest.mark.usefixtures("server_with_pgaudit")
def test_verify_names_a_restricted_table_whose_reads_are_not_logged_and_doctor_says_so(db, tmp_path):
    ours = contracts(RESTRICTED)

    def drifts():
        found = verify_database(db, ours, migrations_dir=tmp_path, now=NOW).drifts
        return [it.text for it in found]

    apply_contracts(db, ours, migrations_dir=tmp_path, now=NOW)
    assert drifts() == []
    db.execute("revoke select on ops.teams from daftari_pgaudit")
    named = ["pgaudit ops.teams: found its reads not logged; expected an object audit of a restricted table"]
    assert drifts() == named
    apply_contracts(db, ours, migrations_dir=tmp_path, now=NOW)
    assert drifts() == []
    with psycopg.connect(db.info.dsn) as new:
        assert "logs restricted reads" in {it.name for it in examine_server(new).abilities if it.present}
    db.execute(sql.SQL("alter database {} reset pgaudit.role").format(sql.Identifier(db.info.dbname)))
    assert drifts() == named
    with psycopg.connect(db.info.dsn) as new:
        lacking = {it.name: it.without for it in examine_server(new).abilities if not it.present}
    assert "a superuser's `daftari apply` sets it" in lacking["logs restricted reads"]
