"""One reading of a length of time: on pages, in dbt's freshness, of retention, and of what cannot be read."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from ruamel.yaml import YAML
from tests.contracts import contract_document, contract_of

from daftari.compile.marts.dbt_files import staging_files
from daftari.contract.durations import duration, latency
from daftari.contract.freshness import is_late
from daftari.contract.governable.governable import governable
from daftari.contract.reader.read import read_contract

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
LATENCIES = [
    # value, unit, meaning, what dbt is told
    (30, "min", timedelta(minutes=30), (30, "minute")),
    (90, "minutes", timedelta(minutes=90), (90, "minute")),
    (1, "h", HOUR, (1, "hour")),
    (6, "hr", 6 * HOUR, (6, "hour")),
    (36, "hr", 36 * HOUR, (36, "hour")),
    (36, "hours", 36 * HOUR, (36, "hour")),
    (24, "hours", DAY, (1, "day")),
    (1, "hour", HOUR, (1, "hour")),
    (2, "d", 2 * DAY, (2, "day")),
    (1, "day", DAY, (1, "day")),
    (7, "days", WEEK, (7, "day")),
    (7, "Days", WEEK, (7, "day")),
    (1, "w", WEEK, (7, "day")),
    (1, "week", WEEK, (7, "day")),
    (2, "weeks", 2 * WEEK, (14, "day")),
    (1, "mo", 31 * DAY, (31, "day")),
    (1, "month", 31 * DAY, (31, "day")),
    (3, "months", 92 * DAY, (92, "day")),
    (1, "y", 366 * DAY, (366, "day")),
    (1, "yr", 366 * DAY, (366, "day")),
    (2, "years", 731 * DAY, (731, "day")),
    (1.5, "d", 36 * HOUR, (36, "hour")),
    ("2 d", None, 2 * DAY, (2, "day")),
    ("1d", None, DAY, (1, "day")),
    ("P1D", None, DAY, (1, "day")),
    ("PT36H", None, 36 * HOUR, (36, "hour")),
    ("P1DT12H30M", None, timedelta(hours=36, minutes=30), (2190, "minute")),
    ("P1W", None, WEEK, (7, "day")),
    ("P1M", None, 31 * DAY, (31, "day")),
]
UNREADABLE = (
    "a number above 0 and one of min, h, d, w, month or y, as in 36 h, or an ISO 8601 duration, as in PT36H"
)


def promising(value, unit, *, name="latency"):
    level = {"property": name, "value": value} | ({"unit": unit} if unit else {})
    document = contract_document() | {"slaProperties": [level]}
    return read_contract(json.dumps(document, indent=0), source="c")


def freshness(contract):
    (text,) = (it.text for it in staging_files([contract]) if it.name == "sources.yml")
    (table,) = YAML(typ="safe").load(text)["sources"][0]["tables"]
    return table.get("config", {}).get("freshness")


@pytest.mark.parametrize(("value", "unit", "meaning", "told"), LATENCIES)
def test_the_page_and_dbt_read_a_latency_alike(value, unit, meaning, told):
    contract = promising(value, unit)
    assert contract.latency == meaning
    assert not is_late(contract, NOW - meaning, NOW)
    assert is_late(contract, NOW - meaning - SECOND, NOW)
    count, period = told
    assert freshness(contract) == {"error_after": {"count": count, "period": period}}
    assert governable(contract) == ()


@pytest.mark.parametrize(
    ("value", "unit", "said", "expected"),
    [
        (2, "fortnights", "2 fortnights", UNREADABLE),
        (90, "s", "90 s", UNREADABLE),
        (2, None, "2", UNREADABLE),
        ("daily", None, "daily", UNREADABLE),
        (0, "d", "0 d", UNREADABLE),
        (-1, "d", "-1 d", UNREADABLE),
        (0.01, "h", "0.01 h", UNREADABLE),  # 36 seconds
        ("P", None, "P", UNREADABLE),
        ("PT", None, "PT", UNREADABLE),
        ("P0D", None, "P0D", UNREADABLE),
        (5, "m", "5 m", "min or month: m may mean either"),
        (5, "M", "5 M", "min or month: m may mean either"),
    ],
)
def test_a_latency_that_cannot_be_read_is_a_finding_and_promises_nothing(value, unit, said, expected):
    contract = promising(value, unit)
    (fault,) = governable(contract)
    assert (fault.found, fault.expected) == (f"latency {said!r}", expected)
    assert (fault.place, fault.line > 0) == (f"slaProperties.latency.{'unit' if unit else 'value'}", True)
    assert (contract.latency, freshness(contract)) == (None, None)
    assert not is_late(contract, NOW - timedelta(days=4000), NOW)


@pytest.mark.parametrize("name", ["latency", "Latency", "ly", "LY"])
def test_a_latency_is_known_by_each_name_that_odcs_gives_it(name):
    assert promising(1, "day", name=name).latency == DAY


def test_a_contract_without_a_latency_promises_none():
    assert (contract_of().latency, freshness(contract_of())) == (None, None)
    assert governable(promising("daily", None, name="frequency")) == ()


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("90d", 90 * DAY),
        ("12w", 84 * DAY),
        ("1m", 31 * DAY),
        ("18m", 548 * DAY),
        ("1y", 366 * DAY),
        ("4y", 1461 * DAY),
        ("7y", 2557 * DAY),
    ],
)
def test_retention_is_read_as_a_latency_is_with_m_for_months(text, meaning):
    assert duration(text) == meaning
    assert latency(text.replace("m", " months")) == meaning
    assert contract_of(custom={"retention": text}).dataset.retention == meaning
