"""A contract's conditions: what they may say, what is refused and how, and SQL's three-valued logic."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl
import pytest
from tests.contracts import contract_of, field

from daftari.errors import ContractError
from daftari.rows.rules.expressions import parse

CLOSED = [
    {"type": "library", "metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["x", "y"]}}
]
DATASET = contract_of(
    fields=[
        {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True},
        field("fee", physicalType="numeric(14,2)"),
        field("rate", physicalType="numeric(9,4)"),
        field("loose"),
        field("approx", physicalType="double precision"),
        field("count", "integer"),
        field("ward", "string"),
        field("state", "string", quality=CLOSED),
        field("paid", "boolean"),
        field("seen_on", "date"),
        field("seen_at", "timestamp"),
        field("opens", "time"),
        field("extra", "object"),
    ]
).dataset
SCHEMA = {
    "fee": pl.Decimal(14, 2),
    "rate": pl.Decimal(9, 4),
    "loose": pl.Decimal(38, 18),
    "approx": pl.Float64,
    "count": pl.Int64,
    "ward": pl.String,
    "state": pl.String,
    "paid": pl.Boolean,
    "seen_on": pl.Date,
    "seen_at": pl.Datetime("us", "UTC"),
    "opens": pl.Time,
    "extra": pl.String,
}
TODAY = date(2026, 3, 14)


def verdict(text, **row):
    """What the condition says of one row; a field that is not given is null."""
    frame = pl.DataFrame({name: [row.get(name)] for name in SCHEMA}, schema=SCHEMA)
    return frame.select(parse(text, DATASET, where="rule").expression(TODAY).alias("it"))["it"][0]


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("fee = 5", {"fee": Decimal("5.00")}, True),
        ("fee <> 5", {"fee": Decimal("5.00")}, False),
        ("fee > 4.999", {"fee": Decimal("5.00")}, True),
        ("fee < 5 or count <= 3", {"fee": Decimal("5.00"), "count": 3}, True),
        ("fee >= 5 and not paid", {"fee": Decimal("5.00"), "paid": True}, False),
        ("fee between 5 and 6", {"fee": Decimal("6.00")}, True),
        ("fee not between 5 and 6", {"fee": Decimal("6.01")}, True),
        ("fee in (-1, 2.50)", {"fee": Decimal("-1.00")}, True),
        ("fee in (-1, 2.50)", {"fee": Decimal("1.00")}, False),
        ("fee = -(2.5)", {"fee": Decimal("-2.50")}, True),
        ("abs(fee) = 2.5", {"fee": Decimal("-2.50")}, True),
        ("fee + 0.001 = 2.501", {"fee": Decimal("2.50")}, True),
        ("fee * rate = 3.346650", {"fee": Decimal("3.33"), "rate": Decimal("1.0050")}, True),
        ("loose * 3 = 1", {"loose": Decimal("0.333333333333333333")}, False),
        ("approx * 2 = 3", {"approx": 1.5}, True),
        ("count * count = 9223372030926249001", {"count": 3037000499}, True),
        ("count * count > 9223372036854775807", {"count": 4000000000}, True),
        ("count + count > 0", {"count": 2**62}, True),
        ("ward = 'Kibera'", {"ward": "Kibera"}, True),
        ("'x' = state", {"state": "x"}, True),
        ("state in ('x', 'y')", {"state": "y"}, True),
        ("lower(ward) = 'mathare'", {"ward": "Mathare"}, True),
        ("length(ward) = 6", {"ward": "Ngäong"}, True),
        ("coalesce(ward, state) = 'x'", {"state": "x"}, True),
        ("cast(count as text) = ward", {"count": 7, "ward": "7"}, True),
        ("paid", {"paid": True}, True),
        ("paid = true", {"paid": False}, False),
        ("paid is not false", {"paid": None}, True),
        ("seen_on >= '2026-03-14'", {"seen_on": date(2026, 3, 14)}, True),
        ("seen_on in ('2026-03-14', '2026-03-15')", {"seen_on": date(2026, 3, 15)}, True),
        ("seen_on <= current_date", {"seen_on": date(2026, 3, 15)}, False),
        ("(seen_on + 1) - 2 = '2026-02-28'", {"seen_on": date(2026, 3, 1)}, True),
        ("current_date - seen_on = 13", {"seen_on": date(2026, 3, 1)}, True),
        (
            "extract(month from seen_on) * 100 + extract(day from seen_on) = 1231",
            {"seen_on": date(2026, 12, 31)},
            True,
        ),
        ("seen_at < '2026-03-14T00:00:00+03:00'", {"seen_at": datetime(2026, 3, 13, 21, tzinfo=UTC)}, False),
        ("opens < '12:00'", {"opens": time(11, 59, 59)}, True),
        ("extra is null", {}, True),
    ],
)
def test_a_condition_says_what_it_says_in_sql(text, row, expected):
    assert verdict(text, **row) is expected


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 13, 20, 59, 59, 999999, tzinfo=UTC), "2026-03-13"),
        (datetime(2026, 3, 13, 21, tzinfo=UTC), "2026-03-14"),
    ],
)
def test_the_day_of_a_timestamp_is_the_day_in_nairobi(moment, day):
    assert verdict(f"cast(seen_at as date) = '{day}'", seen_at=moment) is True


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("fee = 5", {}, None),
        ("fee <> 5", {}, None),
        ("not fee = 5", {}, None),
        ("fee = 5 and paid", {"paid": False}, False),
        ("fee = 5 and paid", {"paid": True}, None),
        ("fee = 5 or paid", {"paid": True}, True),
        ("fee = 5 or paid", {"paid": False}, None),
        ("state in ('x')", {}, None),
        ("state not in ('x')", {}, None),
        ("fee in (1, 2)", {}, None),
        ("fee between 1 and count", {"fee": Decimal(0)}, False),
        ("fee between 1 and count", {"fee": Decimal(2)}, None),
        ("fee is null", {}, True),
        ("fee is not null", {}, False),
        ("paid is true", {}, False),
        ("paid is null", {"paid": False}, False),
        ("seen_on + 1 > '2026-01-01'", {}, None),
        ("coalesce(fee, 0) = 0", {}, True),
    ],
)
def test_null_follows_the_three_valued_logic_of_sql(text, row, expected):
    assert verdict(text, **row) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rule: not an SQL condition: No expression was parsed from ''"),
        ("fee = 1; drop table visits", "rule: Block is not allowed in a rule"),
        ("fee like 'x'", "rule: Like is not allowed in a rule"),
        ("fee in (select 1)", "rule: in takes a list of values"),
        ("fee in (1, null)", "rule: in takes a list of values"),
        ("pg_sleep(1) is null", "rule: pg_sleep is not allowed in a rule"),
        ("now() > seen_at", "rule: CurrentTimestamp is not allowed in a rule"),
        ("fee % 2 = 0", "rule: Mod is not allowed in a rule"),
        ("v.fee = 1", "rule: v.fee: v names no reference; known: none"),
        ("fees < 5", "rule: fees is not a field; known: visit_id, fee,"),
        ("Fee = 1", "rule: Fee is not a field"),
        ("fee", "rule: is a number; expected a condition"),
        ("1 = 1", "rule: uses no field; known: visit_id, fee,"),
        ("fee and paid", "rule: fee is a number; expected a condition"),
        ("fee = null", "rule: nothing equals null; use is null or is not null"),
        ("fee = ward", "rule: ward is a text, but is compared with a number"),
        ("fee = '5'", "rule: '5' is a text, but is compared with a number"),
        ("seen_at >= seen_on", "rule: seen_on is a date, but is compared with a timestamp"),
        ("ward < 'x'", "rule: the order of text differs between servers; use = or <>"),
        ("lower(ward) < 'x'", "rule: the order of text differs between servers"),
        ("(ward) between 'a' and 'b'", "rule: the order of text differs between servers"),
        ("paid > false", "rule: paid is true or false, which has no order"),
        ("extra = extra", "rule: documents cannot be compared; only is null is allowed"),
        ("state = 'z'", "rule: 'z' is not a value of the field's closed set"),
        ("state in ('x', 'z')", "rule: 'z' is not a value of the field's closed set"),
        ("seen_on > '14/03/2026'", "rule: '14/03/2026' is not a date; expected YYYY-MM-DD"),
        ("seen_on > '2026-02-30'", "rule: '2026-02-30' is not a date; expected YYYY-MM-DD"),
        (
            "seen_at > '2026-03-14T00:00:00'",
            "rule: '2026-03-14T00:00:00' is not a timestamp; expected YYYY-MM-DDTHH:MM:SS+03:00, with its offset",
        ),
        ("opens > '8 am'", "rule: '8 am' is not a time; expected HH:MM or HH:MM:SS"),
        (
            "seen_on + count > seen_on",
            "rule: seen_on + count: only a literal whole number of days can be added to a date",
        ),
        ("seen_on * 2 > 1", "rule: seen_on * 2: a date does not support this calculation"),
        ("loose * loose = 1", "rule: loose * loose would have 36 decimals, too many to be exact"),
        ("cast(seen_at as text) = 'x'", "rule: CAST(seen_at AS TEXT) is not allowed in a rule"),
        ("cast(ward as varchar(3)) = 'x'", "rule: CAST(ward AS VARCHAR(3)) is not allowed in a rule"),
        ("extract(hour from seen_at) > 8", "rule: extract supports year, month, day from a date"),
        ("length(count) > 8", "rule: LENGTH(count) needs a text, not a number"),
        ("fee between symmetric 2 and 1", "rule: between symmetric is not allowed in a rule"),
    ],
)
def test_what_is_no_condition_over_one_row_is_refused_in_words(text, message):
    with pytest.raises(ContractError) as caught:
        parse(text, DATASET, where="rule")

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("fee >= 0 /* or so */", '"fee" >= 0'),
        (
            "cast(seen_at as date) >= seen_on",
            'CAST(("seen_at" AT TIME ZONE \'Africa/Nairobi\') AS DATE) >= "seen_on"',
        ),
        ("cast(seen_on as date) = seen_on", 'CAST("seen_on" AS DATE) = "seen_on"'),
        (
            "state = 'x' and state in ('x') and state is not null",
            '"state" = \'x\' AND "state" IN (\'x\') AND "state" IS NOT NULL',
        ),
        ("lower(state) = ward", 'LOWER(CAST("state" AS TEXT)) = "ward"'),
        ("seen_on <= current_date", None),
    ],
)
def test_the_check_quotes_names_depends_on_no_session_and_is_none_where_it_depends_on_the_day(text, check):
    assert parse(text, DATASET, where="rule").check == check


def test_a_condition_knows_its_fields():
    assert parse("fee > 0 and (ward is null or fee < 9)", DATASET, where="rule").fields == ("fee", "ward")


def test_a_number_too_long_for_an_exact_product_is_left_to_the_database():
    assert verdict("loose * 0.5 > 0", loose=Decimal("99999999999999999999")) is None
