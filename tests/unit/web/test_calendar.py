"""Which days a calendar shows, and of which rows."""

from datetime import date

import pytest
from tests.contracts import contract_of, field

from daftari.web.calendar import Span, blocking_rows, calendar_columns, days_of, month_of, spans_of

TODAY = date(2026, 3, 14)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        # what is no month is this one
        ("", date(2026, 3, 1), date(2026, 3, 31)),
        ("2026-13", date(2026, 3, 1), date(2026, 3, 31)),
        ("2026-00", date(2026, 3, 1), date(2026, 3, 31)),
        ("1999-12", date(2026, 3, 1), date(2026, 3, 31)),
        ("2026-02-03", date(2026, 3, 1), date(2026, 3, 31)),
        ("' or 1=1", date(2026, 3, 1), date(2026, 3, 31)),
    ],
)
def test_the_month_that_is_asked_for_is_shown_from_its_first_to_its_last_day(asked, first, last):
    assert month_of(asked, TODAY) == (first, last)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (10, 12, [10, 11, 12]),
        (10, 10, [10]),
        (-3, 2, [1, 2]),  # began in the month before
        (30, 35, [30, 31]),  # goes on in the month after
        (-3, 40, list(range(1, 32))),
    ],
)
def test_a_span_is_shown_on_its_days_within_the_month_and_on_no_other(start, end, expected):
    first = date(2026, 3, 1)
    start, end = (date.fromordinal(first.toordinal() + it - 1) for it in (start, end))
    found = days_of(Span(start=start, end=end, state="taken", key="1"), first, date(2026, 3, 31))
    assert found == [date(2026, 3, it) for it in expected]


def away(*, unless=None, access=(), approval=None):
    """A contract of who is away when."""
    text = {"logicalType": "string", "required": True}
    fields = [
        {"name": "visit_id", **text, "primaryKey": True},
        field("who", "string", required=True),
        field("first", "date", required=True),
        field("last", "date", required=True),
        field("status", "string"),
    ]
    overlap = {"key": ["who"], "start": "first", "end": "last"} | ({"unless": unless} if unless else {})
    custom = {"noOverlap": overlap, "access": list(access), "subject": "who"}
    if approval:
        custom["approval"] = approval
    return contract_of(fields=fields, custom=custom).dataset


def row(number, who, status="approved", first="2026-03-02", last="2026-03-03"):
    return {"visit_id": f"L{number}", "who": who, "first": first, "last": last, "status": status}


def test_a_row_that_keeps_nobody_away_is_left_out():
    rows = [row(1, "U1"), row(2, "U2", "rejected"), row(3, "U3", "cancelled"), row(4, "U4", None)]
    found = blocking_rows(away(unless="status in ('rejected', 'cancelled')"), rows, TODAY)
    assert [it["visit_id"] for it in found] == ["L1", "L4"]


def test_every_row_counts_where_the_contract_makes_no_exception():
    rows = [row(1, "U1", "rejected")]
    assert blocking_rows(away(), rows, TODAY) == rows
    assert blocking_rows(away(unless="status = 'rejected'"), [], TODAY) == []


def test_spans_are_by_person_in_the_order_of_their_names():
    found = spans_of(
        away(), [row(2, "U9"), row(1, "U1"), row(3, "U9", first="2026-03-20", last="2026-03-21")]
    )
    assert list(found) == ["U1", "U9"]
    assert found["U1"] == [Span(start=date(2026, 3, 2), end=date(2026, 3, 3), state="taken", key="L1")]
    assert [(it.start.day, it.end.day) for it in found["U9"]] == [(2, 3), (20, 21)]


def test_a_span_has_the_state_of_its_request():
    steps = [{"from": "requested", "to": "approved", "roles": ["hr"]}]
    dataset = away(approval={"field": "status", "begins": "requested", "steps": steps})
    assert spans_of(dataset, [row(1, "U1", "requested")])["U1"][0].state == "requested"


@pytest.mark.parametrize(
    ("line", "has"),
    [
        ({}, True),
        ({"fields": ["visit_id", "who", "first", "last", "status"]}, True),
        ({"masked": ["who"]}, True),  # whose days they are may be masked; the days may not
        ({"masked": ["last"]}, False),
        ({"masked": ["first"]}, False),
        ({"fields": ["visit_id", "who", "first", "status"]}, False),
        ({"fields": ["visit_id", "first", "last", "status"]}, False),
        ({"fields": ["visit_id", "who", "first", "last"]}, False),  # whether it counts is not seen
    ],
)
def test_a_calendar_needs_every_column_that_it_is_drawn_from(line, has):
    access = [{"role": "nurse", "operations": ["read"], "rows": "all", **line}]
    dataset = away(unless="status = 'rejected'", access=access)
    expected = ["who", "first", "last", "status", "visit_id"] if has else None
    assert calendar_columns(dataset, "nurse") == expected
    assert calendar_columns(dataset, "stranger") is None


def test_a_dataset_without_spans_has_no_calendar():
    access = [{"role": "nurse", "operations": ["read"], "rows": "all"}]
    assert calendar_columns(contract_of(custom={"access": access}).dataset, "nurse") is None
