"""The organisation: its departments, positions and 300 people, of whom some left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from random import Random

from daftari.demo.organisation.holidays import FIRST_MONTH, LAST_MONTH, next_month
from daftari.demo.organisation.records import Department, JobRole, User
from daftari.demo.organisation.words import (
    DEPARTMENTS,
    FAMILY_NAMES,
    FIELD_STAFFING,
    GIVEN_NAMES,
    ROLES,
    STAFFING,
)

PEOPLE = 300
_HIRED_BEFORE_THE_FILES = 225
_LEAVERS = 34
_ENDS = next_month(LAST_MONTH) - timedelta(days=1)
_TYPES = ("permanent", "fixed_term", "casual", "consultant")


@dataclass(frozen=True, kw_only=True)
class Organisation:
    departments: tuple[Department, ...]
    roles: tuple[JobRole, ...]
    users: tuple[User, ...]  #: managers before their staff

    def working_on(self, day: date) -> list[User]:
        return [user for user in self.users if user.works_on(day)]

    @cached_property
    def city_of(self) -> dict[str, str]:
        return {it.department_code: it.city for it in self.departments}

    @cached_property
    def spend_shares(self) -> tuple[int, ...]:
        """Return each department's share of the spending, in order."""
        return tuple(spend for *_, spend in DEPARTMENTS)


def make_organisation(seed: int) -> Organisation:
    random = Random(f"{seed}/people")
    departments = tuple(
        Department(department_code=code, name=name, city=city, cost_centre=centre)
        for code, name, city, centre, *_ in DEPARTMENTS
    )
    roles = tuple(
        JobRole(role_code=code, title=title, grade=grade, is_managerial=manages)
        for code, title, grade, manages, *_ in ROLES
    )
    return Organisation(departments=departments, roles=roles, users=_users(random, roles))


def _users(random: Random, roles: Sequence[JobRole]) -> tuple[User, ...]:
    by_code = {role.role_code: role for role in roles}
    positions = _positions(random)
    hired = _hiring_dates(random)
    leaves = _leaving_dates(random, positions, hired)
    person = _Person(random)
    users: list[User] = []
    heads: dict[str, str] = {}
    for number, (department, role) in enumerate(positions, start=1):
        user_id = f"U{number:04d}"
        manager = heads.get(department, "U0001") if number > 1 else None
        if role == "HEAD":
            heads[department] = user_id
        users.append(
            person.take(user_id, department, by_code[role], manager, (hired[number - 1], leaves.get(number)))
        )
    return tuple(users)


def _positions(random: Random) -> list[tuple[str, str]]:
    """Return department and role of each person: the director, the heads, then everyone else."""
    codes = [code for code, *_ in DEPARTMENTS]
    shares = [people for *_, people, _ in DEPARTMENTS]
    positions = [("EXEC", "EXEC-DIR"), *((code, "HEAD") for code in codes)]
    for department in random.choices(codes, shares, k=PEOPLE - len(positions)):
        staffing = STAFFING.get(department, FIELD_STAFFING)
        role = "TEAM-LEAD" if random.random() < 0.07 else random.choice(staffing)
        positions.append((department, role))
    return positions


def _hiring_dates(random: Random) -> list[date]:
    """Return the first working day of each person, earliest first: staff numbers follow hiring order."""
    before = [
        FIRST_MONTH - timedelta(days=random.randrange(30, 3_600)) for _ in range(_HIRED_BEFORE_THE_FILES)
    ]
    span = (date(2026, 9, 1) - FIRST_MONTH).days
    later = [FIRST_MONTH + timedelta(days=random.randrange(span)) for _ in range(PEOPLE - len(before))]
    return sorted(before) + sorted(later)


def _leaving_dates(
    random: Random, positions: Sequence[tuple[str, str]], hired: Sequence[date]
) -> dict[int, date]:
    """Return the last day of those who left, by place. People who decide requests stay to the end."""
    movable = [
        place
        for place, (_, role) in enumerate(positions, start=1)
        if role not in {"HEAD", "EXEC-DIR"} and hired[place - 1] < date(2026, 3, 1)
    ]
    leaves = {}
    for place in sorted(random.sample(movable, _LEAVERS)):
        earliest = max(hired[place - 1], FIRST_MONTH) + timedelta(days=90)
        leaves[place] = earliest + timedelta(days=random.randrange((_ENDS - earliest).days))
    return leaves


class _Person:
    """Draws each person's unique data: names, numbers, accounts."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._national_ids = iter(random.sample(range(20_000_000, 40_000_000), PEOPLE))
        self._pins = iter(random.sample(range(1_000_000, 9_999_999), PEOPLE))
        self._addresses: dict[str, int] = {}
        self._pay = {code: (least, most) for code, _, _, _, least, most in ROLES}

    def take(
        self,
        user_id: str,
        department: str,
        role: JobRole,
        manager: str | None,
        employed: tuple[date, date | None],
    ) -> User:
        draw = self._random
        name = f"{draw.choice(GIVEN_NAMES)} {draw.choice(FAMILY_NAMES)}"
        least, most = self._pay[role.role_code]
        return User(
            user_id=user_id,
            full_name=name,
            email=self._address(name),
            phone=f"7{draw.randrange(10**8):08d}",
            national_id=str(next(self._national_ids)),
            kra_pin=f"A00{next(self._pins)}{draw.choice('ABCDEFGHJKLMNPQRSTVWXYZ')}",
            next_of_kin=f"{draw.choice(GIVEN_NAMES)} {name.split()[-1]}, +2547{draw.randrange(10**8):08d}",
            department_code=department,
            role=role,
            manager_id=manager,
            employment_type=self._employment(role),
            hired_on=employed[0],
            left_on=employed[1],
            basic=Decimal(draw.randrange(least, most + 1, 500)),
            bank_account=self._account(),
        )

    def _address(self, name: str) -> str:
        local = name.lower().replace("'", "").replace(" ", ".")
        self._addresses[local] = self._addresses.get(local, 0) + 1
        count = self._addresses[local]
        return f"{local}{count if count > 1 else ''}@example.org"

    def _account(self) -> str:
        draw = self._random.randrange
        return f"{draw(1, 80):02d}-{draw(1, 300):03d}-0{draw(10**12):012d}"

    def _employment(self, role: JobRole) -> str:
        if role.role_code == "INTERN":
            return "intern"
        if role.is_managerial:
            return "permanent"
        return self._random.choices(_TYPES, (64, 27, 6, 3))[0]
