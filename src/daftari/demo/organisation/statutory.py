"""
The deductions that a Kenyan employer withholds from a month's pay, at the rates of that month.

Rates are dated tables. Covers the months from November 2024 on; not a payroll system.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")

#: Income Tax Act, third schedule, as amended by the Finance Act 2023: width of each monthly band, rate.
_PAYE_BANDS = (
    (Decimal(24_000), Decimal("0.10")),
    (Decimal(8_333), Decimal("0.25")),
    (Decimal(467_667), Decimal("0.30")),
    (Decimal(300_000), Decimal("0.325")),
    (None, Decimal("0.35")),
)
#: Income Tax Act, third schedule: personal relief a month.
_PERSONAL_RELIEF = Decimal(2_400)

#: National Social Security Fund Act 2013, third schedule: start date, upper limit of pensionable pay.
#: The rate is 6 % for the employee, on both tiers.
_NSSF_LIMITS = (
    (date(2026, 2, 1), Decimal(108_000)),
    (date(2025, 2, 1), Decimal(72_000)),
    (date(2024, 2, 1), Decimal(36_000)),
)
_NSSF_RATE = Decimal("0.06")

#: Social Health Insurance (General) Regulations 2024: rate on gross pay, and the monthly minimum.
_SHIF_RATE, _SHIF_MINIMUM = Decimal("0.0275"), Decimal(300)

#: Affordable Housing Act 2024, s. 4: the employee's half.
_HOUSING_LEVY_RATE = Decimal("0.015")

#: Tax Laws (Amendment) Act 2024, in force from 27 December 2024: SHIF and the housing levy are taken
#: off before tax. Until then the levy gave a relief of 15 %.
_DEDUCTIBLE_FROM = date(2024, 12, 1)
_HOUSING_RELIEF_RATE = Decimal("0.15")


@dataclass(frozen=True, kw_only=True, slots=True)
class Withheld:
    paye: Decimal
    nssf: Decimal
    shif: Decimal
    housing_levy: Decimal

    @property
    def total(self) -> Decimal:
        return self.paye + self.nssf + self.shif + self.housing_levy


def withhold(gross: Decimal, *, month: date) -> Withheld:
    """Return the deductions from *gross* KES paid for *month* (its first day), each to the cent."""
    nssf = _cents(min(gross, _nssf_limit(month)) * _NSSF_RATE)
    shif = _cents(max(gross * _SHIF_RATE, _SHIF_MINIMUM))
    levy = _cents(gross * _HOUSING_LEVY_RATE)
    deductible = nssf + shif + levy if month >= _DEDUCTIBLE_FROM else nssf
    relief = _PERSONAL_RELIEF
    if month < _DEDUCTIBLE_FROM:
        relief += levy * _HOUSING_RELIEF_RATE
    paye = max(_tax(gross - deductible) - relief, Decimal(0))
    return Withheld(paye=_cents(paye), nssf=nssf, shif=shif, housing_levy=levy)


def _nssf_limit(month: date) -> Decimal:
    return next(limit for since, limit in _NSSF_LIMITS if month >= since)


def _tax(taxable: Decimal) -> Decimal:
    tax, rest = Decimal(0), taxable
    for width, rate in _PAYE_BANDS:
        part = rest if width is None else min(rest, width)
        tax += part * rate
        rest -= part
        if rest <= 0:
            break
    return tax


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
