"""Write, audit, publish: what `daftari transform` promises readers, through the real dbt."""

import os
import signal
import subprocess
import sys
import time

import pytest
from tests.system.conftest import transform

from daftari.compile.marts.dbt_files import staging_files
from daftari.errors import ChecksFailed
from daftari.io.marts.dbt import connection_variables
from daftari.io.workspace.files import read_workspace
from daftari.io.workspace.generated_files import write_generated
from daftari.operations.marts.build_marts import require_published

pytestmark = pytest.mark.system

MARTS = [
    "expense_by_category",
    "headcount_by_department",
    "incident_resolution",
    "leave_balance",
    "monthly_spend_summary",
    "payroll_cost",
    "top_suppliers",
]
SPEND = """
    select month::text, department_code, currency, expenses, spent::text, pending::text
    from marts.monthly_spend_summary order by 1, 2, 3
"""
#: Everything about the published marts: their rows where they lie, columns, indexes, comments, grants.
STATE = """
    select jsonb_build_object(
        'class', (select jsonb_agg(to_jsonb(c) - 'relpages' - 'reltuples' - 'relallvisible' - 'relfrozenxid'
                                   - 'relminmxid' order by c.oid)
                  from pg_class c where c.relnamespace = 'marts'::regnamespace),
        'columns', (select jsonb_agg(to_jsonb(a) order by a.attrelid, a.attnum) from pg_attribute a
                    join pg_class c on c.oid = a.attrelid and c.relnamespace = 'marts'::regnamespace),
        'comments', (select jsonb_agg(to_jsonb(d) order by d.objoid, d.objsubid) from pg_description d
                     join pg_class c on c.oid = d.objoid and c.relnamespace = 'marts'::regnamespace)
    )::text
"""


def rows(conn, query):
    return [tuple(row) for row in conn.execute(query).fetchall()]


def state(conn):
    """The published marts, byte by byte: the place of every row tells if it was written anew."""
    tables = [f"select '{name}', ctid::text, xmin::text, t::text from marts.{name} t" for name in MARTS]
    return rows(conn, " union all ".join(tables) + " order by 1, 2"), rows(conn, STATE)


def break_a_rule(conn):
    """A row that a contract forbids, as if somebody had taken the constraint away and written past the loader."""
    conn.execute("alter table ops.expenses drop constraint expenses_paid_is_approved")
    conn.execute(
        """insert into ops.expenses (expense_id, spent_on, department_code, category, amount, currency, status,
           supplier, _run_id)
           values ('E-canary-key', '2026-01-02', 'FIN', 'travel', 1, 'KES', 'paid', 'canary supplier', 2)"""
    )


def readers(conn, mart):
    """The roles that a mart is granted to."""
    return [
        role
        for (role,) in conn.execute(
            "select distinct pg_get_userbyid(a.grantee)::text from pg_class c cross join aclexplode(c.relacl) a "
            "where c.oid = %s::regclass and a.grantee <> c.relowner order by 1",
            [f"marts.{mart}"],
        )
    ]


def test_every_mart_is_built_tested_and_published(published_template, published):
    _, _, transformed = published_template
    conn, _ = published

    assert [mart.name for mart in transformed.published] == MARTS
    assert transformed.failures == ()
    assert transformed.tests_passed > 100
    assert rows(conn, SPEND) == [
        ("2026-01-01", "FIN", "KES", 2, "150.00", "0.00"),
        ("2026-02-01", "OPS", "KES", 1, "75.00", "25.00"),
        ("2026-03-01", "FIN", "USD", 1, "10.00", "0.00"),
    ]
    assert rows(conn, "select kind, status::text from daftari.run") == [("transform", "succeeded")]
    assert rows(conn, "select to_regnamespace('marts__next')") == [(None,)]


def test_staging_views_read_with_the_rights_of_whoever_asks(published):
    conn, _ = published
    without = "select relname from pg_class where relkind = 'v' and relnamespace = 'staging'::regnamespace"

    assert rows(conn, f"{without} and not coalesce(reloptions @> '{{security_invoker=true}}', false)") == []
    assert len(rows(conn, without)) == 7


def test_a_sealed_field_does_not_reach_the_staging_views(published):
    conn, _ = published
    columns = rows(
        conn, "select attname from pg_attribute where attrelid = 'staging.stg_users'::regclass and attnum > 0"
    )

    assert ("national_id",) not in columns
    assert ("user_id",) in columns


def test_a_month_is_made_anew_when_rows_change_move_or_go(published):
    conn, root = published
    by_hand = (
        "grant select on marts.monthly_spend_summary to employee; revoke all on marts.payroll_cost from hr"
    )
    conn.execute(by_hand)
    conn.execute("update ops.expenses set amount = 101 where expense_id = 'E1'")  # changed
    conn.execute("update ops.expenses set spent_on = '2025-12-15' where expense_id = 'E2'")  # moved
    conn.execute("delete from ops.expenses where expense_id = 'E5'")  # gone, and its month with it
    before = rows(conn, "select 'marts.monthly_spend_summary'::regclass::oid")

    transformed = transform(conn, root)

    assert rows(conn, SPEND) == [
        ("2025-12-01", "FIN", "KES", 1, "50.00", "0.00"),
        ("2026-01-01", "FIN", "KES", 1, "101.00", "0.00"),
        ("2026-02-01", "OPS", "KES", 1, "75.00", "25.00"),
    ]
    by_name = {mart.name: mart for mart in transformed.published}
    assert (by_name["monthly_spend_summary"].added, by_name["monthly_spend_summary"].removed) == (2, 2)
    assert (by_name["payroll_cost"].added, by_name["payroll_cost"].removed) == (0, 0)
    assert transformed.generated == ()
    # the table stayed the same table, with what hangs on it
    assert rows(conn, "select 'marts.monthly_spend_summary'::regclass::oid") == before
    # and what was granted by hand is taken away, what was taken away is there again
    assert readers(conn, "monthly_spend_summary") == ["analyst", "auditor", "finance", "manager"]
    assert readers(conn, "payroll_cost") == ["finance", "hr"]


def test_a_full_refresh_keeps_every_policy_and_grant_and_takes_away_what_was_made_by_hand(published):
    conn, root = published
    policies = "select tablename, policyname, qual from pg_policies where schemaname = 'marts' order by 1, 2"
    as_wanted = rows(conn, policies)
    conn.execute("""
        alter table marts.payroll_cost disable row level security;
        create policy by_hand on marts.monthly_spend_summary for select to analyst using (currency = 'KES')
    """)
    before = {mart: readers(conn, mart) for mart in MARTS}

    assert transform(conn, root, full_refresh=True).is_published

    assert {mart: readers(conn, mart) for mart in MARTS} == before
    assert rows(conn, policies) == as_wanted
    held = (
        "select distinct relrowsecurity, pg_get_userbyid(relowner)::text from pg_class "
        "where oid::regclass::text = any(%s)"
    )
    assert conn.execute(held, [[f"marts.{it}" for it in MARTS]]).fetchall() == [(True, "daftari_owner")]


def test_one_pipeline_builds_and_tests_what_depends_on_it_alone(published):
    conn, root = published
    conn.execute("update ops.expenses set amount = 101 where expense_id = 'E1'")

    transformed = transform(conn, root, pipelines=("expense-tracking",), full_refresh=True)

    assert transformed.failures == ()
    assert [(mart.name, mart.added, mart.removed) for mart in transformed.published] == [
        ("expense_by_category", 2, 2),
        ("monthly_spend_summary", 1, 1),
        ("top_suppliers", 3, 3),
    ]
    assert transformed.unbuilt == ()


def test_a_failed_test_leaves_the_published_marts_as_they_were(published):
    conn, root = published
    before = state(conn)
    break_a_rule(conn)

    transformed = transform(conn, root)

    assert [(failure.name, failure.rows) for failure in transformed.failures] == [
        ("expenses__rule__paid_is_approved", 1)
    ]
    assert state(conn) == before
    assert rows(conn, "select status::text, error_code from daftari.run order by run_id desc limit 1") == [
        ("refused", "checks_failed")
    ]
    with pytest.raises(ChecksFailed, match="1 of the models and tests failed; published marts are unchanged"):
        require_published(transformed)
    assert "canary" not in everything_below(root / ".daftari") + repr(transformed)


def test_an_error_of_the_database_is_reported_without_the_value_that_caused_it(published):
    conn, root = published
    mart = root / "pipelines/expense-tracking/transform/expense_by_category.sql"
    unreadable = "cast(max(cast(supplier as bigint)) as bigint) as expenses"
    mart.write_text(mart.read_text().replace("count(*) as expenses", unreadable))
    before = state(conn)

    transformed = transform(conn, root)

    (failure,) = (failure for failure in transformed.failures if failure.kind == "model")
    assert failure.name == "expense_by_category"
    assert 'invalid input syntax for type bigint: "…"' in failure.message
    assert state(conn) == before
    said = everything_below(root / ".daftari") + repr(transformed)
    assert "Safari" not in said
    assert "Oliech" not in said


def test_a_killed_transform_leaves_the_published_marts_as_they_were_and_the_next_one_goes_through(published):
    conn, root = published
    before = state(conn)
    conn.execute("update ops.expenses set amount = 999 where expense_id = 'E1'")
    child = subprocess.Popen([sys.executable, "-c", RUN_AND_STALL, conn.info.dsn, str(root), *sys.path])
    wait_until(lambda: rows(conn, "select to_regclass('marts__next.monthly_spend_summary')") != [(None,)])

    child.send_signal(signal.SIGKILL)
    child.wait()

    assert state(conn) == before
    transformed = transform(conn, root)
    assert transformed.is_published
    assert rows(conn, "select max(spent) from marts.monthly_spend_summary where month = '2026-01-01'") == [
        (1049,)
    ]
    assert rows(conn, "select status::text from daftari.run order by run_id") == [
        ("succeeded",),
        ("abandoned",),
        ("succeeded",),
    ]


#: A transform that a person's `kill -9` meets while it builds.
RUN_AND_STALL = """
import sys
dsn, root, sys.path[:] = sys.argv[1], sys.argv[2], sys.argv[3:]
from pathlib import Path
import psycopg
from tests.system.conftest import transform
transform(psycopg.connect(dsn, autocommit=True), Path(root))
"""


def test_dbt_by_hand_builds_everything_and_runs_the_unit_tests(governed):
    conn, root = governed
    for pipeline in read_workspace(root).pipelines:
        write_generated(pipeline.path / "transform" / "staging", staging_files(pipeline.contracts))

    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "build"],
        cwd=root,
        env={**os.environ, **connection_variables(conn, schema="marts")},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout
    assert "11 unit tests" in done.stdout
    assert rows(
        conn, "select sum(spent)::float8 from marts.monthly_spend_summary where currency = 'KES'"
    ) == [(225,)]


def everything_below(folder):
    """All text that a transform left on disk: logs, and what dbt keeps."""
    return "\n".join(p.read_text("utf-8", "replace") for p in folder.rglob("*") if p.is_file())


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)
