"""Every load is reversible: all of it, or nothing, and only what nobody changed since."""

from __future__ import annotations

import pytest
from tests.clinic import VISITS, Clinic, apply_workspace, counted, open_wards, write_workspace

from daftari.errors import UndoRefused, UnknownName
from daftari.io.runs import ledger
from daftari.io.runs.ledger import BatchAudit, RunCounts
from daftari.operations.audit.undo_run import undo_run

FIRST = ("V1,2026-03-01,A,Wanjiku,10,", "V2,2026-03-02,B,,20,", "V3,2026-03-03,A,,30,")
#: One row of the first again, one changed, one new.
SECOND = ("V1,2026-03-01,A,Wanjiku,10,", "V2,2026-03-02,C,,21,asthma", "V4,2026-03-04,A,,40,")
ALL = ("visit_id", "seen_on::text", "ward", "patient", "fee::text", "notes", "_run_id")


def undo(clinic, run_id, **said):
    return undo_run(clinic.conn, clinic.workspace, run_id, **said)


@pytest.fixture
def loads(clinic):
    """Two loads, one after the other; their runs are 1 and 2."""
    clinic.load(*FIRST, name="first.csv")
    before = clinic.rows(*ALL)
    clinic.load(*SECOND, name="second.csv")
    return before


@pytest.mark.each_server
def test_what_a_load_inserted_goes_and_what_it_updated_becomes_what_it_was(clinic, loads):
    undone = undo(clinic, 2)
    assert clinic.rows(*ALL) == loads
    assert (undone.removed, undone.restored, undone.run_id) == (1, 1, 3)
    assert clinic.runs("kind", "status", "received", "updated", "removed", "undoes")[2] == (
        "undo",
        "succeeded",
        2,
        1,
        1,
        2,
    )
    # and what an undo did is in the audit, as a change of its own run
    found = clinic.conn.execute(
        "select operation, rows from daftari.audit_entry where run_id = 3 order by entry_id"
    )
    assert found.fetchall() == [("delete", 1), ("update", 1)]


@pytest.mark.usefixtures("loads")
def test_the_file_may_be_loaded_again_afterwards(clinic):
    after = clinic.rows(*ALL[:-1])
    undo(clinic, 2)
    again = clinic.load(*SECOND, name="second.csv")
    assert (again.known, counted(again)) == (
        False,
        {"received": 3, "inserted": 1, "updated": 1, "unchanged": 1},
    )
    assert clinic.rows(*ALL[:-1]) == after


@pytest.mark.usefixtures("loads")
def test_loads_are_undone_one_after_the_other_the_last_first(clinic):
    with pytest.raises(UndoRefused, match="1 row of run 1 changed or removed since"):
        undo(clinic, 1)
    undo(clinic, 2)
    assert undo(clinic, 1).removed == 3
    assert clinic.rows() == []


@pytest.mark.usefixtures("loads")
def test_a_run_is_undone_once_and_an_undo_is_not_undone(clinic):
    undo(clinic, 2)
    with pytest.raises(UndoRefused, match="run 2 was undone by run 3"):
        undo(clinic, 2)
    with pytest.raises(UndoRefused, match="run 3 is a undo that succeeded; expected a load"):
        undo(clinic, 3)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("update ops.visits set fee = 1 where visit_id = 'V4'", "1 row of run 2 changed or removed since"),
        ("update ops.visits set fee = 1 where visit_id = 'V2'", "1 row of run 2 changed or removed since"),
        # there and back again
        (
            "update ops.visits set fee = 1 where visit_id = 'V4'; update ops.visits set fee = 40 where visit_id = 'V4'",
            "1 row of run 2 changed or removed since",
        ),
        ("delete from ops.visits where visit_id in ('V2', 'V4')", "2 rows of run 2 changed or removed since"),
        ("update ops.visits set visit_id = 'V5' where visit_id = 'V4'", "rows of run 2 changed or removed since"),
        ("truncate ops.visits", "run 2 inserted 1 row and updated 1; found 0 and 0 as it left them"),
        # by somebody who switched the audit off
        (
            "alter table ops.visits disable trigger all; delete from ops.visits where visit_id = 'V4'",
            "run 2 inserted 1 row and updated 1; found 0 and 1 as it left them",
        ),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("loads")
def test_a_row_that_was_changed_since_is_refused_and_nothing_is_done(clinic, statement, message):
    clinic.conn.execute(statement)
    before = clinic.rows(*ALL)
    with pytest.raises(UndoRefused, match=message):
        undo(clinic, 2)
    assert clinic.rows(*ALL) == before
    assert clinic.runs("kind", "status", "error_code")[2] == ("undo", "refused", "undo_refused")


@pytest.mark.usefixtures("loads")
def test_rows_of_others_are_not_in_the_way(clinic):
    clinic.conn.execute("update ops.visits set fee = 1 where visit_id in ('V1', 'V3')")
    assert undo(clinic, 2).restored == 1


@pytest.mark.usefixtures("loads")
def test_a_dry_run_does_nothing_and_names_rows_in_the_way(clinic):
    before = clinic.rows(*ALL)
    would = undo(clinic, 2, dry_run=True)
    assert (would.removed, would.restored, would.run_id, would.changed_since) == (1, 1, None, 0)
    clinic.conn.execute("update ops.visits set fee = 40 where visit_id = 'V4'")
    told = undo(clinic, 2, dry_run=True)
    assert (told.changed_since, told.keys) == (1, (("V4",),))
    assert (clinic.rows(*ALL), len(clinic.runs())) == (before, 2)


@pytest.mark.usefixtures("loads")
def test_rows_that_others_refer_to_are_refused_without_their_values(clinic):
    clinic.conn.execute("create table ops.bills (visit text references ops.visits (visit_id))")
    clinic.conn.execute("insert into ops.bills values ('V4')")
    with pytest.raises(UndoRefused, match="bills_visit_fkey of bills would be violated; nothing") as raised:
        undo(clinic, 2)
    assert "V4" not in str(raised.value)


def test_quarantine_is_as_it_was(clinic):
    clinic.load("V1,2026-03-01,A,,10,", "V2,31/02/2026,A,,10,", name="first.csv")
    clinic.load("V1,2026-03-01,A,,11,", "V2,2026-02-28,A,,10,", "V3,2026-03-01,Z,,1,", name="second.csv")
    assert clinic.open_lines() == [("second.csv", 4)]
    undo(clinic, 2)
    assert clinic.open_lines() == [("first.csv", 3)]


def test_a_row_that_the_run_itself_brought_twice_goes(clinic):
    clinic.load("V1,2026-03-01,A,,10,", name="first.csv")
    clinic.load("V2,2026-03-01,A,,1,", "V1,2026-03-01,A,,11,", "V2,2026-03-01,B,,2,", name="second.csv")
    undo(clinic, 2)
    assert clinic.rows("visit_id", "fee::text", "_run_id") == [("V1", "10.00", 1)]


def test_a_row_that_the_run_updated_twice_becomes_what_it_was_before_the_first_time(clinic):
    clinic.load(*FIRST, name="first.csv")
    before = clinic.rows(*ALL)
    _, contract = clinic.workspace.dataset("visits")
    with ledger.ledger_run(clinic.conn, "load", contract) as run_id, clinic.conn.transaction():
        # as batches of one load that bring a key again
        for fee, notes in ((11, "first"), (12, "second")):
            clinic.conn.execute(
                "update ops.visits set fee = %s, notes = %s, _run_id = %s where visit_id = 'V1'",
                [fee, notes, run_id],
            )
        ledger.record_batch(
            clinic.conn, BatchAudit(relation="ops.visits", operation="merge", rows=1, digest="0")
        )
        ledger.finish_run(clinic.conn, run_id, RunCounts(received=1, updated=1))
    assert undo(clinic, run_id).restored == 1
    assert clinic.rows(*ALL) == before


def test_rows_of_a_partitioned_table_are_undone_too(db, database_url, tmp_path):
    workspace = write_workspace(
        tmp_path, partition={"field": "seen_on", "every": "month", "start": "2026-01"}
    )
    apply_workspace(db, workspace)
    open_wards(db)
    clinic = Clinic(workspace=workspace, conn=db, url=database_url)
    clinic.load(*FIRST, name="first.csv")
    before = clinic.rows(*ALL)
    # one row moves to another month
    clinic.load("V2,2026-01-05,B,,20,", "V4,2019-03-04,A,,40,", "V5,2026-02-01,A,,1,", name="second.csv")
    undone = undo(clinic, 2)
    assert (undone.removed, undone.restored, clinic.rows(*ALL)) == (1, 1, before)
    assert counted(clinic.load("V5,2026-02-01,A,,1,", name="third.csv")) == {"received": 1, "inserted": 1}


def test_a_run_without_a_batch_in_the_audit_cannot_be_undone(clinic):
    clinic.conn.execute(
        "insert into daftari.run (kind, dataset, status, finished_at) values ('load', 'visits', 'succeeded', now())"
    )
    with pytest.raises(UndoRefused, match="the audit has no batch of run 1"):
        undo(clinic, 1)


def test_a_run_that_is_not_there_is_named(clinic):
    with pytest.raises(UnknownName, match="no run '9'"):
        undo(clinic, 9)


def test_a_run_that_failed_is_none_to_undo(clinic):
    clinic.conn.execute(
        "insert into daftari.run (kind, dataset, status, finished_at) values ('load', 'visits', 'failed', now())"
    )
    with pytest.raises(UndoRefused, match="run 1 is a load that failed; expected a load that succeeded"):
        undo(clinic, 1)


@pytest.mark.parametrize("old", ["fee", "visit_id"])
@pytest.mark.usefixtures("loads")
def test_a_run_that_names_a_field_which_was_renamed_since_is_not_undone_in_part(clinic, old):
    fields = [
        {
            **it,
            "name": f"new_{old}",
            "customProperties": [{"property": "daftari.renamedFrom", "value": old}],
        }
        if it["name"] == old
        else it
        for it in VISITS
    ]
    clinic.workspace = write_workspace(clinic.folder, visits=fields)
    apply_workspace(clinic.conn, clinic.workspace)
    before = clinic.conn.execute("select to_jsonb(v) from ops.visits v order by 1").fetchall()
    with pytest.raises(UndoRefused, match=f"{old} of run [12] was renamed or dropped since"):
        undo(clinic, 2 if old == "fee" else 1)
    assert clinic.conn.execute("select to_jsonb(v) from ops.visits v order by 1").fetchall() == before
