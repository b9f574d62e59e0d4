"""How values are written on pages."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from jinja2 import UndefinedError

from daftari.api.service import Service
from daftari.web.routes import pages_of


@pytest.fixture
def shown(pages):
    """Write a value by a filter of the pages."""

    def by(name, it):
        return pages.from_string(f"{{{{ it | {name} }}}}").render(it=it)

    return by


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # UTC is three hours behind Nairobi: the evening of one day is the night of the next
        (datetime(2026, 2, 28, 20, 59, tzinfo=UTC), "28 Feb 2026, 23:59"),
        (datetime(2026, 2, 28, 21, 0, tzinfo=UTC), "1 Mar 2026, 00:00"),
        (datetime(2026, 12, 31, 22, 30, tzinfo=UTC), "1 Jan 2027, 01:30"),
        (None, "never"),
    ],
)
def test_a_timestamp_is_shown_in_the_workspaces_time_zone(shown, at, expected):
    assert shown("moment", at) == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Warsaw", "28 Feb 2026, 23:30"),
        ("America/Bogota", "28 Feb 2026, 17:30"),
        ("UTC", "28 Feb 2026, 22:30"),
    ],
)
def test_a_workspace_elsewhere_shows_the_time_of_there(service, zone, expected):
    settings = service.settings.model_copy(update={"time_zone": zone})
    page = pages_of(Service(settings, service.workspace)).from_string("{{ it | moment }} {{ it | value }}")
    assert page.render(it=datetime(2026, 2, 28, 22, 30, tzinfo=UTC)) == f"{expected} {expected}"


def test_a_timestamp_in_a_cell_is_shown_in_the_workspaces_time_zone(shown):
    assert shown("value", datetime(2026, 2, 28, 21, 5, tzinfo=UTC)) == "1 Mar 2026, 00:05"


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        (timedelta(seconds=-90), "a moment"),  # two clocks, a little apart
        (timedelta(seconds=0), "a moment"),
        (timedelta(seconds=59), "a moment"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(seconds=119), "1 min"),
        (timedelta(seconds=120), "2 min"),
        (timedelta(seconds=3_599), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(seconds=2 * 3_600 - 1), "1 h"),
        (timedelta(hours=2), "2 h"),
        (timedelta(seconds=86_399), "23 h"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=2) - timedelta(seconds=1), "1 d"),
        (timedelta(days=2), "2 d"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_how_long_ago_is_said_in_whole_units_of_the_largest_that_fits(shown, between, expected):
    assert shown("ago", between) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (-1_234_567, "-1,234,567"),
        (Decimal("1234.50"), "1,234.50"),
        (1234.5, "1,234.5"),
        (0.1, "0.1"),
    ],
)
def test_a_number_has_commas_and_the_digits_that_it_has(shown, number, expected):
    assert shown("count", number) == expected
    assert shown("value", number) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, "\u2013"),
        ("", "\u2013"),
        (False, "no"),
        (True, "yes"),
        (date(2026, 3, 1), "2026-03-01"),
        ("Wanjiku", "Wanjiku"),
        ("1234", "1234"),  # text, whatever it looks like
        (["a", 1], "[&#39;a&#39;, 1]"),
    ],
)
def test_a_cell_is_written_by_what_it_is(shown, cell, expected):
    assert shown("value", cell) == expected


def test_a_day_is_written_with_the_name_of_its_month(shown):
    assert shown("day", date(2026, 3, 1)) == "1 Mar 2026"


def test_a_name_is_written_in_words(shown):
    assert shown("words", "leave_requests") == "leave requests"


def test_what_comes_from_a_row_is_text_on_every_page(shown):
    assert shown("value", "<script>") == "&lt;script&gt;"


def test_a_page_that_names_what_is_not_there_fails(pages):
    with pytest.raises(UndefinedError):
        pages.from_string("{{ nothing }}").render()
