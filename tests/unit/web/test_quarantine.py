"""Which cells of the grid were changed, and what is told of them afterwards."""

import pytest

from daftari.contract.model import Field, LogicalType
from daftari.operations.quarantine.correct_rows import changed_cells
from daftari.web.quarantine import cells_of, hint, outcome_words


def test_cells_of_the_grid_are_read_by_row_and_field():
    form = {"c.12.fee": "5", "c.12.seen_on": "", "c.7.fee": "x", "c.7.a.b": "y"}
    assert cells_of(form) == {12: {"fee": "5", "seen_on": ""}, 7: {"fee": "x", "a.b": "y"}}


@pytest.mark.parametrize("name", ["_csrf", "which", "c.x.fee", "d.12.fee", "c.-1.fee", "c..fee"])
def test_what_is_no_cell_of_the_grid_is_left_out(name):
    assert cells_of({name: "5"}) == {}


def test_a_cell_is_changed_where_its_text_is_another():
    cells = {"fee": "5", "ward": None, "seen_on": "2026-03-01"}
    assert changed_cells(cells, {"fee": "5", "ward": "", "seen_on": "2026-03-02"}) == {
        "seen_on": "2026-03-02"
    }
    assert changed_cells(cells, {"ward": "A", "fee": ""}) == {"ward": "A", "fee": ""}
    assert changed_cells(cells, {"note": "new"}) == {"note": "new"}
    assert changed_cells(cells, {}) == {}


def test_how_many_rows_came_to_which_end_is_told_from_the_address():
    assert outcome_words(["inserted:2", "quarantined:1"]) == {"inserted": "2", "quarantined": "1"}
    assert outcome_words(["nothing", "a:b:c", ""]) == {}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("date", "2026-03-14"),
        ("timestamp", "2026-03-14T09:30:00Z"),
        ("time", "09:30:00"),
        ("number", "1250.50"),
        ("boolean", "true or false"),
        ("string", ""),
    ],
)
def test_a_cell_says_how_it_is_written(kind, expected):
    assert hint(Field(name="x", logical_type=LogicalType(kind))) == expected
