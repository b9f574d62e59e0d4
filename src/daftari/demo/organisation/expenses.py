"""About 50,000 expenses, by month and seasonal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import accumulate
from math import exp
from random import Random

from daftari.demo.organisation.holidays import is_working_day, months, next_month
from daftari.demo.organisation.people import Organisation
from daftari.demo.organisation.records import Expense, User
from daftari.demo.organisation.words import SPENDING, Spending

_EXPENSES_A_MONTH = 1_990
#: The budget year ends in June; field work stops over Christmas and slows in the long rains.
_SEASON = (0.72, 0.95, 1.06, 0.88, 0.98, 1.32, 0.90, 1.04, 1.10, 1.12, 1.16, 0.77)
_GROWTH_A_MONTH = 0.004
_STATUSES, _STATUS_SHARES = ("paid", "approved", "submitted", "rejected"), (86, 8, 4, 2)
_FOREIGN = {
    "software": (("USD", Decimal(129)),),
    "travel": (("UGX", Decimal("0.035")), ("TZS", Decimal("0.05"))),
}
_CENT = Decimal("0.01")


def make_expenses(seed: int, organisation: Organisation) -> dict[date, list[Expense]]:
    """Return the expenses by month (its first day), in the order of their numbers."""
    return {
        month: list(_month(Random(f"{seed}/expenses/{month}"), organisation, month, place))
        for place, month in enumerate(months())
    }


def _month(random: Random, organisation: Organisation, month: date, place: int) -> Iterator[Expense]:
    season = _SEASON[month.month - 1] * (1 + _GROWTH_A_MONTH * place)
    count = round(_EXPENSES_A_MONTH * season * random.uniform(0.98, 1.02))
    days, day_weights = _days_and_weights(month)
    spenders = _spenders(organisation, month)
    for number, day in enumerate(sorted(random.choices(days, cum_weights=day_weights, k=count)), start=1):
        kind = random.choices(SPENDING, cum_weights=_kind_weights())[0]
        department = random.choices(organisation.departments, organisation.spend_shares)[0]
        candidates = spenders.get(department.department_code)
        is_by_person = candidates is not None and kind.category not in {"utilities", "services"}
        user = random.choice(candidates) if candidates and is_by_person else None
        yield _expense(
            random,
            f"EXP-{month:%Y%m}-{number:05d}",
            kind,
            (day, department.department_code, random.choice(_cities(organisation)), user),
        )


def _expense(
    random: Random, expense_id: str, kind: Spending, circumstances: tuple[date, str, str, User | None]
) -> Expense:
    day, department_code, city, user = circumstances
    amount, currency = _amount(random, kind)
    status = random.choices(_STATUSES, _STATUS_SHARES)[0]
    return Expense(
        expense_id=expense_id,
        spent_on=day,
        department_code=department_code,
        user_id=user.user_id if user else None,
        category=kind.category,
        supplier=random.choice(kind.suppliers),
        description=random.choice(kind.purposes).format(city=city),
        amount=amount,
        currency=currency,
        status=status,
        approved_at=None if status == "submitted" else _some_days_after(random, day),
    )


def _amount(random: Random, kind: Spending) -> tuple[Decimal, str]:
    amount = kind.median * Decimal(exp(random.gauss(0, kind.spread)))
    if random.random() < 0.012:  # a credit note
        amount = -amount / 2
    foreign = _FOREIGN.get(kind.category)
    if foreign and random.random() < 0.03:
        currency, rate = random.choice(foreign)
        return (amount / rate).quantize(_CENT), currency
    # Most receipts have round amounts.
    step = random.choice((Decimal(50), Decimal(10), Decimal(1), _CENT))
    return max((amount / step).quantize(Decimal(1)) * step, step).quantize(_CENT) if amount > 0 else (
        amount.quantize(_CENT)
    ), "KES"


def _some_days_after(random: Random, day: date) -> datetime:
    decided = day + timedelta(days=random.randrange(1, 12))
    return datetime.combine(decided, time(random.randrange(8, 18), random.randrange(60)))


def _spenders(organisation: Organisation, month: date) -> dict[str, list[User]]:
    by_department: dict[str, list[User]] = {}
    for user in organisation.users:
        if user.works_on(month):
            by_department.setdefault(user.department_code, []).append(user)
    return by_department


def _days_and_weights(month: date) -> tuple[list[date], list[float]]:
    days = [month + timedelta(days=n) for n in range((next_month(month) - month).days)]
    return days, list(accumulate(1.0 if is_working_day(day) else 0.12 for day in days))


@cache
def _kind_weights() -> tuple[int, ...]:
    return tuple(accumulate(kind.share for kind in SPENDING))


def _cities(organisation: Organisation) -> tuple[str, ...]:
    return tuple(dict.fromkeys(organisation.city_of.values()))
