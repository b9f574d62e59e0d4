"""Departments, positions and people as HR exports; the people twice, two years apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from daftari.demo.files.expected import DemoFile
from daftari.demo.files.layouts import body, column, csv_bytes, headers
from daftari.demo.files.lines import FileLine, PlantedFault, lines_of, repeat, spoil
from daftari.demo.organisation.holidays import FIRST_MONTH, LAST_MONTH, next_month
from daftari.demo.organisation.people import Organisation
from daftari.demo.organisation.records import User


def _yes_or_no(value: bool) -> str:
    return "Y" if value else "N"


def _day(value: date) -> str:
    return f"{value:%d/%m/%Y}"


_DEPARTMENTS = (
    column("Code", "department_code"),
    column("Department", "name"),
    column("Town", "city"),
    column("Cost centre", "cost_centre"),
    column("In use", "is_active", _yes_or_no),
)
_ROLES = (
    column("Job code", "role_code"),
    column("Job title", "title"),
    column("Grade", "grade"),
    column("Manages people", "is_managerial", _yes_or_no),
)
_CONTRACTS = {
    "permanent": "Permanent",
    "fixed_term": "Fixed term",
    "casual": "Casual",
    "intern": "Intern",
    "consultant": "Consultant",
}
#: A spreadsheet removed the leading zero of telephone numbers.
_STAFF = (
    column("Staff No", "user_id"),
    column("Name", "full_name"),
    column("Work email", "email"),
    column("Mobile", "phone"),
    column("ID No", "national_id"),
    column("KRA PIN", "kra_pin"),
    column("Next of kin", "next_of_kin"),
    column("Dept", "department_code"),
    column("Job code", "role_code"),
    column("Reports to", "manager_id"),
    column("Contract", "employment_type", words=_CONTRACTS),
    column("Date hired", "hired_on", _day),
    column("Date left", "left_on", _day),
    column("Active", "is_active", _yes_or_no),
)
#: Only for people whom no other file names, so that no other fault follows.
_STAFF_FAULTS = (
    PlantedFault(rule="kra_pin.pattern", spoil=lambda _: {"kra_pin": "P051000000X"}),
    PlantedFault(rule="phone.pattern", spoil=lambda _: {"phone": "20222000"}),
    PlantedFault(rule="department_code.reference", spoil=lambda _: {"department_code": "OUTREACH"}),
    PlantedFault(
        rule="left_after_hired",
        spoil=lambda values: {"left_on": values["hired_on"] - timedelta(days=1), "is_active": False},
    ),
    PlantedFault(rule="national_id.required", spoil=lambda _: {"national_id": ""}),
)


def organisation_files(seed: int, organisation: Organisation) -> Iterator[DemoFile]:
    """Yield the files, each after the files that it refers to."""
    random = Random(f"{seed}/organisation files")
    departments = lines_of(organisation.departments, "department_code")
    departments = repeat(random, departments, 1)
    yield DemoFile(
        dataset="departments",
        name="departments.csv",
        content=csv_bytes([headers(_DEPARTMENTS), *body(_DEPARTMENTS, departments)]),
        lines=tuple(departments),
    )
    roles = lines_of(organisation.roles, "role_code")
    yield DemoFile(
        dataset="roles",
        name="roles.csv",
        content=csv_bytes([headers(_ROLES), *body(_ROLES, roles)]),
        lines=tuple(roles),
    )
    first = [_staff_line(user, FIRST_MONTH) for user in organisation.users if user.hired_on <= FIRST_MONTH]
    yield _staff_file("2024-11_staff.csv", first)
    now = next_month(LAST_MONTH) - timedelta(days=1)
    everyone = [_staff_line(user, now) for user in organisation.users]
    yield _staff_file(
        "2026-10_staff.csv", repeat(random, everyone, 2) + _wrong_people(organisation.users[-1], now)
    )


def _staff_file(name: str, lines: Sequence[FileLine]) -> DemoFile:
    rows = [headers(_STAFF), *body(_STAFF, lines)]
    return DemoFile(
        dataset="users",
        name=name,
        content=csv_bytes(rows, separator="\t", encoding="utf-16"),
        lines=tuple(lines),
    )


def _staff_line(user: User, day: date) -> FileLine:
    """Return the HR record of *user* on *day*."""
    has_left = user.left_on is not None and user.left_on <= day
    values: dict[str, Any] = {
        name: getattr(user, name) for name in User.__slots__ if name not in {"role", "basic", "bank_account"}
    }
    values |= {
        "role_code": user.role.role_code,
        "left_on": user.left_on if has_left else None,
        "is_active": not has_left,
    }
    return FileLine(key=user.user_id, values=values)


def _wrong_people(like: User, day: date) -> list[FileLine]:
    return [
        spoil(
            _staff_line(
                replace(
                    like,
                    user_id=f"U09{number:02d}",
                    email=f"new.starter{number}@example.org",
                    national_id=f"4100000{number}",
                    kra_pin=f"A00000000{number}Z",
                    left_on=None,
                ),
                day,
            ),
            fault,
        )
        for number, fault in enumerate(_STAFF_FAULTS)
    ]
