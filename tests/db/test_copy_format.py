"""What is encoded for a binary COPY is what PostgreSQL reads back, value by value."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from daftari.rows.intake import copy_format

MOMENT = pl.Datetime("us", "UTC")
LEAST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 12, 31)


@pytest.fixture
def db(scratch):
    return scratch


def round_trip(db, frame, types, **forms):
    """Send *frame* to a fresh table of *types* and return the rows that the server then holds."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in zip(frame.columns, types, strict=True)
    )
    db.execute("drop table if exists sent")
    db.execute(
        sql.SQL("create temporary table sent (at int generated always as identity, {})").format(columns)
    )
    names = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    with db.cursor().copy(sql.SQL("copy sent ({}) from stdin (format binary)").format(names)) as out:
        out.write(copy_format.HEADER + copy_format.encode_copy(frame, **forms) + copy_format.TRAILER)
    read = sql.SQL("select {} from sent order by at").format(names)
    return db.execute(read, prepare=False).fetchall()


def sent_and_read(db, values, dtype, kind, **forms):
    frame = pl.DataFrame({"v": values}, schema={"v": dtype})
    return [value for (value,) in round_trip(db, frame, [kind], **forms)]


def decimal(digits, exponent):
    return Decimal(digits).scaleb(exponent)


EDGES = [
    ("text", pl.String, ["", "a", "Ng'ong\n\t\\.", "Wanjikũ 你好 🦁", "x" * 70_000, None]),
    ("varchar(5)", pl.String, ["12345", "ñandú", None]),
    ("bytea", pl.Binary, [b"", b"\x00\xff", None]),
    ("boolean", pl.Boolean, [True, False, None]),
    ("smallint", pl.Int16, [-(2**15), -1, 0, 2**15 - 1, None]),
    ("integer", pl.Int32, [-(2**31), -1, 0, 2**31 - 1, None]),
    ("bigint", pl.Int64, [-(2**63), -1, 0, 2**63 - 1, None]),
    ("double precision", pl.Float64, [0.0, -1.5, 1e308, 5e-324, float("inf"), None]),
    ("date", pl.Date, [LEAST_DAY, date(1999, 12, 31), date(2000, 1, 1), date(2000, 2, 29), LAST_DAY, None]),
    ("time", pl.Time, [time(0), time(8, 30), time(23, 59, 59, 999999), None]),
    (
        "timestamptz",
        MOMENT,
        [
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(2000, 1, 1, tzinfo=UTC),
            datetime(2026, 3, 13, 21, 0, 0, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            None,
        ],
    ),
    (
        "numeric",
        pl.Decimal(38, 0),
        [Decimal(10**38 - 1), Decimal(1 - 10**38), Decimal(0), Decimal(10_000), None],
    ),
    ("numeric", pl.Decimal(38, 38), [Decimal("0." + "9" * 38), decimal(1, -38), decimal(-1, -38), None]),
    ("numeric", pl.Decimal(38, 18), [Decimal("12.5"), Decimal(-(10**19)), decimal(1, -18), Decimal(0), None]),
    (
        "numeric(14,2)",
        pl.Decimal(14, 2),
        [Decimal("-999999999999.99"), Decimal("0.01"), Decimal("1234.50"), None],
    ),
    ("numeric", pl.Decimal(38, 3), [decimal(-(2**63), -3)]),
    ("numeric", pl.Decimal(38, 3), [decimal(2**63, -3), decimal(2**62 // 10, -3)]),
    (
        "numeric",
        pl.Decimal(38, 1),
        [decimal(n, -1) for n in (2**62, -(2**62), 2**63 - 1, -(2**63) + 1, 2**64)],
    ),
]


@pytest.mark.parametrize(
    ("kind", "dtype", "values"), EDGES, ids=[f"{kind} {dtype}" for kind, dtype, _ in EDGES]
)
def test_the_edges_of_each_type_arrive(db, kind, dtype, values):
    assert sent_and_read(db, values, dtype, kind) == values


@pytest.mark.parametrize(
    ("kind", "dtype", "values"), EDGES, ids=[f"{kind} {dtype}" for kind, dtype, _ in EDGES]
)
def test_a_part_of_a_block_arrives_as_that_part(db, kind, dtype, values):
    whole = pl.DataFrame({"v": [*values, *values]}, schema={"v": dtype})
    part = whole[1 : len(values) + 2]

    assert [value for (value,) in round_trip(db, part, [kind])] == [*values[1:], *values[:2]]


def test_nothing_but_nulls_arrives_as_nulls(db):
    dtypes = [dtype for _, dtype, _ in EDGES]
    frame = pl.DataFrame(
        {str(at): [None, None] for at in range(len(dtypes))},
        schema={str(at): d for at, d in enumerate(dtypes)},
    )

    assert round_trip(db, frame, [kind for kind, _, _ in EDGES]) == [(None,) * len(dtypes)] * 2


def test_no_rows_are_no_bytes():
    assert copy_format.encode_copy(pl.DataFrame(schema={"v": pl.String})) == b""


def test_not_a_number_arrives_as_such(db):
    assert str(sent_and_read(db, [float("nan")], pl.Float64, "double precision")) == "[nan]"


def test_a_number_without_a_declared_scale_shows_the_decimals_it_has(db):
    values = [Decimal("12.5"), Decimal("1250"), Decimal("0.000001"), Decimal("-3.10"), Decimal(0)]
    frame = pl.DataFrame({"v": values}, schema={"v": pl.Decimal(38, 18)})

    round_trip(db, frame, ["numeric"])

    shown = [text for (text,) in db.execute("select v::text from sent order by at", prepare=False).fetchall()]
    assert shown == ["12.5", "1250", "0.000001", "-3.1", "0"]


def test_a_declared_scale_is_kept(db):
    round_trip(
        db, pl.DataFrame({"v": [Decimal("12.50")]}, schema={"v": pl.Decimal(14, 2)}), ["numeric(14,2)"]
    )

    assert db.execute("select v::text from sent").fetchone() == ("12.50",)


def test_documents_arrive_as_jsonb(db):
    values = [{"a": [1, 2.50, None], "ü": "\n"}, [], None]
    texts = [None if value is None else json.dumps(value) for value in values]

    assert sent_and_read(db, texts, pl.String, "jsonb", jsonb=["v"]) == values


def test_uuids_arrive_as_uuid(db):
    values = [uuid.UUID(int=0), uuid.UUID("6f1c7a52-0f4e-4b8e-9b57-8c1e4f9d2a31"), None]
    texts = [None if value is None else str(value) for value in values]

    assert sent_and_read(db, texts, pl.String, "uuid", uuid=["v"]) == values


def test_an_enum_takes_its_labels(db):
    db.execute("drop type if exists pg_temp.mood cascade")
    db.execute("create type pg_temp.mood as enum ('low', 'high')")

    assert sent_and_read(db, ["high", None, "low"], pl.String, "pg_temp.mood") == ["high", None, "low"]


def test_a_type_without_a_binary_form_is_named():
    with pytest.raises(TypeError, match="v: no binary form for Duration"):
        copy_format.encode_copy(pl.DataFrame({"v": [None]}, schema={"v": pl.Duration}))


def decimals(scale):
    return st.integers(1 - 10**38, 10**38 - 1).map(partial(_scaled, scale=scale))


def _scaled(number, *, scale):
    return Decimal(number).scaleb(-scale) if abs(number) < 10**28 else Decimal(f"{number}e-{scale}")


COLUMNS = {
    "text": (pl.String, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))),
    "boolean": (pl.Boolean, st.booleans()),
    "bigint": (pl.Int64, st.integers(-(2**63), 2**63 - 1)),
    "double precision": (pl.Float64, st.floats(allow_nan=False)),
    "numeric(38,0)": (pl.Decimal(38, 0), decimals(0)),
    "numeric(38,2)": (pl.Decimal(38, 2), decimals(2)),
    "numeric(38,5)": (pl.Decimal(38, 5), decimals(5)),
    "numeric": (pl.Decimal(38, 18), decimals(18)),
    "date": (pl.Date, st.dates()),
    "time": (pl.Time, st.times()),
    "timestamptz": (MOMENT, st.datetimes(timezones=st.just(UTC))),
}
ROWS = st.lists(st.tuples(*(st.none() | values for _, values in COLUMNS.values())), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_whatever_is_sent_is_read_back(db, rows):
    schema = {str(at): dtype for at, (dtype, _) in enumerate(COLUMNS.values())}
    frame = pl.DataFrame(rows, schema=schema, orient="row")

    assert round_trip(db, frame, list(COLUMNS)) == rows
