"""Working days: not weekends or public holidays, which the `holidays` library lists by country."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays

from daftari.errors import SettingError

_MOST_DAYS = 3 * 366


@lru_cache(maxsize=8)
def _calendar(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)


def require_country(country: str) -> None:
    """Raise SettingError if the public holidays of *country* (ISO 3166) are unknown."""
    if country not in holidays.list_supported_countries():
        raise SettingError(
            f"DAFTARI_COUNTRY: found {country!r}; expected the two-letter code of a country whose "
            "public holidays are known, such as KE"
        )


def working_days(start: date, end: date, country: str) -> int:
    """
    Count the working days from *start* to *end*, both included, of at most three years.

    Holidays that depend on the moon are the library's estimates until they are gazetted.
    """
    calendar = _calendar(country)
    days = min((end - start).days + 1, _MOST_DAYS)
    return sum(calendar.is_working_day(start + timedelta(days=at)) for at in range(days))


def days_off(start: date, end: date, country: str) -> dict[date, str]:
    """Return the weekends and public holidays from *start* to *end*, each with its name."""
    calendar = _calendar(country)
    every = [start + timedelta(days=at) for at in range(min((end - start).days + 1, _MOST_DAYS))]
    return {it: calendar.get(it) or "weekend" for it in every if not calendar.is_working_day(it)}
