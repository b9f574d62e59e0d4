"""Publishing: the published table is brought to match the one built aside, and stays the same table."""

import psycopg
import pytest

from daftari.errors import DatabaseError
from daftari.io.marts import publish
from daftari.io.runs.ledger import RunCounts, finish_run, ledger_run


@pytest.fixture
def aside(db):
    """A published mart of three rows, and room aside for the next."""
    db.execute("create schema if not exists marts")
    db.execute("create schema if not exists marts__next")
    db.execute("create table marts.spend (month date not null, amount numeric)")
    db.execute("insert into marts.spend values ('2026-01-01', 10), ('2026-02-01', 20), ('2026-02-01', 20)")
    return db


def build(db, columns, *values):
    db.execute(f"create table marts__next.spend ({columns})")
    for row in values:
        db.execute(f"insert into marts__next.spend values ({row})")


def amounts(conn):
    return conn.execute("select month::text, amount::float8 from marts.spend order by 1, 2").fetchall()


SAME = ("month date not null, amount numeric", "'2026-01-01', 10", "'2026-02-01', 20", "'2026-02-01', 20")


def test_a_mart_that_did_not_change_is_not_written(aside):
    build(aside, *SAME)
    before = aside.execute("select ctid, xmin from marts.spend").fetchall()

    (published,) = publish.publish_marts(aside)

    assert (published.rows, published.added, published.removed) == (3, 0, 0)
    assert aside.execute("select ctid, xmin from marts.spend").fetchall() == before


def test_only_rows_that_differ_are_written_and_equal_rows_are_counted(aside):
    build(aside, SAME[0], "'2026-01-01', 10", "'2026-02-01', 20", "'2026-03-01', null")

    (published,) = publish.publish_marts(aside)

    assert amounts(aside) == [("2026-01-01", 10), ("2026-02-01", 20), ("2026-03-01", None)]
    # two rows of February became one: both went, and one came
    assert (published.rows, published.added, published.removed) == (3, 2, 2)


def test_a_reader_in_the_midst_of_a_transaction_keeps_what_it_saw(aside, database_url):
    build(aside, SAME[0], "'2026-01-01', 99")
    with psycopg.connect(database_url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select 1")  # its snapshot is taken; the mart not yet looked at

        publish.publish_marts(aside)

        assert len(amounts(reader)) == 3
    assert amounts(aside) == [("2026-01-01", 99)]


def test_grants_and_views_outlive_a_change_of_columns_indexes_and_comments(aside):
    aside.execute("create index on marts.spend (month)")
    aside.execute("create view marts.months as select month from marts.spend")
    aside.execute("grant select on marts.spend to public")
    build(
        aside, "month date not null, currency text not null, amount numeric(20,2)", "'2026-01-01', 'KES', 7"
    )
    aside.execute("create unique index on marts__next.spend (month, currency)")
    aside.execute("comment on table marts__next.spend is 'Spend.'")
    aside.execute("comment on column marts__next.spend.currency is 'ISO 4217.'")

    publish.publish_marts(aside)

    assert aside.execute("select month::text, currency, amount::text from marts.spend").fetchall() == [
        ("2026-01-01", "KES", "7.00")
    ]
    assert aside.execute("select count(*) from marts.months").fetchone() == (1,)
    assert aside.execute("select has_table_privilege('public', 'marts.spend', 'select')").fetchone() == (
        True,
    )
    indexes = aside.execute("select indexdef from pg_indexes where schemaname = 'marts'").fetchall()
    assert [definition.split(" USING ")[1] for (definition,) in indexes] == ["btree (month, currency)"]
    assert aside.execute("select obj_description('marts.spend'::regclass)").fetchone() == ("Spend.",)
    assert aside.execute("select col_description('marts.spend'::regclass, attnum) from pg_attribute"
                         " where attrelid = 'marts.spend'::regclass and attname = 'currency'").fetchone() == (
        "ISO 4217.",
    )  # fmt: skip


def test_a_change_that_a_view_forbids_publishes_nothing_and_names_what_is_in_the_way(aside):
    aside.execute("create view marts.months as select month from marts.spend")
    build(aside, "amount numeric", "1")

    with pytest.raises(
        DatabaseError, match=r"cannot publish: cannot drop column month of table marts\.spend"
    ):
        publish.publish_marts(aside)

    assert len(amounts(aside)) == 3


def test_a_mart_that_is_a_view_is_refused(aside):
    aside.execute("create view marts__next.spend as select 1 as one")

    with pytest.raises(DatabaseError, match=r"marts\.spend: is a view; a mart is a table"):
        publish.publish_marts(aside)


def test_one_transform_at_a_time(db, database_url):
    with (
        psycopg.connect(database_url, autocommit=True) as other,
        ledger_run(db, "transform") as first,
    ):
        publish.begin_build(db, first)
        with (
            pytest.raises(DatabaseError, match="another transform of this database is running"),
            ledger_run(other, "transform") as second,
        ):
            publish.begin_build(other, second)
        finish_run(db, first, RunCounts())
    with psycopg.connect(database_url, autocommit=True) as other, ledger_run(other, "transform") as third:
        publish.begin_build(other, third)


def test_sessions_that_a_killed_transform_left_behind_are_ended(db, database_url):
    left_behind = psycopg.connect(database_url, application_name=publish.APPLICATION)

    with ledger_run(db, "transform") as run_id:
        publish.begin_build(db, run_id)

    with pytest.raises(psycopg.OperationalError):
        left_behind.execute("select 1")
