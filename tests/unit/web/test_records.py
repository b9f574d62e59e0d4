"""Addresses of records: filters, sorting, pages; and how cells are read."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from daftari.rows.url_query import VisibleColumn
from daftari.web.records import (
    address,
    narrowed,
    row_address,
    shown_of,
    sorted_by,
    values_of,
    wanted_columns,
    without,
)

ASKED = [("status", "paid"), ("amount.gte", "5"), ("sort", "-amount"), ("after", "abc"), ("purpose", "audit")]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ([("field", "status"), ("operator", "eq"), ("value", "paid")], "?status=paid"),
        ([("field", "status"), ("value", "paid")], "?status=paid"),
        ([("field", "amount"), ("operator", "gte"), ("value", "5")], "?amount.gte=5"),
        ([("field", "note"), ("operator", "starts"), ("value", "")], "?note.starts="),
        ([("field", "note"), ("value", "a&b=c")], "?note=a%26b%3Dc"),
    ],
)
def test_a_filter_of_the_form_becomes_part_of_the_address(form, expected):
    assert narrowed(form) == expected


def test_one_more_filter_keeps_the_others_and_begins_at_the_first_page():
    form = [("field", "ward"), ("operator", "ne"), ("value", "B"), ("format", "csv")]
    assert narrowed([*ASKED, *form]) == "?status=paid&amount.gte=5&sort=-amount&purpose=audit&ward.ne=B"


def test_a_filter_that_is_taken_off_leaves_the_others_and_begins_at_the_first_page():
    twice = [("status", "paid"), *ASKED]
    assert without(ASKED, "status", "paid") == [ASKED[1], ASKED[2], ASKED[4]]
    assert without(twice, "status", "new")[:2] == [("status", "paid"), ("status", "paid")]


def test_an_address_says_what_was_asked_with_what_changes_in_its_place():
    assert address([("a", "1"), ("after", "x")], after="y") == "?a=1&after=y"
    assert address([("a", "1"), ("after", "x")], after=None) == "?a=1"


def test_what_is_for_the_page_does_not_reach_the_rows():
    page = [
        ("purpose", "x"),
        ("field", "a"),
        ("operator", "eq"),
        ("value", "1"),
        ("format", "csv"),
        ("fields", "a"),
    ]
    assert wanted_columns([*page, ("status", "paid"), ("limit", "5")]) == [("status", "paid"), ("limit", "5")]


@pytest.mark.parametrize(
    ("now", "state", "following"),
    [
        ([], "none", "?sort=fee"),
        ([("sort", "ward")], "none", "?sort=fee"),
        ([("sort", "fee")], "ascending", "?sort=-fee"),
        ([("sort", "-fee")], "descending", "?sort=fee"),
        ([("ward", "A"), ("after", "x"), ("sort", "fee")], "ascending", "?ward=A&sort=-fee"),
    ],
)
def test_the_head_of_a_column_turns_its_order_around(now, state, following):
    assert sorted_by(now, "fee") == (state, following)


COLUMNS = [
    VisibleColumn(name="at", type="timestamptz"),
    VisibleColumn(name="fee", type="numeric(10,2)"),
    VisibleColumn(name="note", type="text"),
]


def test_a_cell_keeps_its_digits_and_an_instant_its_zone():
    row = '{"at": "2026-03-01T09:30:00+00:00", "fee": 12.50, "note": "2026-03-01T09:30:00+00:00"}'
    assert values_of(row, COLUMNS) == {
        "at": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        "fee": Decimal("12.50"),
        "note": "2026-03-01T09:30:00+00:00",
    }
    assert str(values_of(row, COLUMNS)["fee"]) == "12.50"


def test_an_instant_that_is_not_known_stays_so():
    assert values_of('{"at": null}', COLUMNS) == {"at": None}


def test_a_row_has_an_address_by_its_key(service):
    expenses = service.datasets["expenses"]
    assert row_address(expenses, {"expense_id": "E 1&2"}, "") == "/records/expenses/row?key=E+1%262"
    assert (
        row_address(expenses, {"expense_id": "E1"}, "audit") == "/records/expenses/row?key=E1&purpose=audit"
    )


@pytest.mark.parametrize(
    ("role", "purpose", "is_shown"),
    [
        ("hr", None, False),
        ("hr", " ", False),
        ("hr", "a claim", True),
        ("employee", None, True),  # sees nobody's but its own
        ("auditor", None, False),
    ],
)
def test_a_restricted_field_is_shown_to_who_says_what_for(page_of, service, role, purpose, is_shown):
    reader = page_of(role).reader(service.datasets["leave_requests"], purpose)
    names = [it.name for it in shown_of(reader)]
    assert ("leave_type" in names) is is_shown
    assert "status" in names


def test_a_restricted_field_that_is_masked_is_shown_masked(page_of, service):
    reader = page_of("auditor").reader(service.datasets["leave_requests"])
    assert "reason" in [it.name for it in shown_of(reader)]
