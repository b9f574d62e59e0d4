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


#: Rules count the public holidays of these years; a date outside them is judged by weekends alone.
_YEARS = range(2000, 2051)


def is_country(country: str) -> bool:
    return country in holidays.list_supported_countries()


@lru_cache(maxsize=8)
def holidays_of(country: str) -> tuple[date, ...]:
    """Return the public holidays of *country* outside weekends, from 2000 to 2050."""
    found = holidays.country_holidays(country, years=_YEARS)
    return tuple(sorted(day for day in found if day.weekday() not in found.weekend))


def weekend_of(country: str) -> tuple[int, ...]:
    """Return the days of the weekend, Monday 0."""
    return tuple(sorted(_calendar(country).weekend))


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
