from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from tests.small_contracts import READINGS, with_field

from daftari.compile.names import Schemas
from daftari.compile.partitions import kept, partitions
from daftari.compile.tables.objects import Partition
from daftari.contract.model import LogicalType, Partitioning, PartitionPeriod


def made(today, **partitioning):
    dataset = replace(READINGS, partitioning=Partitioning(field="read_at", **partitioning))
    return partitions(dataset, today=today, schemas=Schemas())


@pytest.mark.parametrize(
    ("today", "partitioning", "names"),
    [
        # the present quarter, and one ahead
        (date(2026, 11, 23), {"every": PartitionPeriod.QUARTER, "ahead": 1}, ["2026q4", "2027q1"]),
        (date(2026, 12, 31), {"every": PartitionPeriod.QUARTER, "ahead": 1}, ["2026q4", "2027q1"]),
        (date(2027, 1, 1), {"every": PartitionPeriod.QUARTER, "ahead": 1}, ["2027q1", "2027q2"]),
        # from the quarter that holds the start
        (
            date(2026, 11, 23),
            {"every": PartitionPeriod.QUARTER, "ahead": 0, "start": "2026-02"},
            ["2026q1", "2026q2", "2026q3", "2026q4"],
        ),
        (
            date(2026, 11, 23),
            {"every": PartitionPeriod.MONTH, "ahead": 2},
            ["2026_11", "2026_12", "2027_01"],
        ),
        # a start in the future, beyond what is made ahead
        (date(2026, 11, 23), {"every": PartitionPeriod.MONTH, "ahead": 0, "start": "2027-01"}, []),
    ],
)
def test_periods_reach_from_the_start_to_some_ahead_and_a_default_takes_the_rest(today, partitioning, names):
    found = [it.name for it in made(today, **partitioning)]
    assert found == [*(f"readings_{name}" for name in names), "readings_default"]


@pytest.mark.parametrize(
    ("logical_type", "bounds"),
    [
        (LogicalType.DATE, "FOR VALUES FROM ('2026-10-01') TO ('2027-01-01')"),
        (
            LogicalType.TIMESTAMP,
            "FOR VALUES FROM ('2026-10-01 00:00:00+00') TO ('2027-01-01 00:00:00+00')",
        ),
    ],
)
def test_bounds_are_written_as_postgresql_prints_them(logical_type, bounds):
    dataset = READINGS
    if logical_type is not LogicalType.TIMESTAMP:
        dataset = with_field(READINGS, "read_at", logical_type=logical_type)
    found = partitions(dataset, today=date(2026, 11, 23), schemas=Schemas())
    assert [it.bounds for it in found if it.name == "readings_2026q4"] == [bounds]


@pytest.mark.parametrize(
    ("name", "bounds", "expected"),
    [
        # a quarter long past: stays, and so its triggers are looked after
        ("readings_2019q1", "FOR VALUES FROM ('2019-01-01 00:00:00+00') TO ('2019-04-01 00:00:00+00')", True),
        # of the right time under a wrong name, and of a wrong time under a right name
        ("readings_old", "FOR VALUES FROM ('2019-01-01 00:00:00+00') TO ('2019-04-01 00:00:00+00')", False),
        (
            "readings_2019q1",
            "FOR VALUES FROM ('2019-01-01 00:00:00+00') TO ('2020-01-01 00:00:00+00')",
            False,
        ),
        ("readings_x", "DEFAULT", False),
        # wanted today
        (
            "readings_2026q4",
            "FOR VALUES FROM ('2026-10-01 00:00:00+00') TO ('2027-01-01 00:00:00+00')",
            False,
        ),
    ],
)
def test_a_partition_of_another_period_is_kept(name, bounds, expected):
    partition = Partition(schema="ops", table="readings", name=name, bounds=bounds)
    assert (kept([READINGS], [partition], now=datetime(2026, 11, 23, tzinfo=UTC)) == [partition]) is expected
