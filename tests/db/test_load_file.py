"""A file on its way into its dataset: every row is accounted for, once, whatever comes in between."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from tests.clinic import HEADER, NOW, SECRETS, counted

from daftari.errors import DatabaseError, Drift, MappingError, ReconciliationError, UnknownName
from daftari.operations.load.load_file import load_file
from daftari.operations.load.load_path import LoadRequest, load_path, prepare_load
from daftari.rows.intake.control_totals import ControlTotals

GOOD = [
    "V1,2026-03-01,A,Wanjiku,100.00,asthma",
    "V2,2026-03-02,B,Otieno,200.50,",
    "V3,2026-03-03,C,,0,",
]
MIXED = [
    "V1,2026-03-01,A,Wanjiku,150.00,asthma",  # line 2: an update
    "V2,2026-03-02,B,Otieno,200.50,",  # unchanged
    "V4,2026-03-04,A,,10,",  # new
    "V4,2026-03-04,A,,10,",  # line 5: the same again
    "V5,2026-03-05,X,,10,",  # line 6: no such ward
    "V6,1999-12-31,A,,-1,",  # line 7: two reasons
    "V7,2026-03-07,A,,10",  # line 8: a field short
    "",
    HEADER,
    "V8,2026-03-08,B,Wanjiku wa Njoroge,10,malaria and much more",  # line 11: two reasons
    "V9,2026-03-09,C,,10,",
]


def test_every_row_of_a_file_is_accounted_for(clinic):
    clinic.load(*GOOD, name="first.csv")

    loaded = clinic.load(*MIXED)

    assert counted(loaded) == {
        "received": 9,
        "inserted": 2,
        "updated": 1,
        "unchanged": 1,
        "duplicate": 1,
        "quarantined": 4,
    }
    assert (loaded.left_out.blank, loaded.left_out.repeated) == (1, 1)
    assert clinic.keys() == "V1 V2 V3 V4 V9"
    assert clinic.rows("fee")[0] == (Decimal("150.00"),)
    assert clinic.open_lines() == [("visits.csv", line) for line in (6, 7, 8, 11)]
    assert clinic.runs()[1] == tuple(vars(loaded.counts).values())


def test_each_reason_is_told_with_how_many_rows_it_refused(clinic):
    loaded = clinic.load(*MIXED)

    assert [(one.rule, one.field, one.reason, one.rows) for one in loaded.reasons] == [
        ("fee.minimum", "fee", "is below 0", 1),
        ("notes.length", "notes", "is longer than 20", 1),
        ("patient.length", "patient", "is longer than 12", 1),
        ("seen_on.minimum", "seen_on", "is before 2020-01-01", 1),
        ("shape", "", "has 5 fields; the header has 6", 1),
        ("ward.reference", "ward", "refers to a row that does not exist", 1),
    ]


def test_two_reasons_of_one_rule_are_told_apart(clinic):
    loaded = clinic.load("V1,2026-03-01,A,#N/A,1,", "V2,2026-03-01,A,a\0b,1,", "V3,2026-03-01,A,#REF!,1,")
    assert [(one.rule, one.reason, one.rows, one.line) for one in loaded.reasons] == [
        ("patient.type", "is an error of a spreadsheet, such as #REF! or #N/A", 2, 2),
        ("patient.type", "cannot be read as text without NUL characters", 1, 3),
    ]


def test_records_of_another_shape_are_counted_by_their_shape(clinic):
    loaded = clinic.load(GOOD[0], "V8,x", *["V9,x,x,x,x,x,x"] * 3, 'V9,"x\nx"', "V1,2026-03-01,A,W,1,,")

    assert [(one.reason, one.rows, one.line) for one in loaded.reasons if one.rule == "shape"] == [
        ("has 7 fields; the header has 6", 3, 4),
        ("has 2 fields; the header has 6", 2, 3),
    ]
    assert [(str(one)) for one in loaded.remarks] == [
        "more or fewer fields than the header, none of them filled: accepted (line 9)"
    ]


def test_protected_values_are_kept_nowhere_but_in_their_table(clinic):
    clinic.load(*GOOD, name="first.csv")
    clinic.load(*MIXED)

    kept = clinic.everything()

    assert [secret for secret in SECRETS if secret in kept] == []
    assert "'patient': '***'" in kept
    assert [patient for (patient,) in clinic.rows("patient")] == ["Wanjiku", "Otieno", None, None, None]


def test_the_same_content_changes_nothing_whatever_its_name(clinic):
    first = clinic.load(*MIXED)
    before = clinic.rows("xmin", "ctid", "*"), clinic.runs("*"), clinic.open_lines()

    again = [clinic.load(*MIXED), clinic.load(*MIXED, name="copy.csv")]

    assert [(one.known, one.run_id, counted(one)) for one in again] == [(True, first.run_id, {})] * 2
    assert (clinic.rows("xmin", "ctid", "*"), clinic.runs("*"), clinic.open_lines()) == before


def test_the_same_content_loaded_again_on_purpose_finds_every_row_there(clinic):
    clinic.load(*MIXED)
    before = clinic.rows("xmin", "ctid", "*")

    again = clinic.load(*MIXED, again=True)

    assert counted(again) == {"received": 9, "unchanged": 4, "duplicate": 1, "quarantined": 4}
    assert clinic.rows("xmin", "ctid", "*") == before
    assert clinic.open_lines() == [("visits.csv", line) for line in (6, 7, 8, 11)]  # once, not twice


def test_a_row_that_comes_right_in_a_later_file_leaves_quarantine(clinic):
    clinic.load(*MIXED)

    loaded = clinic.load("V5,2026-03-05,B,,10,", "V6,2026-01-01,A,,-1,", name="later.csv")

    assert (counted(loaded), loaded.corrected) == ({"received": 2, "inserted": 1, "quarantined": 1}, 1)
    assert clinic.open_lines() == [("visits.csv", 7), ("visits.csv", 8), ("visits.csv", 11), ("later.csv", 3)]


@pytest.mark.parametrize(
    ("totals", "found"),
    [
        (ControlTotals(rows=4), "rows: stated 4, found 3 (difference -1)"),
        (
            ControlTotals(sums={"fee": Decimal("300.51")}),
            "sum of fee: stated 300.51, found 300.50 (difference -0.01)",
        ),
        (
            ControlTotals(sums={"ward": Decimal(1)}),
            "sum of ward: stated 1, but the file has no such number column",
        ),
    ],
)
def test_a_file_that_does_not_reconcile_is_refused_with_both_figures_and_nothing_is_loaded(
    clinic, totals, found
):
    bad = "V8,2026-03-08,X,,0,"

    with pytest.raises(ReconciliationError) as caught:
        clinic.load(*GOOD[:2], bad, totals=totals)

    assert str(caught.value) == f"visits.csv: does not reconcile: {found}"
    assert (clinic.keys(), clinic.open_lines()) == ("", [])
    assert clinic.runs("status", "error_code", "received") == [("refused", "not_reconciled", 0)]
    assert clinic.conn.execute("select count(*) from daftari.source_file").fetchone() == (0,)


def test_a_file_that_reconciles_is_loaded_rejected_rows_counted_in(clinic):
    totals = ControlTotals(rows=4, sums={"fee": Decimal("310.50")})

    assert counted(clinic.load(*GOOD, "V5,2026-03-05,X,,10,", totals=totals)) == {
        "received": 4,
        "inserted": 3,
        "quarantined": 1,
    }


def test_a_total_row_is_no_row_and_holds_the_file_to_its_sum(clinic):
    assert counted(clinic.load(*GOOD, ",,,,300.50,Total")) == {"received": 3, "inserted": 3}
    with pytest.raises(ReconciliationError, match=r"line 5: sum of fee: stated 300.60, found 300.50"):
        clinic.load(*GOOD, ",,,,300.60,Total", name="other.csv")


def test_a_file_of_a_header_alone_is_a_run_without_rows(clinic):
    assert counted(clinic.load()) == {}
    assert clinic.runs("status", "received") == [("succeeded", 0)]
    assert clinic.load().known


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MappingError])
def test_whatever_stops_a_load_in_the_middle_leaves_nothing_of_it(clinic, error):
    delivery = prepare_load(clinic.workspace, LoadRequest(dataset="visits", path=clinic.file(*MIXED)))

    def stop(_rows):
        raise error("stopped")

    with pytest.raises(error):
        load_file(clinic.conn, delivery, now=NOW, progress=stop)

    assert (clinic.keys(), clinic.open_lines(), len(clinic.runs())) == ("", [], 1)
    status = "refused" if error is MappingError else "failed"
    assert clinic.runs("status") == [(status,)]
    assert counted(clinic.load(*MIXED))["received"] == 9


def test_progress_is_told_of_every_row(clinic):
    told = []
    request = LoadRequest(dataset="visits", path=clinic.file(*MIXED))

    load_path(clinic.conn, clinic.workspace, request, now=NOW, progress=told.append)

    assert sum(told) == 9


def test_a_load_is_audited_with_its_rows_and_a_digest_of_what_was_sent(clinic):
    for name in ("first.csv", "second.csv"):
        clinic.load(*GOOD, *(["V4,2026-03-04,A,,1,"] if name == "second.csv" else []), name=name)

    found = clinic.conn.execute("""
        select relation, operation, rows, length(digest), actor
        from daftari.audit_entry
        where run_id is not null
        order by run_id
    """).fetchall()
    assert found == [
        ("ops.visits", operation, rows, 64, "daftari") for operation, rows in (("insert", 3), ("merge", 1))
    ]


def test_a_database_of_another_contract_takes_no_rows(clinic):
    clinic.conn.execute("update daftari.contract_marker set hash = repeat('0', 64) where dataset = 'visits'")

    with pytest.raises(Drift, match="visits: the database has contract 000000000000; the workspace has"):
        clinic.load(*GOOD)

    assert clinic.runs() == []


def test_an_unknown_dataset_is_named(clinic):
    request = LoadRequest(dataset="visit", path=clinic.file(*GOOD))

    with pytest.raises(UnknownName, match="no dataset 'visit'; known: visits, wards"):
        load_path(clinic.conn, clinic.workspace, request, now=NOW)


def at_once(clinic, *paths):
    """Load files in sessions of their own that begin together; return what each loaded."""
    ready, found = threading.Barrier(len(paths)), {}

    def load(at, path):
        with clinic.session() as conn:
            ready.wait()
            found[at] = load_path(conn, clinic.workspace, LoadRequest(dataset="visits", path=path), now=NOW)

    threads = [threading.Thread(target=load, args=item) for item in enumerate(paths)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[at] for at in range(len(paths))]


def test_one_file_loaded_by_two_at_once_lands_once(clinic):
    path = clinic.file(*MIXED)

    first, second = at_once(clinic, path, path)

    assert clinic.keys() == "V1 V2 V4 V9"
    later = second if first.counts.inserted else first
    assert later.known or counted(later) == {"received": 9, "unchanged": 4, "duplicate": 1, "quarantined": 4}
    assert first.counts.inserted + second.counts.inserted == 4
    assert clinic.open_lines() == [("visits.csv", line) for line in (6, 7, 8, 11)]


def test_files_that_share_keys_loaded_at_once_end_as_if_one_came_after_the_other(clinic):
    rows = [f"V{at},2026-03-01,A,,{{fee}}," for at in range(400)]
    paths = [clinic.file(*(row.format(fee=fee) for row in rows), name=f"{fee}.csv") for fee in (1, 2, 3)]

    loaded = at_once(clinic, *paths)

    assert sorted((one.counts.inserted, one.counts.updated) for one in loaded) == [
        (0, 400),
        (0, 400),
        (400, 0),
    ]
    assert len({fee for (fee,) in clinic.rows("fee")}) == 1
    assert len(clinic.rows()) == 400


def test_a_ward_closed_while_its_visits_are_loaded_stops_the_load(clinic):
    delivery = prepare_load(clinic.workspace, LoadRequest(dataset="visits", path=clinic.file(*GOOD)))

    def close_ward(_rows):
        with clinic.session() as other:
            other.execute("delete from ops.wards where ward = 'C'")

    with pytest.raises(DatabaseError, match="deleted while they were being loaded"):
        load_file(clinic.conn, delivery, now=NOW, progress=close_ward)

    assert clinic.keys() == ""
    assert clinic.runs("status", "error_code") == [("refused", "database_unavailable")]


def test_a_cell_with_a_character_that_the_database_cannot_hold_is_quarantined_and_shown_without_it(clinic):
    loaded = clinic.load("V1,2026-03-01,A\0,Wanjiku,12.50,", "V2,2026-03-01,A,,1,", "V\0,2026-03-01,A,,1,")
    assert (loaded.counts.inserted, loaded.counts.quarantined) == (1, 2)
    previews = clinic.conn.execute(
        "select preview ->> 'ward' from daftari.quarantine order by line"
    ).fetchall()
    assert previews == [("A\u2400",), ("A",)]
