"""About 2,000 incidents in two years, each resolved after a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from random import Random

from daftari.demo.organisation.holidays import FIRST_MONTH, LAST_MONTH, next_month
from daftari.demo.organisation.people import Organisation
from daftari.demo.organisation.records import Incident, User
from daftari.demo.organisation.words import TROUBLES

INCIDENTS = 2_000
_HOURS_TO_RESOLVE = {"critical": 5, "high": 14, "medium": 40, "low": 110}
#: Support closes incidents that nobody disputes within a week.
_UNTIL_CLOSED = timedelta(days=7)


def make_incidents(seed: int, organisation: Organisation) -> list[Incident]:
    """Return the incidents in order of report, in their final state."""
    random = Random(f"{seed}/incidents")
    opened = sorted(_moment(random) for _ in range(INCIDENTS))
    return [_incident(random, organisation, number, at) for number, at in enumerate(opened, start=1)]


def _incident(random: Random, organisation: Organisation, number: int, opened_at: datetime) -> Incident:
    category, title, usual = random.choice(TROUBLES)
    department = random.choice(organisation.departments)
    there = organisation.working_on(opened_at.date())
    severity = usual if random.random() < 0.8 else random.choice(tuple(_HOURS_TO_RESOLVE))
    resolved_at = opened_at + _duration(random, severity)
    return Incident(
        incident_id=f"INC-{number:07d}",
        opened_at=opened_at,
        resolved_at=resolved_at,
        closed_at=resolved_at + _UNTIL_CLOSED,
        severity=severity,
        category=category,
        status="closed",
        department_code=department.department_code,
        reported_by=None if category in {"network", "power"} else random.choice(there).user_id,
        assigned_to=random.choice(_support(there)).user_id,
        title=title.format(city=department.city),
        description=f"{title.format(city=department.city)}. Reported from {department.name.lower()}.",
    )


def as_known_at(incident: Incident, moment: datetime) -> Incident:
    """Return *incident* in its state at *moment*."""
    if incident.closed_at is not None and incident.closed_at <= moment:
        return incident
    is_resolved = incident.resolved_at is not None and incident.resolved_at <= moment
    return replace(
        incident,
        closed_at=None,
        resolved_at=incident.resolved_at if is_resolved else None,
        status="resolved" if is_resolved else "in_progress",
    )


def _moment(random: Random) -> datetime:
    days = (next_month(LAST_MONTH) - FIRST_MONTH).days
    day = FIRST_MONTH + timedelta(days=random.randrange(days))
    return datetime.combine(day, time(min(int(random.triangular(0, 24, 10)), 23), random.randrange(60)))


def _duration(random: Random, severity: str) -> timedelta:
    return timedelta(minutes=1 + round(60 * random.expovariate(1 / _HOURS_TO_RESOLVE[severity])))


def _support(there: list[User]) -> list[User]:
    return [user for user in there if user.department_code in {"ICT", "FLEET"}] or there
