"""Kenya's public holidays and working days, for the years of the demo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

#: First and last month of the files, each as its first day.
FIRST_MONTH, LAST_MONTH = date(2024, 11, 1), date(2026, 10, 1)

#: Public Holidays Act (Cap. 110), first schedule: the same day every year.
_FIXED = (
    (1, 1),  # New Year
    (5, 1),  # Labour Day
    (6, 1),  # Madaraka Day
    (10, 10),  # Mazingira Day
    (10, 20),  # Mashujaa Day
    (12, 12),  # Jamhuri Day
    (12, 25),  # Christmas
    (12, 26),  # Utamaduni Day
)
#: Good Friday, Easter Monday, Idd-ul-Fitr and Idd-ul-Azha; the last two by the moon.
_MOVING = (
    date(2025, 4, 18), date(2025, 4, 21), date(2025, 3, 31), date(2025, 6, 6),
    date(2026, 4, 3), date(2026, 4, 6), date(2026, 3, 20), date(2026, 5, 27),
)  # fmt: skip


@cache
def holidays() -> frozenset[date]:
    """Move a holiday on a Sunday to the next day that is not a holiday (Cap. 110, s. 4)."""
    kept = set(_MOVING)
    for year in range(FIRST_MONTH.year, LAST_MONTH.year + 1):
        for month, day in _FIXED:
            falls_on = date(year, month, day)
            while falls_on.weekday() == 6 or falls_on in kept:
                falls_on += timedelta(days=1)
            kept.add(falls_on)
    return frozenset(kept)


def is_working_day(day: date) -> bool:
    return day.weekday() < 5 and day not in holidays()


def working_days_between(start: date, end: date) -> int:
    """Count the working days from *start* to *end*, both included."""
    return sum(is_working_day(start + timedelta(days=n)) for n in range((end - start).days + 1))


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months() -> Iterator[date]:
    """Yield the first day of each month of the files."""
    month = FIRST_MONTH
    while month <= LAST_MONTH:
        yield month
        month = next_month(month)
