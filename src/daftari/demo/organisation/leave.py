"""About 3,000 leave requests; no two of the same person overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from daftari.demo.organisation.holidays import (
    FIRST_MONTH,
    LAST_MONTH,
    is_working_day,
    next_month,
    working_days_between,
)
from daftari.demo.organisation.people import Organisation
from daftari.demo.organisation.records import LeaveRequest, User
from daftari.demo.organisation.words import LEAVE_REASONS

_DAYS_BETWEEN_REQUESTS = 54
_TYPES = ("annual", "sick", "compassionate", "unpaid", "maternity", "paternity")
_TYPE_SHARES = (68, 20, 5, 3, 2, 2)
#: Calendar days. Employment Act 2007, s. 29: three months of maternity leave, two weeks of paternity leave.
_LENGTHS = {"annual": (0, 13), "sick": (0, 4), "compassionate": (1, 5), "unpaid": (1, 10)}
_MATERNITY, _PATERNITY = timedelta(days=90), timedelta(days=13)
_ENDS = next_month(LAST_MONTH) - timedelta(days=1)


def make_leave(seed: int, organisation: Organisation) -> list[LeaveRequest]:
    """Return the requests, numbered in the order in which they were made."""
    random = Random(f"{seed}/leave")
    requests = [request for user in organisation.users for request in _of_person(random, user)]
    requests.sort(key=lambda request: (request.requested_at, request.user_id))
    return [
        replace(request, request_id=f"LR-{request.requested_at:%Y}-{number:05d}")
        for number, request in enumerate(requests, start=1)
    ]


def _of_person(random: Random, user: User) -> Iterator[LeaveRequest]:
    if user.manager_id is None:
        return  # nobody could decide it
    day = max(FIRST_MONTH, user.hired_on) + timedelta(days=random.randrange(8, 60))
    last = min(_ENDS, user.left_on or _ENDS)
    while day < last:
        request = _request(random, user, day)
        if request.end_date <= last:
            yield request
        day = request.end_date + timedelta(days=1 + int(random.expovariate(1 / _DAYS_BETWEEN_REQUESTS)))


def _request(random: Random, user: User, around: date) -> LeaveRequest:
    leave_type = random.choices(_TYPES, _TYPE_SHARES)[0]
    start = _next_working_day(around)
    end = start + _length(random, leave_type)
    requested = _office_hour(random, start - timedelta(days=_notice(random, leave_type)))
    status = random.choices(("approved", "rejected", "cancelled"), (92, 5, 3))[0]
    is_decided = status != "cancelled"
    days = Decimal(working_days_between(start, end))
    return LeaveRequest(
        request_id="",
        user_id=user.user_id,
        leave_type=leave_type,
        start_date=start,
        end_date=end,
        days=Decimal("0.5") if start == end and random.random() < 0.3 else days,
        status=status,
        requested_at=requested,
        decided_at=requested + timedelta(hours=random.randrange(2, 70)) if is_decided else None,
        decided_by=user.manager_id if is_decided else None,
        reason=random.choice(LEAVE_REASONS[leave_type]),
    )


def _length(random: Random, leave_type: str) -> timedelta:
    if leave_type == "maternity":
        return _MATERNITY
    if leave_type == "paternity":
        return _PATERNITY
    return timedelta(days=random.randint(*_LENGTHS[leave_type]))


def _notice(random: Random, leave_type: str) -> int:
    return 0 if leave_type == "sick" else random.randrange(3, 25)


def _next_working_day(day: date) -> date:
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def _office_hour(random: Random, day: date) -> datetime:
    return datetime.combine(day, time(random.randrange(7, 17), random.randrange(60)))
