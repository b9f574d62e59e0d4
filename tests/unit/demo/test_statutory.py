from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from daftari.demo.organisation.statutory import withhold


@pytest.mark.parametrize(
    ("gross", "paye", "nssf", "shif", "housing_levy"),
    [
        ("10000", "0.00", "600.00", "300.00", "150.00"),  # SHIF has a least amount
        ("50000", "5845.85", "3000.00", "1375.00", "750.00"),
        ("100000", "19308.35", "6000.00", "2750.00", "1500.00"),
        ("150000", "33526.85", "6480.00", "4125.00", "2250.00"),  # NSSF has a limit
    ],
)
def test_a_month_of_2026_is_withheld_by_the_rates_of_2026(gross, paye, nssf, shif, housing_levy):
    withheld = withhold(Decimal(gross), month=date(2026, 3, 1))

    assert str(withheld.paye) == paye
    assert str(withheld.nssf) == nssf
    assert str(withheld.shif) == shif
    assert str(withheld.housing_levy) == housing_levy


@pytest.mark.parametrize(
    ("month", "nssf"),
    [
        (date(2025, 1, 1), "2160.00"),
        (date(2025, 2, 1), "4320.00"),
        (date(2026, 1, 1), "4320.00"),
        (date(2026, 2, 1), "6480.00"),
    ],
)
def test_the_limit_of_nssf_rises_each_february(month, nssf):
    assert str(withhold(Decimal(200_000), month=month).nssf) == nssf


def test_shif_and_the_housing_levy_come_off_before_tax_since_december_2024():
    before = withhold(Decimal(100_000), month=date(2024, 11, 1))
    since = withhold(Decimal(100_000), month=date(2024, 12, 1))

    # 23,210.35 on 97,840 less relief of 2,400 and 15 % of the levy of 1,500
    assert str(before.paye) == "21510.35"
    # on 93,590: 4,250 less to tax at 30 %, and no relief for the levy
    assert str(since.paye) == "20460.35"
