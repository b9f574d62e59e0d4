"""A table without a key cannot tell a corrected file from new rows: a load that would double rows says so."""

from __future__ import annotations

import pytest
from tests.clinic import VISITS, counted

from daftari.errors import RowsRepeated
from daftari.operations.audit.undo_run import undo_run

WITHOUT_KEY = [{**VISITS[0], "primaryKey": False}, *VISITS[1:]]
FIRST = ["V1,2026-03-01,A,Wanjiku,100,x"] * 3 + ["V2,2026-03-02,B,Otieno,20,"]
CORRECTED = [*FIRST[:3], "V2,2026-03-02,B,Atieno,20,"]
NEW = ["V3,2026-03-03,C,,1,", "V4,2026-03-03,C,,1,", "V5,2026-03-03,C,,1,"]


@pytest.fixture
def keyless(new_clinic):
    with new_clinic(visits=WITHOUT_KEY) as opened:
        yield opened


def remarks(loaded):
    return [str(one) for one in loaded.remarks if one.kind == "repeated_rows"]


def test_equal_rows_of_one_file_are_all_loaded(keyless):
    loaded = keyless.load(*FIRST)
    assert counted(loaded) == {"received": 4, "inserted": 4}
    assert remarks(loaded) == []


def test_a_file_whose_rows_are_mostly_there_is_refused_with_the_earlier_run(keyless):
    first = keyless.load(*FIRST)

    with pytest.raises(RowsRepeated) as raised:
        keyless.load(*CORRECTED, name="corrected.csv")

    assert str(raised.value) == (
        "corrected.csv: 3 of 4 rows are in visits already, word for word, from run 1 (3 rows); it has no key;"
        " expected rows that are new"
    )
    assert "daftari undo 1" in raised.value.hint
    assert "Wanjiku" not in str(raised.value) + raised.value.hint
    assert len(keyless.rows()) == 4
    assert keyless.runs("status", "error_code")[1] == ("refused", "rows_repeated")

    undo_run(keyless.conn, keyless.workspace, first.run_id)
    assert counted(keyless.load(*CORRECTED, name="corrected.csv")) == {"received": 4, "inserted": 4}


def test_it_is_loaded_on_purpose_and_the_load_says_so(keyless):
    keyless.load(*FIRST)
    loaded = keyless.load(*CORRECTED, name="corrected.csv", again=True)
    assert counted(loaded) == {"received": 4, "inserted": 4}
    assert remarks(loaded) == [
        "3 of 4 rows are in visits already, word for word, from run 1 (3 rows); it has no key"
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (NEW, []),
        (
            [FIRST[0], *NEW],
            ["1 of 4 rows are in visits already, word for word, from run 1 (3 rows); it has no key"],
        ),
    ],
)
def test_a_file_of_which_few_rows_are_there_is_loaded(keyless, rows, said):
    keyless.load(*FIRST)
    assert remarks(keyless.load(*rows, name="april.csv")) == said


def test_rows_that_differ_in_one_value_are_not_the_same(keyless):
    keyless.load("V1,2026-03-01,A,,100,", "V2,2026-03-01,A,,,")
    loaded = keyless.load("V1,2026-03-01,A,,100.01,", "V2,2026-03-01,A,,0,", name="other.csv")
    assert (counted(loaded), remarks(loaded)) == ({"received": 2, "inserted": 2}, [])


def test_a_table_with_a_key_has_no_such_rows(clinic):
    clinic.load("V1,2026-03-01,A,,100,")
    loaded = clinic.load("V1,2026-03-01,A,,100,", again=True)
    assert (counted(loaded), remarks(loaded)) == ({"received": 1, "unchanged": 1}, [])
