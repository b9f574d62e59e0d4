"""
Leave requests as exports of the HR application: CSV by quarter, then JSON Lines by month.

An export has the requests made in its period, in their state at its end; those still open then
come again in the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from daftari.demo.files.expected import DemoFile
from daftari.demo.files.layouts import body, column, csv_bytes, headers, json_lines_bytes
from daftari.demo.files.lines import FileLine, PlantedFault, lines_of, plant, repeat
from daftari.demo.organisation.holidays import months, next_month
from daftari.demo.organisation.records import LeaveRequest

_WRONG_RATIO, _OVERLAPS_A_FILE = 0.02, 2
_JSON_SINCE = date(2025, 7, 1)
_FAULTS = (
    PlantedFault(
        rule="ends_after_start", spoil=lambda values: {"end_date": values["start_date"] - timedelta(days=1)}
    ),
    PlantedFault(rule="leave_type.allowed", spoil=lambda _: {"leave_type": "sabbatical"}),
    PlantedFault(rule="user_id.reference", spoil=lambda _: {"user_id": "U0999"}),
    PlantedFault(rule="days.minimum", spoil=lambda _: {"days": Decimal(0)}),
    PlantedFault(rule="start_date.required", spoil=lambda _: {"start_date": ""}),
    PlantedFault(rule="decided_by_someone", spoil=lambda _: {"status": "approved", "decided_by": None}),
)


def _csv_moment(value: datetime) -> str:
    return f"{value:%d/%m/%Y %H:%M}"


def _utc(value: datetime) -> str:
    return f"{value - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"


def _csv_day(value: date) -> str:
    return f"{value:%d/%m/%Y}"


_TYPES = {
    "annual": "Annual Leave",
    "sick": "Sick Leave",
    "maternity": "Maternity Leave",
    "paternity": "Paternity Leave",
    "compassionate": "Compassionate Leave",
    "unpaid": "Unpaid Leave",
}
_STATES = {"requested": "PENDING", "approved": "APPROVED", "rejected": "REJECTED", "cancelled": "CANCELLED"}
_CSV = (
    column("Request", "request_id"),
    column("Employee", "user_id"),
    column("Leave type", "leave_type", words=_TYPES),
    column("From", "start_date", _csv_day),
    column("To", "end_date", _csv_day),
    column("Working days", "days", str),
    column("State", "status"),
    column("Submitted", "requested_at", _csv_moment),
    column("Decided", "decided_at", _csv_moment),
    column("Approver", "decided_by"),
    column("Note", "reason"),
)
_JSON = (
    column("requestId", "request_id"),
    column("employeeNo", "user_id"),
    column("leaveType", "leave_type"),
    column("from", "start_date", str),
    column("to", "end_date", str),
    column("workingDays", "days", float),
    column("state", "status", words=_STATES),
    column("submittedAt", "requested_at", _utc),
    column("decidedAt", "decided_at", _utc),
    column("approver", "decided_by"),
    column("note", "reason"),
)


def leave_files(seed: int, requests: Sequence[LeaveRequest]) -> Iterator[DemoFile]:
    random = Random(f"{seed}/leave files")
    still_open: list[LeaveRequest] = []
    settled: list[FileLine] = []
    since = datetime.min
    for name, until in _periods():
        made = [it for it in requests if since <= it.requested_at < until]
        own = lines_of([_as_known_at(it, until) for it in made], "request_id")
        own = _with_faults(random, own)
        again = lines_of([_as_known_at(it, until) for it in still_open], "request_id")
        overlaps = [_overlap(line) for line in random.sample(settled, min(_OVERLAPS_A_FILE, len(settled)))]
        lines = repeat(random, own, 1) + again + overlaps
        wrong = {line.key for line in own if line.rule}
        still_open = [
            it for it in (*made, *still_open) if _is_open(it, until) and (it.request_id,) not in wrong
        ]
        settled = [line for line in own if line.rule is None and line.values["status"] == "approved"]
        since = until
        yield DemoFile(dataset="leave_requests", name=name, content=_write(name, lines), lines=tuple(lines))


def _periods() -> Iterator[tuple[str, datetime]]:
    """Yield name and end (excluded) of each export."""
    for name, following in (("2024-12", 1), ("2025-03", 4), ("2025-06", 7)):
        yield f"{name}_leave.csv", datetime(2025, following, 1)
    for month in months():
        if month >= _JSON_SINCE:
            yield f"{month:%Y-%m}_leave.jsonl", datetime.combine(next_month(month), time())


def _is_open(request: LeaveRequest, moment: datetime) -> bool:
    return request.decided_at is not None and request.decided_at >= moment


def _as_known_at(request: LeaveRequest, moment: datetime) -> LeaveRequest:
    if not _is_open(request, moment):
        return request
    return replace(request, status="requested", decided_at=None, decided_by=None)


def _with_faults(random: Random, lines: Sequence[FileLine]) -> list[FileLine]:
    """Spoil some lines, but only of decided requests: others would come again, corrected."""
    decided = [place for place, line in enumerate(lines) if line.values["status"] != "requested"]
    spoilt = plant(random, [lines[place] for place in decided], _FAULTS, round(len(decided) * _WRONG_RATIO))
    result = list(lines)
    for place, line in zip(decided, spoilt, strict=True):
        result[place] = line
    return result


def _overlap(line: FileLine) -> FileLine:
    """Return a second request that overlaps the last day of a granted one."""
    last: date = line.values["end_date"]
    values: dict[str, Any] = {
        **line.values,
        "request_id": f"{line.values['request_id']}-B",
        "start_date": last,
        "end_date": last,
        "days": Decimal(1),
    }
    return FileLine(key=(values["request_id"],), values=values, rule="no_overlap")


def _write(name: str, lines: Sequence[FileLine]) -> bytes:
    if name.endswith(".csv"):
        return csv_bytes([headers(_CSV), *body(_CSV, lines)])
    return json_lines_bytes(_JSON, lines)
