"""Rules that look at the row that a row refers to: the same verdict however a row comes, and nothing revealed."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from tests.clinic import WARDS
from tests.contracts import field
from tests.served_clinic import opened, visit

from daftari.compile.quality.suites import suite
from daftari.io.load.foreign_keys import ReferencedRows

FIELDS = [*WARDS, field("is_open", "boolean"), field("closes_on", "date"), field("beds", "integer")]
RULES = [
    {
        "id": "ward_is_open",
        "expression": "ward.is_open",
        "message": "names a ward that is closed",
        "when": "written",
    },
    {
        "id": "before_closing",
        "expression": "ward.closes_on is null or seen_on <= ward.closes_on",
        "message": "is after the ward closed",
        "severity": "warning",
    },
]
OPEN = """
    update ops.wards set is_open = true, beds = 10;
    update ops.wards set closes_on = '2026-03-10' where ward = 'B';
    update ops.wards set is_open = false where ward = 'C';
"""
TOLD = {
    "V2": ["before_closing"],
    "V3": ["ward_is_open"],
    "V4": ["ward.reference"],
    "V5": ["seen_on.minimum", "ward_is_open"],
}
RECORDS = [
    visit(1),
    visit(2, ward="B", seen_on="2026-03-11"),
    visit(3, ward="C"),
    visit(4, ward="X"),
    visit(5, ward="C", seen_on="2019-01-01"),
    visit(6, ward="B", seen_on="2026-03-10"),
]


@pytest.fixture
def house(filled, tmp_path):
    with opening(filled, tmp_path) as made:
        yield made


@contextmanager
def opening(filled, folder):
    with opened(filled, folder, wards=FIELDS, rules=RULES) as made:
        made.conn.execute(OPEN)
        yield made


def lines(*records):
    return [f"{it['visit_id']},{it['seen_on']},{it['ward']},{it['patient']},12.50," for it in records]


def by_http(house):
    return house.ask(*RECORDS)


def by_http_one_by_one(house):
    return [house.ask(record) for record in RECORDS]


def by_file(house):
    return house.clinic.load(*lines(*RECORDS))


def by_a_callers_file(house):
    return house.clinic.load(*lines(*RECORDS), sender=(house.write_context().context, house.roles))


def in_quarantine(house):
    found = house.conn.execute("select key, reasons from daftari.quarantine where resolved_by is null")
    return {
        (key if isinstance(key, dict) else json.loads(key))["visit_id"]: [why["rule"] for why in reasons]
        for key, reasons in found
    }


@pytest.mark.parametrize("way", [by_http, by_http_one_by_one, by_file, by_a_callers_file])
def test_a_rule_about_a_referenced_row_gives_one_verdict_whichever_way_a_row_comes(house, way):
    way(house)

    assert in_quarantine(house) == TOLD
    assert house.clinic.keys() == "V1 V6"


@pytest.mark.parametrize("way", [by_http, by_file])
def test_rows_written_before_what_they_refer_to_changed_stay_and_may_come_again(house, way):
    house.conn.execute("update ops.wards set is_open = true, closes_on = null")
    house.post(visit(1), visit(3, ward="C"), visit(7, ward="C"), visit(8))
    house.conn.execute(OPEN)

    # a fee is another matter than the ward; to move a visit to the closed ward is refused
    again = [visit(3, ward="C", fee="99"), visit(7, ward="A"), visit(8, ward="C")]
    if way is by_http:
        found = house.post(*again, is_new=False)
        assert found == ["updated", "updated", "ward_is_open"]
    else:
        house.clinic.load(*(line.replace("12.50", "99") for line in lines(*again)))
    assert in_quarantine(house) == {"V8": ["ward_is_open"]}
    assert house.conn.execute("select visit_id, ward from ops.visits order by 1").fetchall() == [
        ("V1", "A"),
        ("V3", "C"),
        ("V7", "A"),
        ("V8", "A"),
    ]


@pytest.mark.parametrize(
    ("role", "told"),
    [("matron", "ward_is_open"), ("nurse", "not_taken"), ("clerk", "not_taken")],
)
def test_a_caller_who_does_not_see_the_referenced_row_is_told_no_more_than_of_a_policy(house, role, told):
    assert house.post(visit(3, ward="C"), role=role, is_new=False) == [told]


def test_what_rules_look_at_is_read_for_the_rows_that_are_named(house):
    referenced = ReferencedRows(house.conn, house.contract.dataset)

    (keys,) = referenced.known().values()

    assert sorted(keys.rows()) == [
        ("A", True, None),
        ("B", True, keys["closes_on"].drop_nulls().item()),
        ("C", False, None),
    ]


def test_the_check_of_the_table_finds_what_changed_since_unless_the_rule_is_of_writing_alone(house):
    house.conn.execute("update ops.wards set is_open = true, closes_on = null")
    house.post(visit(1), visit(2, ward="B", seen_on="2026-03-12"), visit(3, ward="C"))
    house.conn.execute(OPEN)
    checks = {it.id: it for it in suite(house.contract).checks if it.id.startswith("rule.")}

    assert list(checks) == ["rule.before_closing"]
    query = checks["rule.before_closing"].kwargs["unexpected_rows_query"].replace("\\:", ":")
    assert house.conn.execute(query).fetchall() == [("V2",)]
    assert checks["rule.before_closing"].severity == "warning"
