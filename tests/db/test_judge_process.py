"""A file judged in a process of its own ends as one that is judged here, and so does whatever goes wrong with it."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

import pytest
from tests import sealed_clinic
from tests.clinic import NOW, Clinic, apply_workspace, counted, write_workspace

from daftari.errors import KeysUnavailable, SourceError
from daftari.operations.load import judge_process
from daftari.operations.load.judge_process import JudgedFile, JudgeFault, JudgeLost, started_judge
from daftari.operations.load.load_path import LoadRequest, load_path

#: Of each ten rows one is refused, one came long before, one comes twice; several blocks of them.
KEYS = [
    at - 25_000 if at % 10 == 3 else at - at % 10 if at % 10 == 5 else at for at in range(25_000, 125_000)
]
ROWS = [
    f"V{key},2026-03-{key % 28 + 1:02},{'X' if key % 10 == 7 else 'A'},Wanjiku,{at % 1000}.50,a note"
    for at, key in enumerate(KEYS)
]
EVERYTHING = """
    select
        (select md5(string_agg(v::text, ';' order by visit_id)) from
            (select visit_id, seen_on, ward, patient, fee, notes from ops.visits) v),
        (select md5(string_agg(q::text, ';' order by line)) from
            (select line, reasons, preview, key from daftari.quarantine) q),
        (select digest from daftari.audit_entry where operation in ('insert', 'merge') and run_id is not null)
"""


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(judge_process, "LEAST_BYTES", 0)


@contextmanager
def child_for(clinic, path):
    with started_judge(path) as child:
        if child is not None:
            child.prepare(JudgedFile(root=clinic.folder, dataset="visits", path=path))
        yield child


def load_apart(clinic, path, **said):
    with child_for(clinic, path) as child:
        request = LoadRequest(dataset="visits", path=path, judge=child, **said)
        return load_path(clinic.conn, clinic.workspace, request, now=NOW)


def test_a_file_of_several_blocks_ends_the_same_judged_here_and_apart(clinic, new_clinic):
    path = clinic.file(*ROWS)
    assert path.stat().st_size > 4 * 2**20, "several blocks"
    here = clinic.load_path(path)

    with new_clinic() as other:
        loaded = load_apart(other, path)

        assert vars(loaded.counts) == vars(here.counts)
        assert loaded.reasons == here.reasons
        found = other.conn.execute(EVERYTHING, prepare=False).fetchone()
        assert found == clinic.conn.execute(EVERYTHING, prepare=False).fetchone()


def test_a_file_that_cannot_be_read_is_refused_in_the_same_words(clinic):
    path = clinic.file("V1,2026-03-01,A,Wanjiku,1,", '"V2,2026-03-01,A,Otieno,1,', *ROWS[:9])
    with pytest.raises(SourceError) as here:
        clinic.load_path(path)

    with pytest.raises(SourceError) as there:
        load_apart(clinic, path)

    assert (str(there.value), there.value.hint) == (str(here.value), here.value.hint)


def test_a_file_that_shows_another_style_late_is_read_again_here(clinic):
    early = [f"V{at},2026-03-01,A,Wanjiku,1,a note" for at in range(100_000, 210_000)]
    assert sum(map(len, early)) > 3 * 2**20, "the first block has one style only"

    late = [f"V{day},{day}/03/2026,A,,1," for day in range(10, 32)]

    loaded = load_apart(clinic, clinic.file(*early, *late))

    assert counted(loaded) == {"received": 110_022, "inserted": 110_022}


def test_a_row_refused_by_what_no_rule_foresaw_is_refused_alone(clinic):
    clinic.conn.execute("alter table ops.visits add check (fee <> 13)")

    loaded = load_apart(
        clinic, clinic.file("V1,2026-03-01,A,,1,", "V2,2026-03-01,A,,13,", "V3,2026-03-01,A,,2,")
    )

    assert counted(loaded) == {"received": 3, "inserted": 2, "quarantined": 1}
    assert clinic.open_lines() == [("visits.csv", 3)]


def test_when_the_child_dies_nothing_is_loaded_and_it_may_be_loaded_again(clinic):
    path = clinic.file(*ROWS)
    with child_for(clinic, path) as child:
        os.kill(child._child.pid, signal.SIGKILL)
        request = LoadRequest(dataset="visits", path=path, judge=child)
        with pytest.raises(JudgeLost, match=r"ended \(signal 9\) before the file did; nothing was loaded"):
            load_path(clinic.conn, clinic.workspace, request, now=NOW)

    assert clinic.rows() == []
    assert clinic.runs("status", "error_code") == [("refused", "judge_lost")]
    assert load_apart(clinic, path).counts.inserted > 0


def test_a_fault_of_ours_in_the_child_names_places_in_the_code_and_no_data(clinic, monkeypatch):
    # A value that the program makes: Python 3.13 shows the text of a program that was given by -c.
    name = f"bytes.fromhex('{b'Wanjiku'.hex()}').decode()"
    spoilt = f"judge_process_child.take_in = lambda *_: [1 / 0 for _ in {name}]; judge_process_child.main()"
    program = judge_process._program().replace("judge_process_child.main()", spoilt)
    monkeypatch.setattr(judge_process, "_program", lambda: program)
    path = clinic.file("V1,2026-03-01,A,Wanjiku,1,")

    with pytest.raises(JudgeFault) as raised:
        load_apart(clinic, path)

    said = "".join(raised.value.frames) + str(raised.value)
    assert "judge_process_child.py" in said
    assert raised.value.kind == "ZeroDivisionError"
    assert "Wanjiku" not in said


def test_the_child_is_gone_when_nobody_needs_it(clinic):
    path = clinic.file("V1,2026-03-01,A,,1,")
    with child_for(clinic, path) as child:
        pid = child._child.pid

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_standard_input_and_small_files_have_no_child(clinic, monkeypatch):
    monkeypatch.setattr(judge_process, "LEAST_BYTES", 1000)
    for path in (clinic.file("V1,2026-03-01,A,,1,"), clinic.folder / "absent.csv", judge_process.Path("-")):
        with child_for(clinic, path) as child:
            assert child is None


def test_a_dataset_whose_rows_tell_which_is_refused_is_judged_here(clinic):
    workspace = write_workspace(clinic.folder, conflict="reject")
    apply_workspace(clinic.conn, workspace)
    contradicting = Clinic(workspace=workspace, conn=clinic.conn, url=clinic.url)
    contradicting.load("V1,2026-03-01,A,,1,")

    loaded = load_apart(contradicting, clinic.file("V1,2026-03-01,A,,2,", "V2,2026-03-01,A,,2,"))

    assert counted(loaded) == {"received": 2, "inserted": 1, "quarantined": 1}


def test_a_file_with_sealed_fields_is_sealed_apart(db, database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    plain = [{k: v for k, v in it.items() if k != "unique"} for it in sealed_clinic.FIELDS]
    clinic = sealed_clinic.open_sealed_clinic(db, database_url, tmp_path, fields=plain)
    rows = [f"V{at},2026-03-01,A,P{at % 50},+2547{at:08},{at % 400},note {at}" for at in range(3000)]
    path = clinic.file(*rows, header=sealed_clinic.HEADER)
    file = JudgedFile(
        root=clinic.folder, dataset="visits", path=path, settings=sealed_clinic.settings_of(clinic.folder)
    )
    with started_judge(path) as child:
        child.prepare(file)
        request = LoadRequest(dataset="visits", path=path, judge=child)
        loaded = load_path(clinic.conn, clinic.workspace, request, now=NOW)
    assert counted(loaded) == {"received": 3000, "inserted": 3000}
    assert sealed_clinic.opened(clinic)[9] == ("V1005", "P5", "+254700001005", "205.00", "note 1005")
    here = load_path(
        clinic.conn, clinic.workspace, LoadRequest(dataset="visits", path=path, again=True), now=NOW
    )
    assert counted(here) == {"received": 3000, "unchanged": 3000}


def test_a_child_without_a_key_store_seals_nothing_and_says_so(db, database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    plain = [{k: v for k, v in it.items() if k != "unique"} for it in sealed_clinic.FIELDS]
    clinic = sealed_clinic.open_sealed_clinic(db, database_url, tmp_path, fields=plain)
    path = clinic.file("V1,2026-03-01,A,P1,+254700000001,1,", header=sealed_clinic.HEADER)
    with child_for(clinic, path) as child, pytest.raises(KeysUnavailable, match="no key store was given"):
        load_path(
            clinic.conn, clinic.workspace, LoadRequest(dataset="visits", path=path, judge=child), now=NOW
        )
    assert clinic.rows() == []
