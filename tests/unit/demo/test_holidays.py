from __future__ import annotations

from datetime import date

import pytest

from daftari.demo.organisation.holidays import is_working_day, months, working_days_between


@pytest.mark.parametrize(
    ("day", "works", "why"),
    [
        (date(2026, 4, 3), False, "Good Friday"),
        (date(2026, 4, 7), True, "the Tuesday after Easter"),
        (date(2025, 6, 1), False, "Madaraka Day, a Sunday"),
        (date(2025, 6, 2), False, "the Monday on which it is kept"),
        (date(2026, 10, 20), False, "Mashujaa Day"),
        (date(2026, 10, 24), False, "a Saturday"),
    ],
)
def test_public_holidays_and_weekends_are_not_worked(day, works, why):
    assert is_working_day(day) is works, why


def test_a_week_with_a_holiday_has_four_working_days():
    assert working_days_between(date(2026, 10, 19), date(2026, 10, 25)) == 4


def test_the_files_span_24_months():
    first, *_, last = months()

    assert (first, last) == (date(2024, 11, 1), date(2026, 10, 1))
    assert len([*months()]) == 24
