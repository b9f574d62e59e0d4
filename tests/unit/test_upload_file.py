"""What a form states of a file, which columns were picked by hand, and which files still wait."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.contracts import contract_of

from daftari.contract.access.caller import Caller
from daftari.errors import AccessRefused, MappingError, QueryRefused, UnknownName
from daftari.io.files import waiting_uploads
from daftari.operations.load.upload_file import begin_upload, find_upload, place_of, totals_of, with_picks
from daftari.rows.mapping.mapping import FieldSource, Mapping

VISITS = contract_of().dataset
SENT = contract_of(custom={"access": [{"role": "nurse", "operations": ["insert"], "rows": "all"}]}).dataset


@pytest.mark.parametrize(
    ("form", "rows", "sums"),
    [
        ({}, None, {}),
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
        ({"rows": ""}, "rows"),
        ({"sum.fee": " "}, "fee"),
        ({"rows": "1.5"}, "rows"),
        ({"sum.fee": "KES 5"}, "fee"),
        ({"sum.fee": "NaN"}, "fee"),
        ({"sum.fee": "Infinity"}, "fee"),
        ({"sum.fee": "1e999999999"}, "fee"),  # a message with all its digits would fill the memory
        ({"rounding.fee": "1e999999999"}, "fee"),
        ({"rows": "1e999999999"}, "rows"),
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
    assert with_picks(USUAL, {"fee": ""}, "visits") is USUAL
    assert with_picks(None, {"fee": ""}, "visits") is None


def test_a_picked_column_takes_the_place_of_the_usual_one():
    found = with_picks(USUAL, {"fee": "Amount", "note": "Remark"}, "visits")
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
    found = with_picks(usual, {"seen_on": "B"}, "visits").fields["seen_on"]
    assert (found.headers, found.format) == (("B",), ("dd/MM/yyyy",))


def test_a_picked_column_takes_the_place_of_a_constant():
    usual = Mapping(dataset="visits", fields={"ward": FieldSource.model_validate({"constant": "A"})})
    found = with_picks(usual, {"ward": "Ward"}, "visits").fields["ward"]
    assert (found.headers, found.constant) == (("Ward",), None)


def test_columns_are_picked_where_there_is_no_usual_mapping():
    found = with_picks(None, {"fee": "Amount"}, "visits")
    assert (found.dataset, list(found.fields)) == ("visits", ["fee"])


def waiting(folder, name="march.csv"):
    path = waiting_uploads.begin_waiting_upload(folder, ("amina", "visits"), name)
    path.write_text("x")
    return path


def test_a_file_is_found_by_its_owner_and_for_its_dataset_alone(tmp_path):
    path = waiting(tmp_path)
    place = waiting_uploads.place_of(path)

    assert waiting_uploads.find_waiting_upload(tmp_path, ("amina", "visits"), place) == path
    for owner, where in (
        (("otieno", "visits"), place),
        (("amina", "wards"), place),
        (("amina", "visits"), "A" * 32),
        (("amina", "visits"), f"../{tmp_path.name}/{place}"),
        (("amina", "visits"), ""),
    ):
        assert waiting_uploads.find_waiting_upload(tmp_path, owner, where) is None


def test_nobody_else_on_the_machine_may_look_into_where_a_file_waits(tmp_path):
    path = waiting(tmp_path)
    assert [stat.S_IMODE(it.stat().st_mode) for it in (path.parent, path.parent.parent)] == [0o700, 0o700]


def test_a_file_that_was_removed_is_not_found_and_may_be_removed_again(tmp_path):
    path = waiting(tmp_path)
    for _ in range(2):
        waiting_uploads.remove(path)
        assert list(tmp_path.iterdir()) == []
    assert (
        waiting_uploads.find_waiting_upload(tmp_path, ("amina", "visits"), waiting_uploads.place_of(path))
        is None
    )


def test_a_file_waits_for_an_hour_after_it_was_written(tmp_path):
    now = datetime.fromtimestamp(10_000, UTC)
    for name, age_of_place, age_of_file in (
        ("new", 0, 0),
        ("at", 3600, 3600),
        ("old", 3601, 3601),
        ("still written", 9000, 5),
    ):
        path = waiting(tmp_path, name)
        os.utime(path, (10_000 - age_of_file, 10_000 - age_of_file))
        os.utime(path.parent.parent, (10_000 - age_of_place, 10_000 - age_of_place))

    waiting_uploads.sweep(tmp_path, now)

    assert sorted(it.name for it in tmp_path.glob("*/file/*")) == ["at", "new", "still written"]
    waiting_uploads.sweep(tmp_path / "nothing", now)


NURSE = Caller(name="amina", role="nurse")


def test_a_sweep_is_not_disturbed_by_others_who_finish_their_uploads(tmp_path):
    def upload(number):
        for _ in range(50):
            waiting_uploads.sweep(tmp_path, datetime.now(UTC))
            path = waiting_uploads.begin_waiting_upload(tmp_path, (f"caller {number}", "visits"), "march.csv")
            path.write_text("visit_id\n")
            waiting_uploads.remove(path)
        return number

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(upload, range(8))) == list(range(8))


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "a/b.csv", "x\0.csv", "-x.csv", "a" * 121, "http://a"]
)
def test_a_name_that_is_no_file_of_ours_is_refused_before_anything_is_kept(tmp_path, name):
    with pytest.raises(QueryRefused):
        begin_upload(tmp_path, SENT, NURSE, name, now=datetime.now(UTC))
    assert list(tmp_path.iterdir()) == []


def test_who_may_insert_nothing_has_no_file_taken_in(tmp_path):
    for caller in (replace(NURSE, role="porter"), replace(NURSE, writes=False)):
        with pytest.raises(AccessRefused):
            begin_upload(tmp_path, SENT, caller, "march.csv", now=datetime.now(UTC))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_taken_in_is_its_senders(tmp_path):
    path = begin_upload(tmp_path, SENT, NURSE, "march (2).csv", now=datetime.now(UTC))
    path.write_text("x")
    place = place_of(path)

    assert find_upload(tmp_path, SENT, NURSE, place) == path
    with pytest.raises(AccessRefused, match="no longer waits here"):
        find_upload(tmp_path, SENT, replace(NURSE, name="otieno"), place)
