"""What a report draws, and what it says of its reader."""

from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from daftari.io.marts.mart_reports import Report
from daftari.operations.marts.read_reports import picked_of
from daftari.web.reports import chart_of, own_figures


def report(**changes):
    said = {
        "mart": "spend",
        "pipeline": "expenses",
        "title": "Spend",
        "description": "",
        "chart": "lines",
        "along": "month",
        "value": "spent",
        "columns": dict.fromkeys(["month", "ward", "spent"], ""),
    }
    return Report(**{**said, **changes})


def drawn(of, rows):
    return chart_of(of, rows, ZoneInfo("Africa/Nairobi"))


def said(chart):
    """The titles of what is drawn, in their order."""
    return [it.text for it in ElementTree.fromstring(str(chart)).iter("title")]


JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)


def test_lines_go_along_months_in_their_order_one_for_each_ward():
    rows = [(MARCH, "A", 3), (JANUARY, "B", 1), (JANUARY, "A", 2)]
    assert said(drawn(report(by="ward"), rows)) == ["A, 2026-01: 2", "A, 2026-03: 3", "B, 2026-01: 1"]


def test_without_wards_there_is_one_line():
    assert said(drawn(report(), [(JANUARY, "A", 2), (MARCH, "A", 3)])) == [
        "spent, 2026-01: 2",
        "spent, 2026-03: 3",
    ]


def test_a_label_that_is_no_date_is_whole():
    columns = dict.fromkeys(["quarter", "ward", "spent"], "")
    rows = [("2026, first", "A", 2)]
    assert said(drawn(report(along="quarter", columns=columns), rows)) == ["spent, 2026, first: 2"]


def bars(*rows):
    return drawn(report(chart="bars", along="ward"), list(rows))


def test_bars_are_sums_by_ward_the_largest_first():
    rows = [(JANUARY, "A", 5), (JANUARY, "B", 7), (MARCH, "A", Decimal("4.5")), (MARCH, "C", None)]
    assert said(bars(*rows)) == ["A: 9.5", "B: 7"]


def test_bars_are_the_twenty_largest():
    assert said(bars(*((JANUARY, f"w{at}", at) for at in range(30)))) == [
        f"w{at}: {at}" for at in range(29, 9, -1)
    ]


def test_one_bar_is_compared_with_nothing_and_not_drawn():
    assert bars((JANUARY, "A", 5)) is None
    assert bars() is None


OWN = report(
    along="year",
    value="left",
    per=("year",),
    columns=dict.fromkeys(["user_id", "given", "year", "taken", "left"], ""),
)


def test_own_figures_are_the_latest_three_with_the_figure_that_it_is_about_before_the_others():
    made_at = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [("U2", 21, year, 4, 17) for year in (2024, 2026, 2023, 2025)]
    found = own_figures(OWN, rows, "user_id", made_at)
    assert found.columns == ["year", "left", "given", "taken"]
    assert found.rows == [[2026, 17, 21, 4], [2025, 17, 21, 4], [2024, 17, 21, 4]]
    assert found.made_at == made_at


def test_own_figures_of_nothing_are_none():
    assert own_figures(OWN, [], "user_id", None).rows == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"currency": "KES"}),
        ({"currency": "USD"}, {"currency": "USD"}),
        ({"currency": "EUR"}, {"currency": "KES"}),
        ({"ward": "A"}, {"currency": "KES"}),
    ],
)
def test_what_is_asked_for_is_picked_where_there_is_such_a_value_and_else_the_first(asked, expected):
    assert picked_of({"currency": ["KES", "USD"], "empty": []}, asked) == expected
