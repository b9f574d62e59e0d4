"""What the organisation records is right before dirt is planted in its files."""

from __future__ import annotations

from itertools import pairwise

import pytest

from daftari.demo.organisation.expenses import make_expenses
from daftari.demo.organisation.incidents import as_known_at, make_incidents
from daftari.demo.organisation.leave import make_leave
from daftari.demo.organisation.pay import make_payroll
from daftari.demo.organisation.people import Organisation, make_organisation


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    return make_organisation(7)


def test_managers_come_before_those_whom_they_manage(organisation):
    seen = set()
    for user in organisation.users:
        assert user.manager_id is None or user.manager_id in seen
        seen.add(user.user_id)


def test_what_belongs_to_one_person_belongs_to_no_other(organisation):
    for name in ("user_id", "email", "national_id", "kra_pin"):
        assert len({getattr(user, name) for user in organisation.users}) == 300, name


def test_nobody_leaves_before_arriving(organisation):
    left = [user for user in organisation.users if user.left_on]

    assert len(left) == 34
    assert all(user.hired_on < user.left_on for user in left)


def test_leave_of_one_person_never_overlaps(organisation):
    by_person = {}
    for request in make_leave(7, organisation):
        by_person.setdefault(request.user_id, []).append((request.start_date, request.end_date))
    for spans in by_person.values():
        assert all(before[1] < after[0] for before, after in pairwise(sorted(spans)))


def test_every_payslip_adds_up_and_leaves_a_third(organisation):
    for salaries in make_payroll(7, organisation).values():
        for it in salaries:
            assert it.gross == it.basic + it.allowances
            assert it.net == it.gross - it.paye - it.nssf - it.shif - it.housing_levy - it.deductions
            assert it.net * 3 >= it.gross


def test_more_is_spent_at_the_end_of_the_budget_year_than_over_christmas(organisation):
    expenses = make_expenses(7, organisation)
    count = {f"{month:%Y-%m}": len(records) for month, records in expenses.items()}

    assert count["2025-06"] > 1.5 * count["2025-01"]


def test_an_incident_is_exported_as_it_stood_that_day(organisation):
    incident = make_incidents(7, organisation)[0]

    assert as_known_at(incident, incident.opened_at).status == "in_progress"
    assert as_known_at(incident, incident.resolved_at).status == "resolved"
    assert as_known_at(incident, incident.closed_at) == incident
