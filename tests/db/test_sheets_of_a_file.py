"""Two sheets of one workbook are two contents: each is known, rejected, corrected and replayed by itself."""

from dataclasses import replace

import openpyxl
import pytest
from tests.clinic import HEADER, NOW, counted

from daftari.errors import SourceError
from daftari.io.workspace.files import read_workspace
from daftari.operations.load.load_path import LoadRequest
from daftari.operations.load.preview_file import preview_file
from daftari.operations.quarantine.replay_quarantine import replay_quarantine

MARCH = ["V1,2026-03-01,A,Wanjiku,100.00,", "V2,2026-03-01,Z,Otieno,1.00,"]  # there is no ward Z
APRIL = ["V3,2026-04-01,Z,Akinyi,100.00,", "V4,2026-04-01,A,Mwende,1.00,"]
OTHER_HEADER = HEADER.replace("visit_id", "No").replace("seen_on", "Day").replace("ward", "Unit")


def workbook(clinic, name="visits.xlsx", *, first=HEADER, second=HEADER):
    book = openpyxl.Workbook()
    book.active.title = "March"
    for sheet, head, rows in ((book.active, first, MARCH), (book.create_sheet("April"), second, APRIL)):
        for line in (head, *rows):
            sheet.append([cell or None for cell in line.split(",")])
    book.save(clinic.folder / name)
    return clinic.folder / name


def test_each_sheet_is_known_by_itself_and_rejects_its_own_rows(clinic):
    path = workbook(clinic)

    march = clinic.load_path(path, sheet="March", judges_again=True)
    april = clinic.load_path(path, sheet="2", judges_again=True)

    assert (counted(march), counted(april)) == ({"received": 2, "inserted": 1, "quarantined": 1},) * 2
    assert clinic.open_lines() == [("visits.xlsx", 3), ("visits.xlsx", 2)]
    again = [clinic.load_path(path, sheet=it, judges_again=True) for it in ("march", "April", "1")]
    assert [(it.known, it.run_id) for it in again] == [(True, 1), (True, 2), (True, 1)]


def test_a_replay_reads_the_sheet_that_was_loaded(clinic):
    path = workbook(clinic)
    for sheet in ("March", "April"):
        clinic.load_path(path, sheet=sheet)
    clinic.conn.execute("insert into ops.wards (ward, _run_id) values ('Z', 0)")

    replayed = list(replay_quarantine(clinic.conn, clinic.workspace, "visits", now=NOW))

    assert [counted(it) for it in replayed] == [{"received": 1, "inserted": 1}] * 2
    assert (clinic.keys(), clinic.open_lines()) == ("V1 V2 V3 V4", [])


def test_a_mapping_that_names_another_sheet_meanwhile_leaves_the_rows_of_the_first_in_quarantine(clinic):
    path = workbook(clinic)
    mapping = clinic.folder / "pipelines/clinic/ingest/visits.yaml"
    for sheet in ("March", "April"):
        mapping.write_text(f"dataset: visits\nsheet: {sheet}\n", "utf-8")
        clinic.workspace = read_workspace(clinic.folder)
        clinic.load_path(path, judges_again=True)
    assert clinic.open_lines() == [("visits.xlsx", 3), ("visits.xlsx", 2)]
    clinic.conn.execute("insert into ops.wards (ward, _run_id) values ('Z', 0)")

    for _ in replay_quarantine(clinic.conn, clinic.workspace, "visits", now=NOW):
        pass

    assert (clinic.keys(), clinic.open_lines()) == ("V1 V2 V3 V4", [])


def test_the_sheet_that_is_found_by_its_columns_is_the_same_when_it_is_named(clinic):
    path = workbook(clinic, second=OTHER_HEADER)

    found = clinic.load_path(path, judges_again=True)
    named = clinic.load_path(path, sheet="March", judges_again=True)

    assert (found.known, named.known, named.run_id) == (False, True, 1)


def test_the_sheet_that_is_named_is_the_same_when_it_is_found_by_its_columns(clinic):
    path = workbook(clinic, second=OTHER_HEADER)

    named = clinic.load_path(path, sheet="March", judges_again=True)
    found = clinic.load_path(path, judges_again=True)

    assert (named.known, found.known, found.run_id) == (False, True, 1)


def test_a_preview_knows_the_sheet_that_was_loaded_and_not_the_other(clinic):
    path = workbook(clinic)
    clinic.load_path(path, sheet="March")

    request = LoadRequest(dataset="visits", path=path, sheet="March")
    looks = [
        preview_file(clinic.conn, clinic.workspace, replace(request, sheet=it), now=NOW)
        for it in ("March", "April")
    ]

    assert [it.known for it in looks] == [1, None]


def test_a_sheet_of_a_file_without_sheets_is_refused(clinic):
    path = clinic.file(*MARCH)
    with pytest.raises(SourceError, match=r"visits\.csv: is delimited text, which has no sheets"):
        clinic.load_path(path, sheet="March")
