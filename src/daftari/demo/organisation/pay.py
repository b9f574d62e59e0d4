"""The pay of everyone in 24 months, with each month's statutory deductions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random

from daftari.demo.organisation.holidays import months
from daftari.demo.organisation.people import Organisation
from daftari.demo.organisation.records import Salary, User
from daftari.demo.organisation.statutory import withhold

#: Pay rises with the budget year, each July.
_RAISE = Decimal("1.045")
_ALLOWANCE_RATE = Decimal("0.2")
_NOTHING = Decimal("0.00")


def make_payroll(seed: int, organisation: Organisation) -> dict[date, list[Salary]]:
    """Return the pay by month (its first day), in the order of staff numbers."""
    savings = _savings(seed, organisation)
    return {
        month: [
            _salary(user, month, savings[user.user_id])
            for user in organisation.working_on(month)
            if user.employment_type != "consultant"  # they send invoices
        ]
        for month in months()
    }


def _salary(user: User, month: date, saved: Decimal) -> Salary:
    raises = sum(date(year, 7, 1) <= month for year in (2025, 2026))
    basic = (user.basic * _RAISE**raises).quantize(Decimal(1)).quantize(_NOTHING)
    allowances = (basic * _ALLOWANCE_RATE).quantize(_NOTHING) if user.role.grade > 2 else _NOTHING
    gross = basic + allowances
    withheld = withhold(gross, month=month)
    return Salary(
        user_id=user.user_id,
        month=month,
        basic=basic,
        allowances=allowances,
        gross=gross,
        paye=withheld.paye,
        nssf=withheld.nssf,
        shif=withheld.shif,
        housing_levy=withheld.housing_levy,
        deductions=saved,
        net=gross - withheld.total - saved,
        bank_account=user.bank_account,
    )


def _savings(seed: int, organisation: Organisation) -> dict[str, Decimal]:
    """Return each person's monthly payment to a savings society; up to a tenth of the basic pay."""
    random = Random(f"{seed}/savings")
    return {
        user.user_id: (user.basic * random.choice((0, 0, 5, 10)) / 100).quantize(_NOTHING)
        for user in organisation.users
    }
