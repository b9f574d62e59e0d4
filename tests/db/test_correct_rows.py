"""Refused rows are mended where they are: in the role of whoever mends, judged by the same rules, each once."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from tests.clinic import NOW
from tests.served_clinic import opened, visit

from daftari.errors import QuarantineRefused
from daftari.io.keys import key_store_of
from daftari.operations.quarantine.correct_rows import correct_rows, quarantined_rows
from daftari.protect.mask import HIDDEN
from daftari.settings import read_settings


class Ward:
    """A clinic whose refused rows are kept."""

    def __init__(self, house, root):
        self.house = house
        (root / "daftari.toml").write_text('[workspace]\nname = "Clinic"\n', "utf-8")
        keys = key_store_of(read_settings(root))
        self.open_keys = lambda: keys

    def write_context(self, role="matron"):
        return replace(self.house.write_context(role), open_keys=self.open_keys)

    def refuse(self, *records):
        from daftari.operations.write.write_requests import WriteRequest
        from daftari.operations.write.write_rows import write_rows

        request = WriteRequest(records=records, request_id="r1")
        (answer,) = write_rows(self.house.conn, self.write_context(), [request], now=NOW)
        assert {it.status for it in answer.outcomes} == {"quarantined"}

    def rows(self, role="matron"):
        return quarantined_rows(self.house.conn, self.write_context(role))

    def mend(self, mended, role="matron"):
        outcomes, _ = correct_rows(self.house.conn, self.write_context(role), mended, now=NOW)
        return [it.status for it in outcomes.values()]

    def value(self, query):
        return self.house.conn.execute(query).fetchone()[0]


@pytest.fixture
def ward(filled, tmp_path, monkeypatch):
    with opened(filled, tmp_path) as house:
        monkeypatch.setenv("DAFTARI_DATABASE_URL", house.clinic.url)
        yield Ward(house, tmp_path)


def test_a_row_that_is_mended_lands_and_waits_no_more(ward):
    ward.refuse(visit(1, seen_on="to follow"), visit(2, fee=-1))
    first, second = ward.rows()
    assert (first.wrong, first.cells["seen_on"], first.cells["fee"]) == ({"seen_on"}, "to follow", "12.50")
    assert ward.mend({first.entry.quarantine_id: {"seen_on": "2026-03-02"}}) == ["inserted"]
    assert [it.entry.quarantine_id for it in ward.rows()] == [second.entry.quarantine_id]
    assert ward.house.clinic.rows("visit_id", "seen_on") == [("V1", datetime(2026, 3, 2, tzinfo=UTC).date())]


def test_a_row_that_is_refused_again_waits_in_its_own_place(ward):
    ward.refuse(visit(1, fee=-1))
    (row,) = ward.rows()
    assert ward.mend({row.entry.quarantine_id: {"fee": "-2"}}) == ["quarantined"]
    (again,) = ward.rows()
    assert again.cells["fee"] == "-2.00"
    assert (
        ward.value("select replaces from daftari.quarantine order by 1 nulls last limit 1")
        == row.entry.quarantine_id
    )


def test_a_row_that_somebody_mended_meanwhile_is_not_mended_again_and_nothing_is_written(ward):
    ward.refuse(visit(1, fee=-1), visit(2, fee=-1))
    first, second = (it.entry.quarantine_id for it in ward.rows())
    ward.mend({first: {"fee": "1"}})
    with pytest.raises(QuarantineRefused, match="1 of these rows are no longer in quarantine"):
        ward.mend({first: {"fee": "5"}, second: {"fee": "5"}})
    assert len(ward.rows()) == 1


def test_of_two_who_mend_a_row_at_the_same_moment_the_second_is_told_and_writes_nothing(ward):
    ward.refuse(visit(1, seen_on="to follow"))
    (row,) = ward.rows()
    entry = row.entry.quarantine_id
    with (
        psycopg.connect(ward.house.clinic.url) as first,
        psycopg.connect(ward.house.clinic.url, autocommit=True) as watch,
        ThreadPoolExecutor(1) as second,
    ):
        first.execute(
            "update daftari.quarantine set resolved_by = run_id, cells = null where quarantine_id = %s",
            [entry],
        )
        mending = second.submit(ward.mend, {entry: {"seen_on": "2026-03-02"}})
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        while not watch.execute(waits).fetchone()[0]:
            assert not mending.done(), mending.result()
        first.commit()
        with pytest.raises(QuarantineRefused, match="1 of these rows are no longer in quarantine"):
            mending.result()
    assert ward.value("select count(*) from ops.visits") == 0


def test_the_cells_of_a_refused_row_are_kept_sealed(ward):
    ward.refuse(visit(1, fee=-1, patient="Wanjiku wa Kamau"))
    kept = bytes(ward.value("select cells from daftari.quarantine"))
    assert b"Wanjiku" not in kept
    assert ward.rows()[0].cells["patient"] == "Wanjiku wa Kamau"


def test_the_cells_are_gone_once_the_row_is_resolved(ward):
    ward.refuse(visit(1, fee=-1))
    ward.mend({ward.rows()[0].entry.quarantine_id: {"fee": "1"}})
    assert ward.value("select count(*) from daftari.quarantine where cells is not null") == 0


def test_a_row_whose_cells_were_not_kept_is_told_from_one_that_was(ward):
    ward.house.post(visit(1, fee=-1))  # without keys
    (row,) = ward.rows()
    assert row.cells is None
    with pytest.raises(QuarantineRefused, match="were not kept"):
        ward.mend({row.entry.quarantine_id: {"fee": "1"}})


def test_a_cell_that_a_role_does_not_see_stays_what_it_was_and_is_not_its_to_write(ward):
    ward.refuse(visit(1, fee=-1, patient="Wanjiku"))
    row = quarantined_rows(ward.house.conn, ward.write_context("porter"))[0]
    assert row.cells["patient"] == HIDDEN
    assert "Wanjiku" not in json.dumps(row.cells)


def test_who_mended_is_in_the_audit(ward):
    ward.refuse(visit(1, fee=-1))
    ward.mend({ward.rows()[0].entry.quarantine_id: {"fee": "1"}})
    who = "select actor from daftari.audit_entry where relation = 'ops.visits' order by entry_id desc limit 1"
    assert ward.value(who) == "test matron"
