"""Version files that a database has not run: what `plan` says of them, and what `apply` does."""

from dataclasses import replace

import pytest
from tests.conftest import NOW
from tests.small_contracts import TEAMS, TRIPS, contracts, without

from daftari.contract.model import Access, Condition, Operation, RowScope
from daftari.errors import BreakingChange, DatabaseError
from daftari.operations.schema.apply_contracts import apply_contracts, plan_contracts

READ = (Operation.READ,)
DROP = 'alter table "ops"."teams" drop column "budget"'


@pytest.fixture
def at(db, tmp_path):
    """A workspace with a database that its contracts are applied to, with one row."""

    class Place:
        conn, folder = db, tmp_path

        def plan(self, *datasets):
            return plan_contracts(db, contracts(*datasets), migrations_dir=tmp_path, now=NOW)

        def apply(self, *datasets, **options):
            return apply_contracts(db, contracts(*datasets), migrations_dir=tmp_path, now=NOW, **options)

        def file(self, *statements, text=None):
            """Write the version file that comes next."""
            last = sorted(it.stem for it in (tmp_path / "versions").glob("*.py"))[-1]
            name = f"{int(last[:4]) + 1:04}_byhand"
            own = (tmp_path / "versions" / f"{last}.py").read_text()
            head, _, end = own.partition("STATEMENTS = (")
            head = head.replace(f"revision = {last!r}", f"revision = {name!r}", 1)
            previous = f"down_revision = {last!r}"
            head = "\n".join(previous if it.startswith("down_revision") else it for it in head.split("\n"))
            listed = "\n".join(f"    {it!r}," for it in statements)
            body = text or f"STATEMENTS = (\n{listed}\n){end.partition(chr(10) + ')')[2]}"
            (tmp_path / "versions" / f"{name}.py").write_text(head + body)

        def budgets(self):
            return db.execute("select team, budget from ops.teams", prepare=False).fetchall()

    place = Place()
    place.apply(TEAMS)
    db.execute("insert into ops.teams (team, budget, _run_id) values ('blue', 17, 1)")
    return place


def test_a_waiting_file_is_classed_by_what_it_does_and_its_sql_is_shown(at):
    at.file(DROP)
    planned = at.plan(TEAMS)
    assert [(it.kind, it.reason, it.statements) for it in planned.waiting] == [
        ("breaking", "its values would be lost", (DROP,))
    ]


def test_a_waiting_file_that_loses_values_needs_the_flag(at):
    at.file(DROP)
    with pytest.raises(BreakingChange, match="its values would be lost"):
        at.apply(TEAMS)
    with pytest.raises(BreakingChange, match="its values would be lost"):
        at.apply(without(TEAMS, "budget"))
    assert at.budgets() == [("blue", 17)]
    at.apply(without(TEAMS, "budget"), allow_breaking=True)
    assert at.plan(without(TEAMS, "budget")).is_empty


def test_what_a_waiting_file_does_is_not_planned_twice(at):
    at.file(DROP)
    planned = at.plan(without(TEAMS, "budget"))
    assert (len(planned.waiting), planned.changes) == (1, ())


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        (
            "def upgrade():\n    op.execute('alter table ops.teams drop column budget')\n",
            "breaking",
            ("alter table ops.teams drop column budget",),
        ),
        (
            "def upgrade():\n    op.drop_column('teams', 'budget', schema='ops')\n",
            "breaking",
            ("ALTER TABLE ops.teams DROP COLUMN budget",),
        ),
        ("def upgrade():\n    op.get_bind().exec_driver_sql('drop table ops.teams')\n", "breaking", ()),
        (
            "def upgrade():\n    op.execute('create index i on ops.teams (budget)')\n",
            "additive",
            ("create index i on ops.teams (budget)",),
        ),
    ],
)
def test_a_file_written_by_hand_is_read_too(at, text, kind, shown):
    at.file(text=text)
    (change,) = at.plan(TEAMS).waiting
    assert (change.kind, change.statements) == (kind, shown)


def test_a_new_database_needs_no_flag_for_the_history_of_another(at, governed):
    at.apply(without(TEAMS, "budget"), allow_breaking=True)
    governed.execute("drop schema ops cascade; create schema ops; delete from daftari.contract_marker")
    final = contracts(without(TEAMS, "budget"))
    assert {it.kind for it in plan_contracts(governed, final, migrations_dir=at.folder, now=NOW).waiting} == {
        "additive"
    }
    done = apply_contracts(governed, final, migrations_dir=at.folder, now=NOW)
    assert len(done.plan.versions) == 2


SEEN = Access(role="waits_hr", operations=READ, rows=Condition("budget > 0"))
MASKED = Access(role="waits_chief", operations=READ, rows=RowScope.ALL, masked=("budget",))


def rights(conn):
    return conn.execute("""
        select polname from pg_policy where polname <> 'operator'
        union all select format('%s %s %s', c.relname, pg_get_userbyid(c.relowner), c.relacl)
        from pg_class c where relnamespace = 'views'::regnamespace order by 1
    """).fetchall()


def test_rights_are_there_whenever_a_transaction_of_apply_ends(at):
    """A file that drops a column, then one that adds a value and so ends a transaction, then one that fails."""
    open_teams = replace(TEAMS, access=(SEEN, MASKED))
    at.apply(open_teams, TRIPS)
    before = rights(at.conn)
    assert len(before) == 3
    at.file('alter table "ops"."teams" alter column "team" set default \'x\'')
    at.file("alter type \"ops\".\"trips_status\" add value 'done' after 'refused'")
    at.file('alter table "ops"."teams" add constraint "never" check ("budget" > 1000)')
    with pytest.raises(DatabaseError, match="break never"):
        at.apply(open_teams, TRIPS, allow_breaking=True)
    values = at.conn.execute("select enum_range(null::ops.trips_status)::text").fetchone()
    assert values == ("{asked,approved,refused,done}",)
    assert rights(at.conn) == before
