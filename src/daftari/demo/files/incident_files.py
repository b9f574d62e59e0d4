"""
Incidents as quarterly exports of a service desk: CSV, then newline-delimited JSON.

An export has the incidents reported in the quarter, in their state at its end; those still open then
come again in the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from daftari.demo.files.expected import DemoFile
from daftari.demo.files.layouts import body, column, csv_bytes, headers, json_lines_bytes
from daftari.demo.files.lines import FileLine, PlantedFault, lines_of, plant, repeat
from daftari.demo.organisation.incidents import as_known_at
from daftari.demo.organisation.records import Incident

_WRONG_RATIO, _REPEATS_A_FILE = 0.02, 2
#: Name and end (not included) of each export.
_QUARTERS = tuple(
    (f"{year}-Q{quarter}", datetime(year + quarter // 4, quarter * 3 % 12 + 1, 1))
    for year, quarter in ((2024, 4), *((2025, q) for q in range(1, 5)), *((2026, q) for q in range(1, 5)))
)
_SEVERITIES = {"critical": "1 - Critical", "high": "2 - High", "medium": "3 - Moderate", "low": "4 - Low"}

_STATES = {"open": "New", "in_progress": "In Progress", "resolved": "Resolved", "closed": "Closed"}


def _resolved_too_early(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "resolved_at": values["opened_at"] - timedelta(minutes=5),
        "closed_at": None,
        "status": "resolved",
    }


_FAULTS = (
    PlantedFault(rule="resolved_after_opened", spoil=_resolved_too_early),
    PlantedFault(rule="severity.allowed", spoil=lambda _: {"severity": "5 - Planning"}),
    PlantedFault(rule="department_code.reference", spoil=lambda _: {"department_code": "OUTREACH"}),
    PlantedFault(rule="opened_at.required", spoil=lambda _: {"opened_at": ""}),
    PlantedFault(rule="closed_has_a_time", spoil=lambda _: {"closed_at": None}),
    PlantedFault(rule="title.required", spoil=lambda _: {"title": ""}),
)


def _csv_moment(value: datetime) -> str:
    return f"{value:%d/%m/%Y %H:%M}"


def _json_moment(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S+03:00}"


_CSV = (
    column("Number", "incident_id"),
    column("Opened", "opened_at", _csv_moment),
    column("Resolved", "resolved_at", _csv_moment),
    column("Closed", "closed_at", _csv_moment),
    column("Priority", "severity", words=_SEVERITIES),
    column("Category", "category"),
    column("State", "status", words=_STATES),
    column("Department", "department_code"),
    column("Caller", "reported_by"),
    column("Assigned to", "assigned_to"),
    column("Short description", "title"),
    column("Description", "description"),
)
_JSON = tuple(
    column(name, name, _json_moment if name.endswith("_at") else str) for name in Incident.__slots__
)


def incident_files(seed: int, incidents: Sequence[Incident]) -> Iterator[DemoFile]:
    random = Random(f"{seed}/incident files")
    not_closed: list[Incident] = []
    since = datetime.min
    for quarter, until in _QUARTERS:
        reported = [it for it in incidents if since <= it.opened_at < until]
        own = lines_of([as_known_at(it, until) for it in reported], "incident_id")
        again = lines_of([as_known_at(it, until) for it in not_closed], "incident_id")
        own = _with_faults(random, own)
        lines = repeat(random, own, _REPEATS_A_FILE) + again
        wrong = {line.key for line in own if line.rule}
        not_closed = [
            it
            for it in (*reported, *not_closed)
            if it.closed_at and it.closed_at > until and (it.incident_id,) not in wrong
        ]
        since = until
        yield _file(quarter, lines)


def _with_faults(random: Random, lines: Sequence[FileLine]) -> list[FileLine]:
    """Spoil some lines, but only of closed incidents: others would come again, corrected."""
    closed = [place for place, line in enumerate(lines) if line.values["status"] == "closed"]
    spoilt = plant(random, [lines[place] for place in closed], _FAULTS, round(len(closed) * _WRONG_RATIO))
    result = list(lines)
    for place, line in zip(closed, spoilt, strict=True):
        result[place] = line
    return result


def _file(quarter: str, lines: Sequence[FileLine]) -> DemoFile:
    if quarter < "2026":
        rows = [headers(_CSV), *([cell or "?" for cell in row] for row in body(_CSV, lines))]
        name, content = f"{quarter}_incidents.csv", csv_bytes(rows, encoding="cp1252")
    else:
        name, content = f"{quarter}_incidents.ndjson", json_lines_bytes(_JSON, lines)
    return DemoFile(dataset="incidents", name=name, content=content, lines=tuple(lines))
