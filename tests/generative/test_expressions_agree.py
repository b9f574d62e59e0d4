"""A contract's promises over one row: the loader's form and the check in PostgreSQL give one verdict."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql
from tests.contracts import contract_of, field

from daftari.compile.names import Schemas
from daftari.compile.tables import checks
from daftari.compile.tables.columns import column_type
from daftari.rows.formats.parse import physical
from daftari.rows.intake import copy_format
from daftari.rows.intake.intake import encode_rows
from daftari.rows.rules.expressions import parse
from daftari.rows.rules.rules import rulebook

TODAY = date(2026, 3, 14)
MIDNIGHT = datetime(2026, 3, 14, tzinfo=ZoneInfo("Africa/Nairobi")).astimezone(UTC)
STATES = ("open", "shut", "Äther")
CLOSED = [
    {"type": "library", "metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": list(STATES)}}
]
DATASET = contract_of(
    fields=[
        {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True},
        field("fee", physicalType="numeric(14,2)"),
        field("rate", physicalType="numeric(9,4)"),
        field("loose"),
        field("approx", physicalType="double precision"),
        field("count", "integer"),
        field("small", "integer", physicalType="smallint"),
        field("ward", "string"),
        field("state", "string", quality=CLOSED),
        field("paid", "boolean"),
        field("seen_on", "date"),
        field("left_on", "date"),
        field("seen_at", "timestamp"),
        field("left_at", "timestamp"),
        field("opens", "time"),
    ]
).dataset
NAMES = [one.name for one in DATASET.fields]


def numbers(scale, *, limit=10**4):
    """Decimals of *scale*, many of them whole, equal or next to each other."""
    near = st.integers(-3, 3).map(lambda n: Decimal(n).scaleb(-scale))
    whole = st.integers(-5, 5).map(Decimal)
    wide = st.integers(-limit * 10**scale, limit * 10**scale).map(lambda n: Decimal(n).scaleb(-scale))
    return near | whole | wide


MICROSECOND = timedelta(microseconds=1)
DAYS = st.integers(-2, 2).map(lambda n: TODAY + timedelta(days=n))
DAYS |= st.dates(date(1990, 1, 1), date(2040, 1, 1)) | st.sampled_from([date(2000, 1, 1), date(2024, 2, 29)])
MOMENTS = st.builds(
    lambda days, near: MIDNIGHT + timedelta(days=days) + near,
    st.integers(-2, 2),
    st.sampled_from([-MICROSECOND, timedelta(0), MICROSECOND, timedelta(hours=3), timedelta(hours=-3)])
    | st.timedeltas(timedelta(days=-1), timedelta(days=1)),
)
TEXTS = st.sampled_from(["", "open", "shut", "Kibera", "kibera", "Äther", "äther", "7", "a b", "你好"])
VALUES = {
    "visit_id": st.just("V1"),
    "fee": numbers(2),
    "rate": numbers(4, limit=100),
    "loose": numbers(18) | numbers(1),
    "approx": st.sampled_from([-1.5, 0.0, 0.5, 2.0, 1e9]),
    "count": st.integers(-5, 5) | st.integers(-(10**9), 10**9),
    "small": st.integers(-5, 5),
    "ward": TEXTS,
    "state": st.sampled_from(STATES),
    "paid": st.booleans(),
    "seen_on": DAYS,
    "left_on": DAYS,
    "seen_at": MOMENTS,
    "left_at": MOMENTS,
    "opens": st.times().map(lambda t: t.replace(second=0, microsecond=0)) | st.just(time(12)),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}),
    min_size=1,
    max_size=8,
)


def built(form, *parts):
    return st.builds(lambda *said: form.format(*said), *parts)


def literal(values):
    return values.map(lambda value: f"'{value.isoformat()}'")


NUMBER = st.sampled_from(["fee", "rate", "count", "small"])
NUMBER |= st.sampled_from(["0", "-1", "2.5", "0.01", "100", "1.005"])
NUMBER |= built("(fee * {})", st.sampled_from(["2", "0.5", "rate", "count"]))
NUMBER |= built("(loose * {})", st.sampled_from(["2", "0.5", "-3"]))
NUMBER |= built("({} + {})", NUMBER, NUMBER) | built("({} - {})", NUMBER, NUMBER)
NUMBER |= built("abs({})", NUMBER) | built("-({})", NUMBER)
NUMBER |= st.just("(left_on - seen_on)") | st.just("length(ward)") | st.just("loose")
NUMBER |= built("extract({} from seen_on)", st.sampled_from(["year", "month", "day"]))
NUMBER |= st.just("extract(month from seen_on) * 100 + extract(day from seen_on)")
NUMBER |= built("coalesce({}, {})", NUMBER, NUMBER)
TEXT = st.sampled_from(["ward", "state", "lower(ward)", "lower(state)", "cast(small as text)", "'open'"])
TEXT |= st.sampled_from(["coalesce(ward, 'x')", "coalesce(ward, state)"])
DATE = st.sampled_from(
    ["seen_on", "left_on", "cast(seen_at as date)", "cast(left_at as date)", "left_on::date"]
)
DATE |= built("({} {} {})", DATE, st.sampled_from("+-"), st.integers(0, 400))
DATE |= st.just("coalesce(seen_on, left_on)")
DATE |= literal(DAYS).filter(lambda text: text != "''")
TIMESTAMP = st.sampled_from(["seen_at", "left_at"])
MOMENT_LITERAL = literal(MOMENTS.map(lambda moment: moment.replace(microsecond=0)))
EQUALS, ORDERS = st.sampled_from(["=", "<>"]), st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
CONDITION = st.one_of(
    built("{} {} {}", NUMBER, ORDERS, NUMBER),
    built("approx {} 2.5 * approx - 3", ORDERS),
    built("{} between {} and {}", NUMBER, NUMBER, NUMBER),
    built("fee {}in (-1, 0.00, 2, 2.01)", st.sampled_from(["", "not "])),
    built("count {}in (-1, 0, 2.0)", st.sampled_from(["", "not "])),
    built("{} {} {}", TEXT, EQUALS, TEXT),
    built("state {} 'open'", EQUALS),
    built("state {}in ('open', 'Äther')", st.sampled_from(["", "not "])),
    built("ward in ('7', '', 'Kibera')"),
    built("{} {} {}", st.sampled_from(["seen_on", "left_on", "(seen_on + 3)"]), ORDERS, DATE),
    built("seen_on not between {} and {}", DATE, DATE),
    built("cast(seen_at as date) {} {}", ORDERS, st.sampled_from(["seen_on", "left_on", "'2026-03-14'"])),
    built("{} {} {}", TIMESTAMP, ORDERS, TIMESTAMP | MOMENT_LITERAL),
    built("opens {} '12:00'", ORDERS),
    built(
        "{} is {}null", st.sampled_from(["fee", "state", "paid", "seen_at"]), st.sampled_from(["", "not "])
    ),
    built("paid is {}{}", st.sampled_from(["", "not "]), st.sampled_from(["true", "false"])),
    st.sampled_from(["paid", "paid = false", "not paid"]),
)
CONDITION = CONDITION.filter(lambda text: any(name in text for name in NAMES))
CONDITION |= built("({}) {} ({})", CONDITION, st.sampled_from(["and", "or"]), CONDITION)
CONDITION |= built("not ({})", CONDITION)


@pytest.fixture(scope="module")
def table(scratch):
    """Send a frame to a table of the dataset's own types, and ask the server conditions of its rows."""
    scratch.execute("set timezone = 'America/New_York'")  # a check may not depend on the session
    for one in DATASET.fields:
        if one.allowed:
            labels = sql.SQL(", ").join(map(sql.Literal, one.allowed))
            name = sql.Identifier("pg_temp", f"visits_{one.name}")
            scratch.execute(sql.SQL("create type {} as enum ({})").format(name, labels))
    kinds = [column_type(DATASET, one, Schemas(data="pg_temp")) for one in DATASET.fields]
    columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(NAMES, kinds, strict=True))
    scratch.execute(f"create temporary table visits (at int generated always as identity, {columns})")
    names = ", ".join(f'"{name}"' for name in NAMES)

    def ask(frame, conditions):
        scratch.execute("truncate visits restart identity")
        with scratch.cursor().copy(f"copy visits ({names}) from stdin (format binary)") as out:
            out.write(copy_format.HEADER + encode_rows(frame, DATASET) + copy_format.TRAILER)
        asked = ", ".join(f"({condition})" for condition in conditions)
        found = scratch.execute(f"select {asked} from visits order by at", prepare=False).fetchall()
        return [list(column) for column in zip(*found, strict=True)]

    yield ask
    scratch.execute("set timezone = 'UTC'")
    scratch.execute("discard temp")


def frame_of(rows, dataset=DATASET):
    return pl.DataFrame(rows, schema={one.name: physical(one) for one in dataset.fields}, orient="row")


MANY = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@MANY
@example(rows=[dict.fromkeys(NAMES)] * 2, texts=["0 = coalesce(fee, 0)"])
@given(rows=ROWS, texts=st.lists(CONDITION, min_size=1, max_size=12))
def test_a_condition_gives_one_verdict_here_and_there(table, rows, texts):
    conditions = [parse(text, DATASET, where="rule") for text in texts]
    frame = frame_of(rows)

    here = [frame.select(one.expression(TODAY).alias("v"))["v"].to_list() for one in conditions]
    there = table(frame, [one.check for one in conditions])

    agree = dict(zip(texts, zip(here, there, strict=True), strict=True))
    assert {text: both for text, both in agree.items() if both[0] != both[1]} == {}


BOUNDED = contract_of(
    fields=[
        {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True},
        field("fee", physicalType="numeric(14,2)", logicalTypeOptions={"minimum": -0.01, "multipleOf": 0.02}),
        field("rate", physicalType="numeric(9,4)", logicalTypeOptions={"exclusiveMaximum": 0.0001}),
        field("loose", logicalTypeOptions={"maximum": 1, "exclusiveMinimum": -1}),
        field("approx", physicalType="double precision", logicalTypeOptions={"multipleOf": 0.5}),
        field("count", "integer", logicalTypeOptions={"minimum": -1, "maximum": 3, "multipleOf": 2}),
        field("small", "integer", physicalType="smallint", logicalTypeOptions={"exclusiveMinimum": 0}),
        field("ward", "string", logicalTypeOptions={"minLength": 1, "maxLength": 4, "pattern": r"\w*|\W{2}"}),
        field("state", "string", quality=CLOSED),
        field("paid", "boolean"),
        field(
            "seen_on", "date", logicalTypeOptions={"minimum": "1999-12-31", "exclusiveMaximum": "2026-03-14"}
        ),
        field("left_on", "date"),
        field("seen_at", "timestamp", logicalTypeOptions={"maximum": "2026-03-14T00:00:00+03:00"}),
        field("left_at", "timestamp", logicalTypeOptions={"exclusiveMinimum": "2026-03-13T21:00:00Z"}),
        field("opens", "time", logicalTypeOptions={"exclusiveMaximum": "12:00:00"}),
    ]
).dataset


@MANY
@given(rows=ROWS)
def test_the_options_of_a_field_give_one_verdict_here_and_there(table, rows):
    frame = frame_of(rows)
    definitions = {one.name: one.definition for one in checks.checks(BOUNDED, Schemas(data="pg_temp"))}
    broken: dict[str, pl.Series] = {}
    for rule in rulebook(BOUNDED, today=TODAY).rules:
        if rule.id.endswith(".allowed"):
            continue  # an enum, which nothing else gets into
        name = f"visits_{rule.id.replace('.', '_')}"
        found = frame.select(rule.violated.fill_null(False).alias("v"))["v"]
        broken[name] = broken[name] | found if name in broken else found

    there = table(frame, [definition.removeprefix("check ") for definition in definitions.values()])

    assert set(broken) == set(definitions)
    for name, holds in zip(definitions, there, strict=True):
        assert [hold is False for hold in holds] == broken[name].to_list(), name
