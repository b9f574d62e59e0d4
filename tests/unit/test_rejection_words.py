"""Each constraint that a contract makes has the words of the rule that it holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.small_contracts import NOTES, READINGS, TEAMS, TRIPS

from daftari.compile.tables.objects import Constraint
from daftari.compile.tables.tables import table_objects
from daftari.io.row_writing.constraint_reasons import Refusals
from daftari.rows.rules.rejection import Refusal

EVERY = [TEAMS, TRIPS, READINGS, NOTES]


@pytest.mark.parametrize("dataset", EVERY, ids=lambda it: it.name)
def test_no_constraint_of_a_contract_is_without_words(dataset):
    made = table_objects(EVERY, now=datetime(2026, 9, 1, tzinfo=UTC)).values()
    tables = (dataset.name, f"key_{dataset.name}")
    names = {it.name for it in made if isinstance(it, Constraint) and it.table in tables}

    assert names
    assert names - Refusals(dataset).by_constraint.keys() == set()


@pytest.mark.parametrize(
    ("dataset", "constraint", "rule", "fields", "reason"),
    [
        (TRIPS, "trips_pkey", "trip.unique", ("trip",), "repeats a value that must be unique"),
        (TRIPS, "trips_team_fkey", "team.reference", ("team",), "refers to a row that does not exist"),
        (
            TRIPS,
            "trips_no_overlap",
            "no_overlap",
            ("team", "starts_on", "ends_on"),
            "overlaps another row of the same key",
        ),
        (
            TRIPS,
            "trips_ends_after_start",
            "ends_after_start",
            ("ends_on", "starts_on"),
            "ends before it starts",
        ),
        (
            TRIPS,
            "trips_purpose_length",
            "purpose.length",
            ("purpose",),
            "is shorter than 3 or is longer than 200",
        ),
        (
            READINGS,
            "key_readings_pkey",
            "reading.unique",
            ("reading",),
            "repeats a value that must be unique",
        ),
    ],
)
def test_a_constraint_is_told_as_the_rule_that_it_holds(dataset, constraint, rule, fields, reason):
    found = Refusals(dataset).by_constraint[constraint]
    assert found == Refusal(rule=rule, fields=fields, reason=reason)
