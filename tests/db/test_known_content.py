"""Content that was loaded before: recognised, judged again where its contract or mapping changed, never undone."""

import pytest
from tests.clinic import apply_workspace, counted, write_workspace

from daftari.io.workspace.files import read_workspace
from daftari.operations.audit.undo_run import undo_run

FIRST = "V1,2026-03-01,A,Wanjiku,100.00,asthma"
SECOND = "V1,2026-03-01,A,Wanjiku,999.00,asthma"
OTHER = "V2,2026-03-01,A,Otieno,1.00,"


def load(clinic, *rows, **said):
    return clinic.load(*rows, judges_again=True, **said)


def remarks(loaded):
    return [str(one) for one in loaded.remarks]


def test_a_then_b_then_a_says_that_the_rows_are_bs_and_how_to_bring_a_back(clinic):
    load(clinic, FIRST, OTHER, name="first.csv")
    load(clinic, SECOND, name="second.csv")

    again = load(clinic, FIRST, OTHER, name="first.csv")

    assert (again.known, again.run_id, counted(again)) == (True, 1, {})
    assert remarks(again) == [
        "1 of its rows was changed since, last by run 2; to load this content over them, add --again"
    ]
    assert counted(load(clinic, FIRST, OTHER, name="first.csv", again=True)) == {
        "received": 2,
        "updated": 1,
        "unchanged": 1,
    }
    assert load(clinic, SECOND, name="second.csv").remarks != ()
    assert load(clinic, FIRST, OTHER, name="first.csv").remarks == ()


def test_what_an_undo_took_back_was_not_changed(clinic):
    load(clinic, FIRST, name="first.csv")
    load(clinic, SECOND, name="second.csv")
    undo_run(clinic.conn, clinic.workspace, 2)
    assert remarks(load(clinic, FIRST, name="first.csv")) == []


def test_a_deleted_row_was_changed_too(clinic):
    load(clinic, FIRST, name="first.csv")
    load(clinic, FIRST.replace("V1", "V3"), name="first.csv")
    clinic.conn.execute("delete from ops.visits where visit_id = 'V1'")
    assert remarks(load(clinic, FIRST, name="first.csv")) == [
        "1 of its rows was changed since; to load this content over them, add --again"
    ]


def changed_contract(clinic):
    workspace = write_workspace(clinic.folder, maxRejectedRatio=0.25)
    apply_workspace(clinic.conn, workspace)
    clinic.workspace = workspace


def changed_mapping(clinic):
    path = clinic.folder / "pipelines/clinic/ingest/visits.yaml"
    path.write_text("dataset: visits\nfields:\n  notes: {constant: cough}\n", "utf-8")
    clinic.workspace = read_workspace(clinic.folder)


def another_mapping(clinic):
    (clinic.folder / "pipelines/clinic/ingest/wards.yaml").write_text("dataset: wards\n", "utf-8")
    clinic.workspace = read_workspace(clinic.folder)


@pytest.mark.parametrize(
    ("change", "found", "unused"),
    [
        (changed_contract, {"received": 1, "unchanged": 1}, []),
        (changed_mapping, {"received": 1, "updated": 1}, ["column 'notes' is not used"]),
        (another_mapping, {}, []),
    ],
)
def test_known_content_is_judged_again_when_its_contract_or_mapping_changed(clinic, change, found, unused):
    load(clinic, FIRST)
    change(clinic)

    again = load(clinic, FIRST)

    assert (again.known, counted(again)) == (not found, found)
    told = [*unused, "the same content was loaded before, by run 1; it is judged again"] if found else []
    assert remarks(again) == told
    assert load(clinic, FIRST).known


def test_an_inbox_does_not_judge_known_content_again(clinic):
    clinic.load(FIRST)
    changed_contract(clinic)
    assert clinic.load(FIRST).known


def test_known_content_is_not_judged_again_over_later_changes(clinic):
    load(clinic, FIRST, name="first.csv")
    load(clinic, SECOND, name="second.csv")
    changed_contract(clinic)
    assert load(clinic, FIRST, name="first.csv").known


def test_rejected_rows_of_known_content_are_told(clinic):
    load(clinic, FIRST, FIRST.replace("V1", "V2").replace(",A,", ",X,"))
    assert remarks(load(clinic, FIRST, FIRST.replace("V1", "V2").replace(",A,", ",X,"))) == [
        "1 of its rows waits in quarantine"
    ]


def test_content_may_be_loaded_again_when_any_load_of_it_is_undone(clinic):
    load(clinic, FIRST)
    assert counted(load(clinic, FIRST, again=True)) == {"received": 1, "unchanged": 1}
    undo_run(clinic.conn, clinic.workspace, 1)
    assert counted(load(clinic, FIRST)) == {"received": 1, "inserted": 1}
