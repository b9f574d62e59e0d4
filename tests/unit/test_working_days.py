"""Working days in Kenya: Public Holidays Act (Cap. 110)."""

from datetime import date

import pytest

from daftari.errors import SettingError
from daftari.rows.rules.working_days import days_off, require_country, working_days


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2026, 11, 23), date(2026, 11, 27), 5),
        (date(2026, 11, 28), date(2026, 11, 29), 0),  # a weekend
        (date(2026, 6, 1), date(2026, 6, 1), 0),  # Madaraka Day, a Monday
        (date(2026, 4, 3), date(2026, 4, 6), 0),  # Good Friday to Easter Monday
        (date(2027, 12, 11), date(2027, 12, 14), 1),  # Jamhuri Day is a Sunday, and kept on Monday
    ],
)
def test_weekends_and_public_holidays_are_not_counted(start, end, expected):
    assert working_days(start, end, "KE") == expected


def test_days_off_are_called_by_their_name():
    found = days_off(date(2026, 12, 24), date(2026, 12, 27), "KE")
    assert list(found) == [date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 27)]
    assert (found[date(2026, 12, 25)], found[date(2026, 12, 27)]) == ("Christmas Day", "weekend")


def test_a_country_whose_holidays_are_not_known_is_refused():
    require_country("KE")
    with pytest.raises(SettingError, match="DAFTARI_COUNTRY"):
        require_country("XX")
