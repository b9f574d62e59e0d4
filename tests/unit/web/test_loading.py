"""What a form states of a file, which columns were picked by hand, and which files still wait."""

import os
from decimal import Decimal

import pytest
from tests.contracts import contract_of

from daftari.errors import MappingError, UnknownName
from daftari.rows.mapping import FieldSource, Mapping
from daftari.web.loading import sweep, totals_of, with_picks

VISITS = contract_of().dataset


@pytest.mark.parametrize(
    ("form", "rows", "sums"),
    [
        ({}, None, {}),
        ({"rows": "", "sum.fee": " "}, None, {}),
        ({"rows": "1,250"}, 1250, {}),
        ({"rows": " 3 ", "sum.fee": "1,234.50"}, 3, {"fee": Decimal("1234.50")}),
        ({"sum.fee": "-12"}, None, {"fee": Decimal("-12")}),
        ({"_csrf": "12", "fee": "5"}, None, {}),
    ],
)
def test_totals_are_read_as_they_are_stated(form, rows, sums):
    found = totals_of(form, VISITS)
    assert (found.rows, found.sums) == (rows, sums)


@pytest.mark.parametrize(
    ("form", "place"),
    [
        ({"rows": "many"}, "rows"),
        ({"rows": "1.5"}, "rows"),
        ({"sum.fee": "KES 5"}, "fee"),
        ({"sum.fee": "NaN"}, "fee"),
        ({"sum.fee": "Infinity"}, "fee"),
    ],
)
def test_a_total_that_is_no_number_is_refused_by_its_name_and_without_its_text(form, place):
    with pytest.raises(MappingError) as raised:
        totals_of(form, VISITS)
    assert str(raised.value) == f"{place}: the stated total is not a number"


def test_a_total_of_a_field_that_there_is_not_is_refused():
    with pytest.raises(UnknownName):
        totals_of({"sum.cost": "5"}, VISITS)


USUAL = Mapping(
    dataset="visits",
    fields={
        "fee": FieldSource.model_validate({"from": ["Fee"]}),
        "ward": FieldSource.model_validate({"from": ["W"]}),
    },
)


def test_what_nobody_picked_stays_with_the_usual_mapping():
    assert with_picks(USUAL, {}, "visits") is USUAL
    assert with_picks(USUAL, {"m.fee": ""}, "visits") is USUAL
    assert with_picks(None, {"m.fee": ""}, "visits") is None


def test_a_picked_column_takes_the_place_of_the_usual_one():
    found = with_picks(USUAL, {"m.fee": "Amount", "m.note": "Remark"}, "visits")
    assert {name: it.headers for name, it in found.fields.items()} == {
        "fee": ("Amount",),
        "ward": ("W",),
        "note": ("Remark",),
    }
    assert found.name == "picked by hand"


def test_a_picked_column_keeps_how_the_field_is_written():
    usual = Mapping(
        dataset="visits",
        fields={"seen_on": FieldSource.model_validate({"from": ["A"], "format": "dd/MM/yyyy"})},
    )
    found = with_picks(usual, {"m.seen_on": "B"}, "visits").fields["seen_on"]
    assert (found.headers, found.format) == (("B",), ("dd/MM/yyyy",))


def test_a_picked_column_takes_the_place_of_a_constant():
    usual = Mapping(dataset="visits", fields={"ward": FieldSource.model_validate({"constant": "A"})})
    found = with_picks(usual, {"m.ward": "Ward"}, "visits").fields["ward"]
    assert (found.headers, found.constant) == (("Ward",), None)


def test_columns_are_picked_where_there_is_no_usual_mapping():
    found = with_picks(None, {"m.fee": "Amount"}, "visits")
    assert (found.dataset, list(found.fields)) == ("visits", ["fee"])


def test_a_file_waits_for_an_hour(tmp_path):
    for name, age in (("new", 0), ("at", 3600), ("old", 3601)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.csv").write_text("x")
        os.utime(tmp_path / name, (10_000 - age, 10_000 - age))
    sweep(tmp_path, 10_000)
    assert sorted(it.name for it in tmp_path.iterdir()) == ["at", "new"]
    sweep(tmp_path / "nothing", 10_000)
