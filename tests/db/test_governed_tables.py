"""What a governed table does by itself. The promises are those of migrations/0002_tables.sql."""

from dataclasses import replace

import psycopg
import pytest
from tests.conftest import NOW
from tests.small_contracts import NOTES, READINGS, TEAMS, TRIPS, contracts, with_field

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.io.row_writing.constraint_reasons import Refusals
from daftari.operations.schema.apply_contracts import apply_contracts


def fill(conn, folder):
    apply_contracts(conn, contracts(TEAMS, TRIPS, READINGS, NOTES), migrations_dir=folder, now=NOW)
    conn.execute("insert into ops.teams (team, _run_id) values ('blue', 1), ('red', 1)")


@pytest.fixture
def tables(filled, tmp_path):
    """The small contracts, applied."""
    with filled(fill, tmp_path) as (conn, _):
        yield conn


def trip(db, trip, starts_on, ends_on, *, team="blue", status="asked"):
    db.execute(
        "insert into ops.trips (trip, team, status, starts_on, ends_on, _run_id) values (%s, %s, %s, %s, %s, 1)",
        [trip, team, status, starts_on, ends_on],
    )


def reading(db, reading, read_at):
    db.execute("insert into ops.readings (reading, read_at, _run_id) values (%s, %s, 1)", [reading, read_at])


def test_the_marker_names_the_contract_that_the_database_was_last_brought_to(tables):
    found = tables.execute(
        "select dataset, contract_id, version, applied_at from daftari.contract_marker order by dataset"
    ).fetchall()
    assert found == [(name, f"test.{name}", "1.0.0", NOW) for name in ("notes", "readings", "teams", "trips")]


def test_updated_at_moves_with_every_update_whatever_the_statement_says(tables):
    tables.execute("update ops.teams set budget = 5, updated_at = '2000-01-01' where team = 'blue'")
    moved = tables.execute("select updated_at > created_at from ops.teams order by team").fetchall()
    assert moved == [(True,), (False,)]


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        (("2026-03-05", "2026-03-09"), "refused"),
        # the last day is part of a trip
        (("2026-03-10", "2026-03-12"), "refused"),
        (("2026-03-11", "2026-03-12"), "taken"),
        (("2026-03-05", "2026-03-09", {"team": "red"}), "taken"),
        (("2026-03-05", "2026-03-09", {"status": "refused"}), "taken"),
    ],
)
def test_ranges_of_one_key_cannot_overlap_save_where_the_contract_says(tables, second, outcome):
    trip(tables, "1", "2026-03-01", "2026-03-10")
    dates, options = second[:2], dict(*second[2:])
    try:
        trip(tables, "2", *dates, **options)
    except psycopg.errors.ExclusionViolation:
        assert outcome == "refused"
    else:
        assert outcome == "taken"


HALF = {"trip": "1", "team": "blue", "status": "asked", "starts_on": "2026-03-05", "ends_on": "2026-03-05"}
HALF["purpose"] = "half"


def fill_shared(conn, folder):
    overlap = replace(TRIPS.no_overlap, shared="purpose = 'half'")
    apply_contracts(
        conn, contracts(TEAMS, replace(TRIPS, no_overlap=overlap)), migrations_dir=folder, now=NOW
    )
    conn.execute("insert into ops.teams (team, _run_id) values ('blue', 1), ('red', 1)")


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        ({"purpose": "half"}, "taken"),
        ({"purpose": "whole"}, "refused"),
        ({"purpose": None}, "refused"),
        ({"starts_on": "2026-03-01", "ends_on": "2026-03-31", "purpose": "whole"}, "refused"),
        ({"purpose": "whole", "status": "refused"}, "taken"),
        ({"purpose": "whole", "team": "red"}, "taken"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_rows_that_share_may_overlap_one_another_but_no_other_row(
    filled, tmp_path, second, outcome, is_first
):
    rows = [HALF, {**HALF, **second, "trip": "2"}]
    with filled(fill_shared, tmp_path) as (conn, _):
        for row in rows if is_first else rows[::-1]:
            statement = f"insert into ops.trips ({', '.join(row)}, _run_id) values ({'%s, ' * len(row)} 1)"
            try:
                conn.execute(statement, list(row.values()))
            except psycopg.errors.ExclusionViolation:
                found = "refused"
            else:
                found = "taken"
    assert found == outcome


def fill_codes(conn, folder):
    codes = with_field(NUMBERED, "code", digits_only=True, width=5)
    apply_contracts(conn, contracts(codes), migrations_dir=folder, now=NOW)


NUMBERED = Dataset(
    name="numbered",
    fields=(
        Field(name="k", logical_type=LogicalType.INTEGER, key_position=1, required=True),
        Field(name="code", logical_type=LogicalType.STRING),
    ),
)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("00042", None),
        ("1234567", None),
        (None, None),
        ("42", "code.width"),
        ("400-0001", "code.digits"),
        ("0004\n2", "code.digits"),
        ("0004\u0664", "code.digits"),
        ("", "code.width"),
    ],
)
def test_sql_writes_no_other_text_than_is_read_from_files(filled, tmp_path, code, rule):
    refusals = Refusals(with_field(NUMBERED, "code", digits_only=True, width=5))
    with filled(fill_codes, tmp_path) as (conn, _):
        try:
            conn.execute("insert into ops.numbered (k, code, _run_id) values (1, %s, 1)", [code])
            found = None
        except psycopg.errors.CheckViolation as error:
            found = refusals.of(error).rule
    assert found == rule


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        ({"ends_on": "2026-02-01"}, "trips_ends_after_start"),
        ({"team": "green"}, "trips_team_fkey"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_under_the_rules_name(tables, row, constraint):
    with pytest.raises(psycopg.errors.IntegrityError) as raised:
        trip(tables, **{"trip": "1", "starts_on": "2026-03-01", "ends_on": "2026-03-02", **row})
    assert raised.value.diag.constraint_name == constraint


def test_rows_go_to_the_partition_of_their_time_and_else_to_the_default_one(tables):
    reading(tables, 1, "2026-09-30 23:59:59+00")
    reading(tables, 2, "2026-10-01 00:00:00+00")
    reading(tables, 3, "2019-01-01 00:00:00+00")
    assert tables.execute(
        "select reading, tableoid::regclass::text from ops.readings order by 1"
    ).fetchall() == [
        (1, "ops.readings_2026q3"),
        (2, "ops.readings_2026q4"),
        (3, "ops.readings_default"),
    ]


@pytest.mark.parametrize("role", ["origin", "replica"])
def test_a_key_is_unique_across_the_partitions_of_its_table(tables, role):
    # a bulk load runs as replica, where ordinary triggers rest
    tables.execute(f"set session_replication_role = {role}")
    reading(tables, 1, "2026-09-30")
    with pytest.raises(psycopg.errors.UniqueViolation) as raised:
        reading(tables, 1, "2026-10-01")
    assert raised.value.diag.constraint_name == "key_readings_pkey"
    assert "2026" not in str(raised.value)


def test_a_key_is_free_again_when_its_row_goes(tables):
    reading(tables, 1, "2026-09-30")
    reading(tables, 2, "2026-09-30")
    tables.execute("delete from ops.readings where reading = 1")
    reading(tables, 1, "2026-10-01")
    assert keys(tables) == [(1, "2026-10-01"), (2, "2026-09-30")]
    tables.execute("truncate ops.readings")
    assert keys(tables) == []


def test_a_key_follows_its_row_to_another_time_and_to_another_key(tables):
    reading(tables, 1, "2026-09-30")
    reading(tables, 2, "2026-09-30")
    tables.execute("update ops.readings set read_at = '2026-12-01' where reading = 1")
    tables.execute("update ops.readings set reading = 3 where reading = 2")
    tables.execute("update ops.readings set litres = 4")
    assert keys(tables) == [(1, "2026-12-01"), (3, "2026-09-30")]


def keys(db):
    return db.execute("select reading, read_at::date::text from daftari.key_readings order by 1").fetchall()


def test_a_partitioned_dataset_can_be_referred_to_by_its_key_alone(tables):
    reading(tables, 1, "2026-09-30")
    tables.execute("insert into ops.notes (note, reading, _run_id) values ('a', 1, 1)")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        tables.execute("insert into ops.notes (note, reading, _run_id) values ('b', 2, 1)")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        tables.execute("delete from ops.readings")


RULES = {
    "every governed table has its platform columns": """
        select t.relname from pg_class t
        where t.relnamespace = 'ops'::regnamespace and t.relkind in ('r', 'p')
          and 3 <> (
              select count(*) from pg_attribute a
              where a.attrelid = t.oid and a.attnotnull
                and a.attname in ('created_at', 'updated_at', '_run_id')
          )
    """,
    "every foreign key has an index that begins with its columns": """
        select k.conname from pg_constraint k
        where k.contype = 'f' and k.conparentid = 0 and k.connamespace = 'ops'::regnamespace
          and not exists (
              select from pg_index i
              where i.indrelid = k.conrelid
                and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] = k.conkey
          )
    """,
    "every instant has a zone": """
        select format('%s.%s', a.attrelid::regclass, a.attname) from pg_attribute a
        join pg_class t on t.oid = a.attrelid
        where t.relnamespace = 'ops'::regnamespace and a.attnum > 0 and not a.attisdropped
          and a.atttypid = 'timestamp'::regtype
    """,
    "every governed table and column of a contract has a description": """
        select format('%s.%s', a.attrelid::regclass, a.attname) from pg_attribute a
        join pg_class t on t.oid = a.attrelid
        where t.relnamespace = 'ops'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
          and a.attnum > 0 and not a.attisdropped
          and col_description(a.attrelid, a.attnum) is null
    """,
    "every security definer function pins its search path, the temporary schema last": """
        select p.oid::regprocedure::text from pg_proc p
        where p.prosecdef and p.pronamespace = 'daftari'::regnamespace
          and not exists (select from unnest(p.proconfig) s where s ~ '^search_path=(pg_catalog, )?pg_temp$')
    """,
    "every table with a partition has a default one": """
        select t.relname from pg_class t
        where t.relkind = 'p' and t.relnamespace = 'ops'::regnamespace
          and not exists (
              select from pg_partitioned_table p where p.partrelid = t.oid and p.partdefid <> 0
          )
    """,
}


@pytest.mark.parametrize("rule", RULES)
def test_what_holds_of_every_table_of_the_reference_workspace(governed, rule):
    offenders = [name for (name,) in governed.execute(RULES[rule])]
    assert offenders == [], f"not true: {rule}"
