"""The default quarter and deadline of a review."""

from datetime import date

import pytest

from daftari.errors import SettingError
from daftari.operations.review.start_review import ReviewPeriod

NEW_YEAR = date(2027, 1, 1)


@pytest.mark.parametrize(
    ("quarter", "deadline", "today", "expected"),
    [
        (None, None, date(2026, 3, 31), ("2026q1", date(2026, 4, 14))),
        (None, None, date(2026, 4, 1), ("2026q2", date(2026, 4, 15))),
        (None, None, date(2026, 11, 28), ("2026q4", date(2026, 12, 12))),
        (None, None, NEW_YEAR, ("2027q1", date(2027, 1, 15))),
        ("2026Q3", None, NEW_YEAR, ("2026q3", date(2027, 1, 15))),
        (None, date(2027, 2, 1), NEW_YEAR, ("2027q1", date(2027, 2, 1))),
    ],
)
def test_a_review_is_for_the_current_quarter_and_two_weeks_unless_told(quarter, deadline, today, expected):
    period = ReviewPeriod.of(quarter, deadline, today=today)
    assert (period.quarter, period.deadline) == expected


@pytest.mark.parametrize("said", ["", "q4", "2026", "2026q0", "2026q5", "26q4", "autumn", "2026q4q4"])
def test_what_is_no_quarter_is_refused(said):
    with pytest.raises(SettingError, match="is not a quarter; expected one such as 2026q4"):
        ReviewPeriod.of(said, None, today=NEW_YEAR)
