"""daftari undo at the terminal."""

from __future__ import annotations

import pytest


@pytest.fixture
def loaded(daftari, clinic):
    clinic.load("V1,2026-03-01,A,Wanjiku,10,asthma", "V2,2026-03-02,B,,20,")
    return daftari


def test_a_load_is_undone_after_it_was_looked_at(loaded, clinic):
    assert loaded("undo", "1", "--dry-run").lines == [
        "Would be undone: 2 rows removed, 0 restored. Nothing was changed."
    ]
    assert clinic.keys() == "V1 V2"
    assert loaded("undo", "1").lines == ["Run 1 of visits is undone by run 2: 2 rows removed, 0 restored."]
    assert clinic.keys() == ""


def test_rows_in_the_way_are_counted_and_in_json_named(loaded, clinic):
    clinic.conn.execute("update ops.visits set fee = 11 where visit_id = 'V1'")
    assert loaded("undo", "1", "--dry-run").lines == [
        "1 row of visits changed since: the undo would be refused."
    ]
    assert loaded("undo", "1", "--dry-run", "--output", "json").json["keys"] == [["V1"]]
    said = loaded("undo", "1")
    assert (said.exit_code, said.err.splitlines()[0]) == (
        63, "error: undo: 1 row of run 1 changed or removed since; expected none"
    )  # fmt: skip
