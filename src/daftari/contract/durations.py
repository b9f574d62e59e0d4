"""Durations in contracts. Pages, dbt and retention all use this parser."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from decimal import Decimal

#: The accepted forms, for messages.
EXPECTED = (
    "a number above 0 and one of min, h, d, w, month or y, as in 36 h, or an ISO 8601 duration, as in PT36H"
)

_NUMBER = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*([a-z]+)", re.IGNORECASE)
_ISO = re.compile(
    r"P(?:(?P<y>[0-9]{1,6})Y)?(?:(?P<month>[0-9]{1,6})M)?(?:(?P<w>[0-9]{1,6})W)?(?:(?P<d>[0-9]{1,6})D)?"
    r"(?:T(?=[0-9])(?:(?P<h>[0-9]{1,6})H)?(?:(?P<min>[0-9]{1,6})M)?)?",
    re.IGNORECASE,
)
_YEAR = Decimal("365.25")
_DAYS = {
    "min": 1 / Decimal(24 * 60),
    "h": 1 / Decimal(24),
    "d": Decimal(1),
    "w": Decimal(7),
    "month": _YEAR / 12,
    "y": _YEAR,
}
#: ODCS names d, day, days, y, yr and years, and leaves the others to "the ISO standard", whose m is a month.
_SPELLINGS = {
    "min": ("min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "wk", "week", "weeks"),
    "month": ("m", "mo", "mon", "month", "months"),
    "y": ("y", "yr", "yrs", "year", "years"),
}
_UNITS = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}


def duration(text: str) -> timedelta:
    """
    Return the duration that *text* states: `2 d`, `36 hours`, `18m`, `P1DT12H`.

    A year counts 365.25 days and a month a twelfth of that; a length that has either is rounded up to whole days.

    Raises:
        ValueError: it is not a duration, is 0, or is not a whole number of minutes.
    """
    parts = _parts(text.strip())
    days = sum((number * _DAYS[unit] for unit, number in parts.items()), Decimal(0))
    if "y" in parts or "month" in parts:
        days = Decimal(math.ceil(days))
    minutes = round(days * 24 * 60, 6)
    if minutes == 0 or minutes % 1:
        raise ValueError(EXPECTED)
    return timedelta(minutes=int(minutes))


def latency(text: str) -> timedelta:
    """
    Return the duration that *text*, a service level, states.

    Raises:
        ValueError: it is not a duration, or its unit is `m`, which may mean minutes or months.
    """
    found = _NUMBER.fullmatch(text.strip())
    if found and found[2].lower() == "m":
        raise ValueError("min or month: m may mean either")
    return duration(text)


def _parts(text: str) -> dict[str, Decimal]:
    """Return the number of each unit."""
    if (found := _NUMBER.fullmatch(text)) and found[2].lower() in _UNITS:
        return {_UNITS[found[2].lower()]: Decimal(found[1])}
    if iso := _ISO.fullmatch(text):
        return {unit: Decimal(number) for unit, number in iso.groupdict().items() if number}
    raise ValueError(EXPECTED)
