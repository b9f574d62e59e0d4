"""`daftari runs` as a user sees it."""

from __future__ import annotations

import pytest
from tests.clinic import HEADER

ROWS = ["V1,2026-03-01,A,Wanjiku,100.00,asthma", "V2,2026-03-01,X,,1,", "", HEADER]


@pytest.fixture
def loaded(clinic, daftari):
    clinic.file(*ROWS, name="march.csv")
    clinic.file("V1,2026-03-01,A,150,3", name="narrow.csv", header="visit_id,seen_on,ward,fee,bed")
    assert daftari("load", "visits", "march.csv", "narrow.csv").exit_code == 0
    return daftari


def test_the_runs_of_the_workspace_are_listed_newest_first(loaded):
    assert [line.split() for line in loaded("runs").lines] == [
        ["run", "what", "status", "received", "inserted", "updated", "quarantined", "from"],
        ["2", "load", "visits", "succeeded", "1", "0", "1", "0", "narrow.csv"],
        ["1", "load", "visits", "succeeded", "2", "1", "0", "1", "march.csv"],
    ]
    assert [one["run_id"] for one in loaded("runs", "--limit", "1", "--output", "json").json] == [2]
    assert loaded("runs", "--dataset", "wards").lines == ["There are no runs."]


def test_a_run_tells_what_load_told(loaded):
    lines = loaded("runs", "show", "2").lines
    assert lines[0] == "run 2: load of visits, succeeded"
    assert lines[1].startswith("  from: narrow.csv; by ")
    assert lines[2:] == [
        "  1 received, 0 inserted, 1 updated, 0 unchanged, 0 duplicate, 0 superseded, 0",
        "quarantined",
        "  column 'bed' is not used",
        "  not in the file, left as they are in existing rows: patient, notes",
        "Undo it: daftari undo 2",
    ]


def test_a_run_tells_why_rows_were_rejected_and_what_was_left_out(loaded):
    lines = loaded("runs", "show", "1").lines
    assert "  left out: 1 blank, 1 repeated header" in lines
    assert "  1 x ward refers to a row that does not exist (ward.reference)" in lines
    assert lines[-2:] == [
        "Show rejected rows: daftari quarantine show visits --run 1",
        "Undo it: daftari undo 1",
    ]
    shown = loaded("runs", "show", "1", "--output", "json").json
    assert (shown["left_out"]["blank"], shown["quarantined"]) == (1, 1)


@pytest.mark.usefixtures("clinic")
@pytest.mark.parametrize("words", [["runs", "show", "99"], ["runs", "--dataset", "visit"]])
def test_what_does_not_exist_is_one_line_and_an_exit_code(daftari, words):
    said = daftari(*words)
    assert (said.exit_code, said.out) == (10, "")
    assert said.err.startswith("error: ")
