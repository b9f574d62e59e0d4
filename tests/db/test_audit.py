"""What the audit promises: migrations/0007_audit.sql, by the same names."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from tests.conftest import NOW, database
from tests.small_contracts import READINGS, TEAMS, contract, contracts

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.io.audit.audit_tables import make_audit_partitions, unwatched
from daftari.io.database import platform_migrations
from daftari.io.runs import ledger
from daftari.io.runs.ledger import BatchAudit
from daftari.operations.schema.apply_contracts import apply_contracts

#: Names that must be quoted, and a key of two fields.
AWKWARD = Dataset(
    name="Odd 'names'",
    fields=(
        Field(name='Key "one"', logical_type=LogicalType.STRING, key_position=1, required=True),
        Field(name="order", logical_type=LogicalType.INTEGER, key_position=2, required=True),
        Field(name="100% 'sure'", logical_type=LogicalType.NUMBER),
    ),
)
KEYLESS = Dataset(name="log", fields=(Field(name="said", logical_type=LogicalType.STRING),))


def fill(conn, folder):
    apply_contracts(conn, contracts(TEAMS, READINGS, AWKWARD, KEYLESS), migrations_dir=folder, now=NOW)
    conn.execute("insert into ops.teams (team, budget, _run_id) values ('blue', 1.5, 1), ('red', null, 1)")
    conn.execute(
        "insert into ops.readings (reading, read_at, _run_id) values (1, '2026-10-05', 1), (2, '2019-01-01', 1)"
    )


@pytest.fixture
def tables(filled, tmp_path):
    with filled(fill, tmp_path) as (conn, _):
        yield conn


def entries(db, operation, *, relation="%", names="*"):
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"select {names} from daftari.audit_entry where operation = %s and relation like %s order by entry_id",
            [operation, relation],
        ).fetchall()


def rows_of(db, operation):
    """The rows of all entries of an operation: (old, new), as values."""
    found = db.execute(
        "select r.old, r.new from daftari.audit_row r join daftari.audit_entry e using (entry_id, at) "
        "where e.operation = %s order by r.entry_id, r.n",
        [operation],
    ).fetchall()
    return [tuple(json.loads(side) if side else None for side in row) for row in found]


def without_times(row):
    return row and {k: v for k, v in row.items() if k not in ("created_at", "updated_at")}


@pytest.mark.each_server
def test_an_update_keeps_the_old_and_new_values_of_what_it_changed_in_each_row_a_delete_the_whole_row(tables):
    tables.execute("update ops.teams set budget = 2, _run_id = 7")
    tables.execute("delete from ops.teams where team = 'red'")

    changed = [tuple(map(without_times, row)) for row in rows_of(tables, "update")]
    assert changed == [
        ({"team": "blue", "budget": 1.5, "_run_id": 1}, {"team": "blue", "budget": 2.0, "_run_id": 7}),
        ({"team": "red", "budget": None, "_run_id": 1}, {"team": "red", "budget": 2.0, "_run_id": 7}),
    ]
    (gone,) = rows_of(tables, "delete")
    assert gone[1] is None
    assert set(gone[0]) == {"team", "budget", "created_at", "updated_at", "_run_id"}
    assert [(it["rows"], it["key"], len(it["digest"])) for it in entries(tables, "update")] == [
        (2, ["team"], 64)
    ]


def test_a_statement_that_changes_no_row_leaves_no_entry(tables):
    tables.execute("update ops.teams set budget = 2 where team = 'green'")
    tables.execute("delete from ops.teams where team = 'green'")
    assert entries(tables, "update") == entries(tables, "delete") == []


def test_a_row_whose_key_changed_leaves_under_the_old_one_and_comes_under_the_new_one(tables):
    tables.execute("update ops.teams set team = 'green' where team = 'blue'")
    old, new = zip(*rows_of(tables, "update"), strict=True)
    whole = {"blue": 1.5, "green": 1.5}
    assert [{it["team"]: it["budget"]} for it in (*old, *new) if it] == [{k: v} for k, v in whole.items()]


def test_names_that_must_be_quoted_are_audited_like_others(tables):
    table = sql.Identifier("ops", AWKWARD.name)
    tables.execute(
        sql.SQL(
            "insert into {} values ('a', 1, 1.5, now(), now(), 1), ('a', 2, 1.5, now(), now(), 1)"
        ).format(table)
    )
    tables.execute(
        sql.SQL("update {} set {} = 9 where {} = 2").format(
            table, *map(sql.Identifier, ("100% 'sure'", "order"))
        )
    )
    assert [tuple(map(without_times, row)) for row in rows_of(tables, "update")] == [
        (
            {'Key "one"': "a", "order": 2, "100% 'sure'": 1.5},
            {'Key "one"': "a", "order": 2, "100% 'sure'": 9},
        ),
    ]


def test_rows_without_a_key_are_kept_whole(tables):
    tables.execute("insert into ops.log (said, _run_id) values ('a', 1), ('b', 1), ('c', 1)")
    tables.execute("update ops.log set said = upper(said)")
    assert [(old["said"], new["said"]) for old, new in rows_of(tables, "update")] == [
        ("a", "A"),
        ("b", "B"),
        ("c", "C"),
    ]


def test_values_are_written_alike_whatever_the_session_prefers(tables):
    tables.execute("set timezone = 'Africa/Nairobi'; set datestyle = 'SQL, DMY'; set extra_float_digits = -5")
    tables.execute("update ops.readings set read_at = '2026-10-06 12:00:00+03' where reading = 1")
    ((_, new),) = rows_of(tables, "update")
    assert new["read_at"] == "2026-10-06T09:00:00+00:00"


@pytest.mark.parametrize(
    ("statement", "operation"),
    [
        ("update ops.readings_2026q4 set litres = 1", "update"),
        ("delete from ops.readings_2026q4", "delete"),
        ("insert into ops.readings_2026q4 (reading, read_at, _run_id) values (9, '2026-10-06', 1)", "insert"),
        ("truncate ops.readings_2026q4", "truncate"),
    ],
)
def test_a_statement_on_a_partition_is_audited_as_one_on_its_table(tables, statement, operation):
    before = len(entries(tables, operation))
    tables.execute(statement)
    found = entries(tables, operation)[before:]
    assert [(it["relation"], (it["detail"] or {}).get("partition")) for it in found] == [
        ("ops.readings", None if operation == "insert" else "readings_2026q4")
    ]


def test_a_statement_on_a_table_is_audited_once_whatever_the_partitions(tables):
    tables.execute("update ops.readings set litres = 4")
    assert [(it["relation"], it["rows"]) for it in entries(tables, "update")] == [("ops.readings", 2)]


def test_an_update_that_moves_a_row_to_another_partition_is_told_as_one_change(tables):
    tables.execute("update ops.readings set read_at = '2026-08-01' where reading = 1")
    assert [(old["reading"], new["read_at"]) for old, new in rows_of(tables, "update")] == [
        (1, "2026-08-01T00:00:00+00:00")
    ]
    assert entries(tables, "delete") == []


@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        ("truncate ops.teams", [("ops.teams", None, 2)]),
        ("truncate ops.readings_default", [("ops.readings", "readings_default", 1)]),
        (
            "truncate ops.readings",
            [
                ("ops.readings", f"readings_{it}", n)
                for it, n in (("2026q3", 0), ("2026q4", 1), ("2027q1", 0), ("default", 1))
            ],
        ),
    ],
)
def test_truncate_is_audited_of_a_table_and_of_one_partition(tables, statement, counts):
    tables.execute(statement)
    found = [
        (it["relation"], (it["detail"] or {}).get("partition"), it["rows"])
        for it in entries(tables, "truncate")
    ]
    assert sorted(found, key=str) == sorted(counts, key=str)


def test_triggers_fire_also_where_a_load_skips_the_key_triggers(tables):
    with tables.transaction():
        tables.execute("set local session_replication_role = replica")
        tables.execute("update ops.teams set budget = 3")
        tables.execute("insert into ops.teams (team, _run_id) values ('green', 1)")
        tables.execute("delete from ops.readings_2026q4")
        tables.execute("truncate ops.readings_default")
    assert [len(entries(tables, it)) for it in ("update", "delete", "truncate")] == [1, 1, 1]
    assert len(entries(tables, "insert", relation="ops.teams")) == 2


# --- who, and in which run


@pytest.fixture
def login(tables):
    """A login that may change teams, and a role it may take on."""
    names = [sql.Identifier(f"{name}_{tables.info.dbname}") for name in ("clerk", "finance")]
    create = "create role {0} login; create role {1}; grant {1} to {0}; grant usage on schema ops, daftari to {1}; "
    tables.execute(sql.SQL(create + "grant select, update on ops.teams to {1}").format(*names))
    tables.execute(sql.SQL("create policy by_hand on ops.teams to {1} using (true)").format(*names))
    with psycopg.connect(tables.info.dsn, user=names[0]._obj[0], autocommit=True) as conn:
        yield conn
    tables.execute(sql.SQL("drop owned by {0}, {1}; drop role {0}, {1}").format(*names))


def act(conn):
    conn.execute("update ops.teams set budget = 8")


def test_an_entry_names_login_role_purpose_and_request(tables, login):
    name = login.info.user
    role = name.replace("clerk", "finance")
    login.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    login.execute("set daftari.purpose = 'month end'; set daftari.request_id = 'r-1'")
    act(login)
    login.execute("reset role; reset daftari.purpose; reset daftari.request_id")
    act(login)
    found = entries(tables, "update", names="actor, login, role, purpose, request_id, run_id")
    assert [tuple(it.values()) for it in found] == [
        (name, name, role, "month end", "r-1", None),
        (name, name, name, None, None, None),
    ]


def test_the_actor_that_a_session_names_counts_only_for_a_login_of_a_service(tables, login):
    tables.execute("insert into daftari.assignment (login, is_service) values ('another', true)")
    login.execute("set daftari.actor = 'director'")
    act(login)
    assert login.execute("select daftari.actor()").fetchone() == (login.info.user,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute("insert into daftari.assignment (login, is_service) values (session_user, true)")
    tables.execute("insert into daftari.assignment (login, is_service) values (%s, true)", [login.info.user])
    act(login)
    login.execute("set daftari.actor = ''")
    act(login)
    assert [it["actor"] for it in entries(tables, "update")] == [login.info.user, "director", login.info.user]


def test_a_run_is_named_only_by_the_session_that_holds_it(tables, login):
    with ledger.ledger_run(tables, "load", contract(TEAMS)) as run_id:
        act(tables)
        login.execute("select set_config('daftari.run_id', %s, false)", [str(run_id)])
        act(login)
        login.execute("set daftari.run_id = 'x'")
        act(login)
    act(tables)
    assert [it["run_id"] for it in entries(tables, "update")] == [run_id, None, None, None]


def test_rows_of_a_run_are_recorded_as_its_batch_and_others_by_when_they_came(tables):
    batch = BatchAudit(relation="ops.teams", operation="merge", rows=1, digest="ab")
    with ledger.ledger_run(tables, "load", contract(TEAMS)) as run_id:
        tables.execute("insert into ops.teams (team, _run_id) values ('green', %s)", [run_id])
        ledger.record_batch(tables, batch)
    assert [(it["run_id"], it["rows"], it["digest"]) for it in entries(tables, "merge")] == [
        (run_id, 1, "ab")
    ]
    (by_hand,) = entries(tables, "insert", relation="ops.teams")
    came = tables.execute("select created_at from ops.teams where team = 'blue'").fetchone()[0]
    said = datetime.fromisoformat(by_hand["detail"]["created_at"])
    assert (by_hand["run_id"], said) == (None, came)


def test_the_run_of_a_killed_load_is_taken_over_by_nobody(tables, login):
    """A login may take any advisory lock, also the one that once stood for a run."""
    with psycopg.connect(tables.info.dsn, autocommit=True) as loading:
        dead = ledger.ledger_run(loading, "load", contract(TEAMS))
        run_id = dead.__enter__()
        tables.execute("select pg_terminate_backend(%s, 5000)", [loading.info.backend_pid])
    login.execute("select pg_advisory_lock(hashtext('daftari.run'), %s)", [run_id])
    login.execute("select set_config('daftari.run_id', %s, false)", [str(run_id)])
    act(login)
    assert [it["run_id"] for it in entries(tables, "update")] == [None]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        ledger.record_batch(login, BatchAudit(relation="ops.teams", operation="insert", rows=1, digest="ab"))
    with ledger.ledger_run(tables, "load", contract(TEAMS)):
        found = tables.execute("select status from daftari.run where run_id = %s", [run_id]).fetchone()
    assert found == ("abandoned",)


def test_a_batch_is_recorded_by_the_session_of_its_run_alone(login):
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        ledger.record_batch(login, BatchAudit(relation="ops.teams", operation="insert", rows=1, digest="ab"))


@pytest.mark.parametrize(
    "call",
    [
        "select daftari.write_audit(daftari.new_entry('update', 'ops.teams'))",
        "select daftari.chain_audit()",
        "insert into daftari.audit_entry values (1, now(), 'read', 'x', 'x', 'x', 'x')",
        "delete from daftari.audit_pending",
    ],
)
def test_nobody_else_writes_entries(login, call):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute(call)


def test_what_a_login_makes_in_its_temporary_schema_is_not_what_our_functions_see(tables, login):
    """Unless it is named last, the temporary schema is looked in first: for tables, and for types such as text."""
    tables.execute("grant create on schema public to public")
    login.execute("""
        create table public.caught (who text);
        grant all on public.caught to public;
        create function public.catch(v pg_catalog.text) returns boolean language plpgsql as $$
        begin
            insert into public.caught values (current_user);
            return true;
        end $$;
        create domain pg_temp.text as pg_catalog.text check (public.catch(value));
        create domain pg_temp.bigint as pg_catalog.int8 check (public.catch(value::pg_catalog.text));
    """)
    with ledger.ledger_run(tables, "load", contract(TEAMS)) as run_id:
        login.execute("create temporary table run as select %s as run_id", [run_id])
        login.execute("""
            create function pg_temp.pg_backend_pid() returns int language sql as
            $$ select session_pid from daftari.run $$
        """)
        login.execute("select set_config('daftari.run_id', %s, false)", [str(run_id)])
        act(login)
        login.execute("select daftari.record_read('ops.teams', array['budget'], 2, 'pay run')")
    assert tables.execute("select distinct who from public.caught").fetchall() == []
    assert [it["run_id"] for it in entries(tables, "update")] == [None]


# --- reads


def test_a_read_is_recorded_with_its_purpose_and_refused_without_one(tables, login):
    login.execute("select daftari.record_read('ops.teams', array['budget'], 2, ' pay run ')")
    for purpose in ("", "  ", None):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="has no purpose"):
            login.execute("select daftari.record_read('ops.teams', array['budget'], 2, %s)", [purpose])
    found = entries(tables, "read", names="relation, login, rows, purpose, detail")
    assert [tuple(it.values()) for it in found] == [
        ("ops.teams", login.info.user, 2, "pay run", {"columns": ["budget"]})
    ]
    assert login.execute("select current_setting('daftari.purpose', true)").fetchone() == ("",)


@pytest.mark.parametrize(("name", "most"), [("purpose", 1000), ("request_id", 1_000_000)])
def test_what_a_session_says_of_itself_is_short(tables, login, name, most):
    login.execute("select set_config(%s, %s, false)", [f"daftari.{name}", "x" * most])
    act(login)
    login.execute("select set_config(%s, %s, false)", [f"daftari.{name}", "x" * (most + 1)])
    with pytest.raises(psycopg.errors.StringDataRightTruncation, match=r"daftari\.purpose has more"):
        act(login)
    assert [len(it[name]) for it in entries(tables, "update")] == [most]


# --- append-only

KEPT = ("audit_log", "audit_entry", "audit_row", "audit_link", "audit_checkpoint")
PARTS = ("audit_entry_2026_11", "audit_row_2026_11", "audit_entry_default", "audit_row_default")


@pytest.mark.parametrize("table", [*KEPT, *PARTS])
@pytest.mark.parametrize("verb", ["update", "delete", "truncate"])
def test_entries_are_neither_changed_nor_removed(tables, table, verb):
    tables.execute("update ops.teams set budget = 9; select daftari.chain_audit()")
    tables.execute("insert into daftari.audit_checkpoint values (1, 'a', now(), 'b')")
    old = "insert into daftari.{} values (0, '2001-01-01', {})"
    tables.execute(old.format("audit_entry", "'read', 'x', 'x', 'x', 'x'"))
    tables.execute(old.format("audit_row", "1"))
    if table.endswith("2026_11"):
        # whatever the day on which this is run
        at = "'2026-11-05'"
        values = {"audit_entry": "'read', 'x', 'x', 'x', 'x'", "audit_row": "1"}[
            table.removesuffix("_2026_11")
        ]
        tables.execute(f"insert into daftari.{table} values (-1, {at}, {values})")
    column = {"audit_log": "made_at", "audit_checkpoint": "hash"}.get(
        table, "at" if table != "audit_link" else "hash"
    )
    statement = {
        "update": f"update daftari.{table} set {column} = {column}",
        "delete": f"delete from daftari.{table}",
        "truncate": f"truncate daftari.{table}",
    }[verb]
    with tables.transaction():
        tables.execute("set local session_replication_role = replica")  # which skips ordinary triggers
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="only added to") as raised,
            tables.transaction(),
        ):
            tables.execute(statement)
    assert "daftari audit export" in raised.value.diag.message_hint


def test_partitions_are_made_ahead_and_again_changes_nothing(tables):
    names = "select relname from pg_class where relname like 'audit_entry_2%' and relkind = 'r' order by 1"
    months = [name for (name,) in tables.execute(names)]
    assert months == [f"audit_entry_{it}" for it in ("2026_11", "2026_12", "2027_01", "2027_02")]
    assert make_audit_partitions(tables, now=NOW) == []


def test_a_month_whose_entries_lie_in_the_default_partition_keeps_them_there(db):
    db.execute("insert into daftari.audit_entry values (0, '2026-12-05', 'read', 'x', 'x', 'x', 'x')")
    assert [it for it in make_audit_partitions(db, now=NOW) if "entry" in it] == [
        "audit_entry_2026_11", "audit_entry_2027_01", "audit_entry_2027_02"
    ]  # fmt: skip


def test_rows_that_move_out_of_the_default_partition_say_what_for(tables, tmp_path):
    tables.execute("insert into ops.readings (reading, read_at, _run_id) values (3, '2027-05-01', 1)")
    later = NOW.replace(year=2027, month=4)
    apply_contracts(tables, contracts(TEAMS, READINGS, AWKWARD, KEYLESS), migrations_dir=tmp_path, now=later)
    moved = entries(tables, "delete", names="relation, rows, purpose, detail")
    assert [tuple(it.values()) for it in moved] == [
        ("ops.readings", 1, "rows move to the partition of their time", {"partition": "readings_default"})
    ]
    assert tables.execute(
        "select tableoid::regclass::text from ops.readings where reading = 3"
    ).fetchone() == ("ops.readings_2027q2",)


def test_batches_that_were_recorded_before_the_audit_are_entries_of_it(server):
    with database(server, "template0") as url, psycopg.connect(url, autocommit=True) as db:
        for migration in platform_migrations.shipped():
            if migration.name < "0005":
                db.execute(migration.text)
                db.execute(
                    "insert into daftari.migration values (%s, %s)", [migration.name, migration.sha256]
                )
        db.execute("insert into daftari.run (kind, dataset) values ('load', 'teams')")
        db.execute(
            "insert into daftari.batch_audit (run_id, relation, operation, rows, digest, actor, at) "
            "values (1, 'ops.teams', 'merge', 5, 'ab', 'amina', '2026-10-01 00:00:00+00')"
        )
        platform_migrations.migrate(db)
        (entry,) = entries(db, "merge", names="at, relation, actor, run_id, rows, digest")
        assert tuple(entry.values()) == (datetime(2026, 10, 1, tzinfo=UTC), "ops.teams", "amina", 1, 5, "ab")
        assert db.execute("select daftari.chain_audit(), to_regclass('daftari.batch_audit')").fetchone() == (
            1,
            None,
        )


# --- changes of shape


@pytest.mark.each_server
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("drop table ops.teams", {("drop", "ops.teams")}),
        ("drop table ops.readings_2026q4", {("drop", "ops.readings_2026q4")}),
        ("drop table daftari.audit_row_2026_12", {("drop", "daftari.audit_row_2026_12")}),
        (
            "alter table ops.readings detach partition ops.readings_2026q4",
            {("alter", "ops.readings"), ("detach", "ops.readings_2026q4")},
        ),
        (
            "alter table daftari.audit_entry detach partition daftari.audit_entry_2026_12",
            {("alter", "daftari.audit_entry"), ("detach", "daftari.audit_entry_2026_12")},
        ),
        ("alter table ops.teams disable trigger audit_update", {("alter", "ops.teams")}),
        ("drop trigger audit_update on ops.teams", {("drop", "audit_update on ops.teams")}),
        ("alter trigger audit_update on ops.teams rename to x", {("alter", "x on ops.teams")}),
        (
            "create or replace function daftari.actor() returns text language sql as $$ select 'x' $$",
            {("alter", "daftari.actor()")},
        ),
        ("create table public.own (x int); alter table public.own add y int; drop table public.own", set()),
    ],
)
def test_a_table_that_is_dropped_or_a_partition_that_is_detached_leaves_an_entry(tables, statement, expected):
    last = tables.execute("select max(entry_id) from daftari.audit_entry").fetchone()[0]
    tables.execute("set session_replication_role = replica")  # which would keep ordinary event triggers quiet
    tables.execute(statement)
    found = tables.execute("select operation, relation from daftari.audit_entry where entry_id > %s", [last])
    assert set(found) == expected


def test_changes_of_shape_are_watched_after_apply_and_a_watch_that_was_switched_off_is_put_back(
    tables, tmp_path
):
    assert unwatched(tables) == []
    tables.execute(
        "alter event trigger daftari_watch_drops disable; drop event trigger daftari_watch_commands"
    )
    assert unwatched(tables) == ["daftari_watch_drops", "daftari_watch_commands"]
    apply_contracts(tables, contracts(TEAMS, READINGS, AWKWARD, KEYLESS), migrations_dir=tmp_path, now=NOW)
    assert unwatched(tables) == []
