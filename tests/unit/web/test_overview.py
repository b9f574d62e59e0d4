"""What the overview says of a dataset: whether it is late, fails, or needs somebody."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.contracts import contract_document, contract_of, field

from daftari.compile.access.relations import relation_of
from daftari.compile.quality.verdicts import CheckOutcome, CheckVerdict
from daftari.contract.freshness import is_late
from daftari.contract.reader.read import read_contract
from daftari.io.runs.check_results import CheckedDataset
from daftari.web.overview import Card, counted_by, failing_checks, fields_seen_by, referring

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def expected_every(value, unit):
    """A contract that promises rows at least every *value* *unit*."""
    level = {"property": "latency", "value": value, "unit": unit}
    return read_contract(json.dumps({**contract_document(), "slaProperties": [level]}), source="x.odcs.yaml")


# --- lateness


@pytest.mark.parametrize(
    ("value", "unit", "allowed"),
    [
        (1, "d", timedelta(days=1)),
        (2, "d", timedelta(days=2)),
        (31, "d", timedelta(days=31)),
        (6, "h", timedelta(hours=6)),
        (1, "day", timedelta(days=1)),
        (24, "hours", timedelta(hours=24)),
        (36, "hr", timedelta(hours=36)),
        (1, "w", timedelta(weeks=1)),
    ],
)
def test_a_dataset_is_late_when_its_last_load_is_older_than_its_latency(value, unit, allowed):
    contract = expected_every(value, unit)
    assert not is_late(contract, NOW, NOW)
    assert not is_late(contract, NOW - allowed + SECOND, NOW)
    assert not is_late(contract, NOW - allowed, NOW)
    assert is_late(contract, NOW - allowed - SECOND, NOW)


def test_a_dataset_of_which_no_latency_is_promised_is_never_late():
    assert not is_late(contract_of(), NOW - timedelta(days=4000), NOW)


# --- a card


def card(**changes):
    said = {"loaded_at": NOW, "is_late": False, "verdict": CheckVerdict.PASSED, "failing": 0, "waiting": 0}
    return Card(contract=contract_of(), may_load=False, **{**said, **changes})


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "healthy"),
        ({"verdict": None}, "healthy"),  # never checked is no failure
        ({"verdict": CheckVerdict.WARNED}, "healthy"),
        ({"loaded_at": None}, "empty"),
        ({"is_late": True}, "late"),
        ({"failing": 1}, "failing"),
        ({"verdict": CheckVerdict.FAILED}, "failing"),
        ({"verdict": CheckVerdict.NOT_EVALUATED}, "failing"),
        ({"verdict": CheckVerdict.FAILED, "is_late": True}, "failing"),
        ({"failing": 1, "loaded_at": None}, "failing"),
    ],
)
def test_the_state_of_a_dataset_is_the_worst_that_is_known_of_it(changes, state):
    assert card(**changes).state == state


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({}, False),
        ({"loaded_at": None}, False),
        ({"waiting": None}, False),
        ({"waiting": 1}, True),
        ({"is_late": True}, True),
        ({"failing": 1}, True),
    ],
)
def test_a_dataset_needs_attention_when_it_is_late_fails_or_has_rows_that_wait(changes, needs):
    assert card(**changes).needs_attention is needs


def test_failing_checks_are_those_that_failed_and_those_without_an_answer():
    def outcome(verdict):
        return CheckOutcome(
            check="x", field=None, description="", verdict=verdict, reason="", tested=1, failing=0
        )

    outcomes = tuple(outcome(it) for it in (*CheckVerdict, CheckVerdict.FAILED))
    checked = CheckedDataset(
        run_id=1, dataset="visits", contract_hash="", verdict=CheckVerdict.FAILED, rows=1, outcomes=outcomes
    )
    assert failing_checks(checked) == 3
    assert failing_checks(None) == 0


@pytest.fixture
def shown(pages):
    """Write the page of these facts as of `NOW`."""

    def written(**facts):
        said = {"cards": [], "own": [], "needed": [], "requests": [], "now": lambda: NOW, **facts}
        return " ".join(pages.get_template("overview.html.jinja").render(**said).split())

    return written


def test_the_page_says_how_late_a_dataset_is(shown):
    late = card(is_late=True, loaded_at=NOW - timedelta(days=3, hours=5))
    page = shown(cards=[late], needed=[late])
    assert "is late: its last load was 3 d ago." in page
    assert '<span class="badge warn">late</span>' in page
    assert "Nothing. Every dataset is on time" not in page


def test_the_page_says_that_nothing_needs_the_reader(shown):
    page = shown(cards=[card()])
    assert "Nothing. Every dataset is on time" in page
    assert '<span class="badge good">healthy</span>' in page


def test_the_page_names_checks_that_fail_and_rows_that_wait(shown):
    wrong = card(failing=2, waiting=1234)
    page = shown(cards=[wrong], needed=[wrong])
    assert "</a>: 2 checks fail." in page
    assert "1,234 rows of visits" in page


def test_who_does_not_correct_rows_is_told_nothing_of_them(shown):
    assert "Rejected rows" not in shown(cards=[card(waiting=None)])


# --- the page of one dataset


def test_each_field_is_shown_as_the_role_sees_it(reference):
    _, leave = reference.dataset("leave_requests")

    def seen(role):
        return {it["field"].name: it["seen"] for it in fields_seen_by(role, leave.dataset)}

    assert (seen("hr")["user_id"], seen("hr")["reason"]) == ("clear", "sealed")
    assert (seen("auditor")["user_id"], seen("auditor")["reason"]) == ("masked", "masked")
    assert (seen("manager")["status"], seen("manager")["leave_type"]) == ("clear", "hidden")
    assert set(seen("kiosk").values()) == {"hidden"}


def test_a_field_that_is_seen_in_some_rows_alone_is_shown_so():
    lines = [
        {"role": "nurse", "operations": ["read"], "rows": "all", "fields": ["visit_id"]},
        {"role": "nurse", "operations": ["read"], "rows": "fee > 5", "fields": ["visit_id", "fee"]},
    ]
    dataset = contract_of(custom={"access": lines}).dataset
    assert [(it["field"].name, it["seen"]) for it in fields_seen_by("nurse", dataset)] == [
        ("visit_id", "clear"),
        ("seen_on", "hidden"),
        ("fee", "in some rows"),
    ]


def test_the_datasets_that_refer_to_one_are_the_others(reference):
    assert set(referring("users", reference.contracts)) == {
        "expenses", "incidents", "leave_requests", "salaries",
    }  # fmt: skip
    assert referring("expenses", reference.contracts) == []


KEY = field("visit_id", "string", required=True, primaryKey=True)


@pytest.mark.parametrize(
    ("fields", "masked", "expected"),
    [
        ([field("paid_on", "date"), field("seen_on", "date", required=True)], [], "seen_on"),
        ([field("seen_at", "timestamp", required=True), field("b", "date", required=True)], [], "seen_at"),
        ([field("fee", "number", required=True)], [], None),
        ([field("paid_on", "date")], [], None),
        ([field("born_on", "date", required=True), field("b", "date", required=True)], ["born_on"], "b"),
    ],
)
def test_rows_are_counted_by_the_first_required_date_in_the_clear(fields, masked, expected):
    access = [{"role": "nurse", "operations": ["read"], "rows": "all", "masked": masked}]
    dataset = contract_of(fields=[KEY, *fields], custom={"access": access}).dataset
    found = counted_by(relation_of(dataset, "nurse"))
    assert (found.name if found else None) == expected
