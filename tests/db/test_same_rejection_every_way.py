"""A row that PostgreSQL alone refuses is told in the same words, whichever way it came: the words of its rule."""

from __future__ import annotations

import csv
import json

import pytest
from tests.clinic import VISITS
from tests.contracts import field
from tests.served_clinic import opened

FIELDS = [
    *(it for it in VISITS if it["name"] != "notes"),
    field("left_on", "date"),
    field("badge", "string", unique=True),
    field("follows", "string", relationships=[{"type": "foreignKey", "to": "visits.visit_id"}]),
    field("notes", "string", physicalType="varchar(5)"),
]
CUSTOM = {
    "noOverlap": {"key": ["patient"], "start": "seen_on", "end": "left_on"},
    "rules": [
        {"id": "leaves_after", "expression": "left_on >= seen_on", "message": "leaves before it is seen"}
    ],
}
#: What rules let through and the server does not: each is stricter than its contract says, or not in it at all.
STRICTER = """
    alter table ops.visits drop constraint visits_fee_minimum, drop constraint visits_leaves_after;
    alter table ops.visits
        add constraint visits_fee_minimum check (fee >= 5),
        add constraint visits_leaves_after check (left_on > seen_on),
        add constraint not_nine check (ward <> 'C'),
        alter column fee set not null
"""


def visit(number, **other):
    key = {"visit_id": f"V{number}", "patient": f"P{number}"}
    usual = {"seen_on": "2026-03-01", "left_on": "2026-03-04", "ward": "A", "fee": "12.5"}
    return {**dict.fromkeys(it["name"] for it in FIELDS), **key, **usual, **other}


RECORDS = [
    visit(1, badge="7"),
    visit(2, badge="7"),
    visit(3, patient="P1", seen_on="2026-03-04", left_on="2026-03-05"),
    visit(4, follows="V2"),
    visit(5, fee="3"),
    visit(6, left_on="2026-03-01"),
    visit(7, ward="C"),
    visit(8, fee=None),
    visit(9, notes="longer"),
    visit(10),
]
TOLD = {
    "V2": ("badge.unique", "badge", "repeats a value that must be unique"),
    "V3": ("no_overlap", "patient, seen_on, left_on", "overlaps another row of the same key"),
    "V4": (
        "follows.reference_rejected",
        "follows",
        "refers to a row that is rejected: the cause is line {V2} (badge)",
    ),
    "V5": ("fee.minimum", "fee", "is below 0"),
    "V6": ("leaves_after", "left_on, seen_on", "leaves before it is seen"),
    "V7": ("not_nine", "visit_id", "is rejected by the database"),
    "V8": ("fee.required", "fee", "is missing"),
    "V9": ("StringDataRightTruncation", "visit_id", "is rejected by the database"),
}


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path, visits=FIELDS, **CUSTOM) as made:
        made.conn.execute(STRICTER)
        yield made


def by_http(house):
    """What the answer says."""
    outcomes = house.ask(*RECORDS).outcomes
    return {
        record["visit_id"]: tuple(reason.values())
        for record, outcome in zip(RECORDS, outcomes, strict=True)
        for reason in outcome.reasons
    }


def by_file(house, **sender):
    path = house.clinic.folder / "visits.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, RECORDS[0])
        writer.writeheader()
        writer.writerows(RECORDS)
    house.clinic.load_path(path, **sender)
    return in_quarantine(house)


def by_a_callers_file(house):
    return by_file(house, sender=(house.write_context().context, house.roles))


def in_quarantine(house):
    found = house.conn.execute("select key, reasons from daftari.quarantine where resolved_by is null")
    return {
        (key if isinstance(key, dict) else json.loads(key))["visit_id"]: tuple(
            reason[name] for name in ("rule", "field", "reason")
        )
        for key, (reason,) in found
    }


@pytest.mark.parametrize(("way", "line"), [(by_http, 2), (by_file, 3), (by_a_callers_file, 3)])
def test_a_row_that_only_the_server_refuses_gets_the_words_of_its_rule(house, way, line):
    told = {key: (rule, field, reason.format(V2=line)) for key, (rule, field, reason) in TOLD.items()}

    assert way(house) == told
    assert in_quarantine(house) == told
    assert house.clinic.keys() == "V1 V10"
