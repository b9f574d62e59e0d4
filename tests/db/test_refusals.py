"""A row that is refused: in the same words for a row that the caller may not see as for a policy."""

from dataclasses import replace

import pytest
from tests.conftest import NOW
from tests.small_contracts import TEAMS, TRIPS, contracts

from daftari.contract.model import Access, Condition, Operation
from daftari.errors import RowRefused
from daftari.io.database.connection import database_errors_explained
from daftari.operations.schema.apply_contracts import apply_contracts

EVERY = (Operation.READ, Operation.INSERT, Operation.UPDATE)
OWN_TEAM = Access(role="blue_clerk", operations=EVERY, rows=Condition("team = 'blue'"))
NEW = "insert into ops.trips (trip, team, status, starts_on, ends_on) values "


def fill(conn, folder):
    trips = replace(TRIPS, no_overlap=replace(TRIPS.no_overlap, key=("status",)), access=(OWN_TEAM,))
    apply_contracts(conn, contracts(TEAMS, trips), migrations_dir=folder, now=NOW)
    conn.execute("insert into ops.teams (team, _run_id) values ('blue', 1), ('red', 1)")
    conn.execute(NEW + "('hidden', 'red', 'asked', '2026-03-01', '2026-03-09')")


@pytest.fixture
def clerk(filled, tmp_path):
    """A session that sees and writes the trips of one team."""
    with filled(fill, tmp_path) as (conn, _), conn.transaction(force_rollback=True):
        conn.execute("set local role blue_clerk")
        yield conn


@pytest.mark.parametrize(
    "row",
    [
        "('hidden', 'blue', 'asked', '2026-05-01', '2026-05-02')",  # the key of a row that is hidden
        "('new', 'blue', 'asked', '2026-03-04', '2026-03-05')",  # overlaps it
        "('new', 'red', 'asked', '2026-05-01', '2026-05-02')",  # of another team
    ],
)
def test_a_hidden_row_and_a_policy_are_told_in_the_same_words(clerk, row):
    assert clerk.execute("select count(*) from ops.trips").fetchone() == (0,)
    with pytest.raises(RowRefused) as raised, database_errors_explained(clerk), clerk.transaction():
        clerk.execute(NEW + row)
    assert (str(raised.value), raised.value.hint) == (
        "database: a row was rejected; expected one that you may write and that does not conflict with other rows",
        "Check its key, its unique fields and its references, or ask a user who sees all rows.",
    )


def test_the_server_itself_names_no_value_of_a_hidden_row(clerk):
    with pytest.raises(Exception, match="duplicate key") as raised, clerk.transaction():
        clerk.execute(NEW + "('hidden', 'blue', 'asked', '2026-05-01', '2026-05-02')")
    assert raised.value.diag.message_detail is None
    with pytest.raises(Exception, match="exclusion") as raised, clerk.transaction():
        clerk.execute(NEW + "('new', 'blue', 'asked', '2026-03-04', '2026-03-05')")
    assert raised.value.diag.message_detail == "Key conflicts with existing key."


def test_a_row_that_may_be_written_is_taken(clerk):
    clerk.execute(NEW + "('new', 'blue', 'asked', '2026-05-01', '2026-05-02')")
    assert clerk.execute("select trip from ops.trips").fetchall() == [("new",)]
