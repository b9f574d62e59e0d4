from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from tests.conftest import NOW
from tests.small_contracts import (
    NOTES,
    READINGS,
    TEAMS,
    TRIPS,
    contract,
    contracts,
    with_field,
    with_new,
    without,
)

from daftari.compile.schema_changes.steps import ACCESS_PHASES
from daftari.contract.access.role_permissions import permissions_of
from daftari.contract.compatibility.changes import ChangeKind
from daftari.contract.model import Field, LogicalType, Options, RowRule
from daftari.errors import BreakingChange, DatabaseError
from daftari.operations.schema.apply_contracts import apply_contracts, plan_contracts


@pytest.fixture
def bring(db, tmp_path):
    """Apply datasets to the database of the test."""

    def bring(*datasets, now=NOW, **options):
        return apply_contracts(db, contracts(*datasets), migrations_dir=tmp_path, now=now, **options)

    return bring


@pytest.fixture
def planned(db, tmp_path):
    def planned(*datasets, now=NOW):
        return plan_contracts(db, contracts(*datasets), migrations_dir=tmp_path, now=now)

    return planned


def row(db, **values):
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    db.execute(f"insert into ops.teams ({names}, _run_id) values ({marks}, 1)", [*values.values()])


def columns(db, table):
    return [
        name
        for (name,) in db.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
            "and not attisdropped order by attnum",
            [f"ops.{table}"],
        )
    ]


@pytest.mark.each_server
def test_applying_again_changes_nothing_and_writes_no_file(bring, planned, db, tmp_path):
    first = bring(TEAMS, TRIPS, READINGS, NOTES)
    before = db.execute("select * from daftari.contract_marker order by dataset").fetchall()

    again = bring(TEAMS, TRIPS, READINGS, NOTES, now=NOW + timedelta(hours=1))

    assert [path.name[:5] for path in first.written] == ["0001_"]
    assert again.plan.is_empty
    assert (again.written, again.partitions) == ((), ())
    assert planned(TEAMS, TRIPS, READINGS, NOTES).is_empty
    assert len(list((tmp_path / "versions").glob("*.py"))) == 1
    assert db.execute("select * from daftari.contract_marker order by dataset").fetchall() == before


def test_applying_what_is_in_force_surveys_once_and_works_access_out_once_a_dataset(bring, db):
    said = []

    class Heard(psycopg.Cursor):
        def execute(self, query, *given, **options):
            said.append(query if isinstance(query, str) else query.as_string(self))
            return super().execute(query, *given, **options)

    bring(TEAMS, TRIPS)
    db.cursor_factory = Heard
    permissions_of.cache_clear()
    assert bring(TEAMS, TRIPS).plan.is_empty

    # what a survey compares with is made in schemas of its own
    assert len([it for it in said if it.startswith('create schema "daftari_wanted_here"')]) == 1
    assert permissions_of.cache_info().misses == 2


def test_the_reference_workspace_applies_to_an_empty_database_and_again_changes_nothing(
    db, reference, tmp_path
):
    db.execute("drop schema daftari, ops, staging, marts cascade")
    first = apply_contracts(db, reference.contracts, migrations_dir=tmp_path, now=NOW)
    again = apply_contracts(db, reference.contracts, migrations_dir=tmp_path, now=NOW)
    assert first.plan.migrations[0] == "0000_platform"
    assert {it.kind for it in first.plan.changes} == {ChangeKind.ADDITIVE}
    assert again.plan.is_empty


def test_version_files_are_found_in_a_folder_of_any_name(db, tmp_path):
    folder = tmp_path / "100% of it: all, %(even)s this"
    applied = apply_contracts(db, contracts(TEAMS), migrations_dir=folder, now=NOW)
    assert [path.parent for path in applied.written] == [folder / "versions"]
    assert plan_contracts(db, contracts(TEAMS), migrations_dir=folder, now=NOW).is_empty
    db.execute("delete from daftari.alembic_version")
    assert len(plan_contracts(db, contracts(TEAMS), migrations_dir=folder, now=NOW).versions) == 1


def test_planning_leaves_no_trace(planned, db, tmp_path):
    before = db.execute("select count(*) from pg_class").fetchone()
    assert planned(TEAMS, TRIPS).changes
    assert db.execute("select count(*) from pg_class").fetchone() == before
    assert not (tmp_path / "versions").exists()


def test_version_files_bring_another_database_to_the_same_state(bring, governed, tmp_path):
    bring(TEAMS)
    bring(TEAMS, TRIPS)
    bring(TEAMS, with_field(TRIPS, "status", allowed=("asked", "approved", "refused", "done")))
    files = sorted(path.name for path in (tmp_path / "versions").glob("*.py"))
    assert len(files) == 3

    governed.execute("drop schema ops cascade")
    governed.execute("create schema ops")
    final = contracts(TEAMS, with_field(TRIPS, "status", allowed=("asked", "approved", "refused", "done")))
    # the datasets of the reference workspace are retired by that
    done = apply_contracts(governed, final, migrations_dir=tmp_path, now=NOW, allow_breaking=True)

    assert [f"{it}.py" for it in done.plan.versions] == files
    # rights are of each database by itself
    assert {step.phase for it in done.plan.changes for step in it.steps} <= ACCESS_PHASES
    assert done.written == ()


LOOSE = with_field(TRIPS, "purpose", options=Options(min_length=1, max_length=500))
CHANGES = {
    "a column that may be empty": (
        with_new(TEAMS, Field(name="note", logical_type=LogicalType.STRING)),
        {"column ops.teams.note": "additive"},
    ),
    "a column that may be empty, with a check on it alone": (
        with_new(
            TEAMS, Field(name="size", logical_type=LogicalType.INTEGER, options=Options(minimum=Decimal(1)))
        ),
        {"column ops.teams.size": "additive", "constraint ops.teams.teams_size_minimum": "additive"},
    ),
    "a column that must have a value": (
        with_new(TEAMS, Field(name="note", logical_type=LogicalType.STRING, required=True)),
        {"column ops.teams.note": "breaking"},
    ),
    "a column gone": (without(TEAMS, "budget"), {"drop column ops.teams.budget": "breaking"}),
    "a wider number": (
        with_field(TEAMS, "budget", physical_type="numeric(12,2)"),
        {"column ops.teams.budget": "additive"},
    ),
    "a narrower number": (
        with_field(TEAMS, "budget", physical_type="numeric(8,2)"),
        {"column ops.teams.budget": "breaking"},
    ),
    "another type": (
        with_field(TEAMS, "budget", logical_type=LogicalType.STRING, physical_type=None),
        {"column ops.teams.budget": "breaking"},
    ),
    "a value now required": (
        with_field(TEAMS, "budget", required=True),
        {"column ops.teams.budget": "breaking"},
    ),
    "a new check on old columns": (
        replace(TEAMS, rules=(RowRule(id="rich", expression="budget > 0", message="is poor"),)),
        {"constraint ops.teams.teams_rich": "breaking"},
    ),
    "a new index and a description": (
        replace(TEAMS, indexes=(("budget",),), description="A team."),
        {"index ops.teams.teams_budget_idx": "additive", "comment ops.teams": "additive"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_has_its_class_and_a_breaking_one_must_be_allowed(bring, planned, change):
    bring(TEAMS)
    wanted, classes = CHANGES[change]

    assert {it.what: it.kind for it in planned(wanted).changes} == classes
    if "breaking" in classes.values():
        with pytest.raises(BreakingChange, match="expected none"):
            bring(wanted)
    bring(wanted, allow_breaking=True)
    assert planned(wanted).is_empty


def test_a_check_with_wider_bounds_is_additive_and_one_with_tighter_bounds_breaking(bring, planned):
    bring(TEAMS, TRIPS)
    assert [it.kind for it in planned(TEAMS, LOOSE).changes] == ["additive"]
    bring(TEAMS, LOOSE)
    assert [it.kind for it in planned(TEAMS, TRIPS).changes] == ["breaking"]


def test_a_refused_change_leaves_the_database_and_the_workspace_as_they_were(bring, db, tmp_path):
    bring(TEAMS)
    with pytest.raises(BreakingChange) as raised:
        bring(with_new(without(TEAMS, "budget"), Field(name="funds", logical_type=LogicalType.NUMBER)))

    assert str(raised.value) == (
        "apply: 1 breaking: drop column ops.teams.budget (its values would be lost); expected none"
    )
    assert "by `daftari.renamedFrom`: its values stay" in raised.value.hint
    assert columns(db, "teams") == ["team", "budget", "created_at", "updated_at", "_run_id"]
    assert len(list((tmp_path / "versions").glob("*.py"))) == 1


def test_rows_that_break_a_new_condition_stop_it_and_are_not_quoted(bring, db, tmp_path):
    bring(TEAMS)
    row(db, team="blue", budget=-17)
    with pytest.raises(DatabaseError) as raised:
        bring(
            replace(TEAMS, rules=(RowRule(id="rich", expression="budget > 0", message="is poor"),)),
            allow_breaking=True,
        )

    assert str(raised.value) == ("apply: existing rows of teams break teams_rich; nothing was changed")
    assert len(list((tmp_path / "versions").glob("*.py"))) == 1


def test_values_that_a_new_type_cannot_take_stop_it_and_are_not_quoted(bring, db):
    bring(TEAMS)
    row(db, team="secret")
    with pytest.raises(DatabaseError, match="existing values do not fit a new type") as raised:
        bring(with_field(TEAMS, "team", logical_type=LogicalType.INTEGER), allow_breaking=True)
    assert "secret" not in str(raised.value)


def test_new_values_of_a_closed_set_come_in_their_place_and_can_be_used_in_the_same_apply(bring, db, planned):
    bring(TEAMS, TRIPS)
    wider = with_field(TRIPS, "status", allowed=("draft", "asked", "seen", "approved", "refused", "done"))
    uses = RowRule(id="done_has_purpose", expression="status <> 'done' or purpose is not null", message="")
    wider = replace(wider, rules=(*wider.rules, uses))

    assert [(it.what, it.kind) for it in planned(TEAMS, wider).changes] == [
        ("enum ops.trips_status", "additive"),
        ("constraint ops.trips.trips_done_has_purpose", "breaking"),
    ]
    done = bring(TEAMS, wider, allow_breaking=True)

    assert len(done.written) == 2
    values = db.execute("select enum_range(null::ops.trips_status)::text").fetchone()
    assert values == ("{draft,asked,seen,approved,refused,done}",)


def test_a_value_that_leaves_a_closed_set_is_breaking_and_conditions_on_it_survive(bring, db, planned):
    bring(TEAMS, TRIPS)
    fewer = with_field(TRIPS, "status", allowed=("refused", "asked"))
    assert [(it.kind, it.reason) for it in planned(TEAMS, fewer).changes] == [
        ("breaking", "rows may hold approved")
    ]
    bring(TEAMS, fewer, allow_breaking=True)
    assert planned(TEAMS, fewer).is_empty
    assert db.execute("select enum_range(null::ops.trips_status)::text").fetchone() == ("{refused,asked}",)


def test_views_in_the_way_of_a_new_type_are_named_and_make_it_breaking(bring, db, planned):
    bring(TEAMS)
    db.execute(
        "create view staging.stg_teams with (security_invoker = true) as select team, budget from ops.teams"
    )
    wider = with_field(TEAMS, "budget", physical_type="numeric(12,2)")

    (change,) = planned(wider).changes
    assert (change.kind, change.reason) == (
        "breaking",
        "views that show it are dropped until the next transform",
    )
    assert change.statements[0] == 'drop view "staging"."stg_teams" cascade'
    bring(wider, allow_breaking=True)
    assert planned(wider).is_empty


def test_what_cannot_be_changed_in_place_is_refused_even_when_allowed(bring):
    bring(READINGS)
    plain = replace(READINGS, partitioning=None)
    with pytest.raises(BreakingChange, match="expected changes that PostgreSQL can make in place"):
        bring(plain, allow_breaking=True)


def test_a_table_whose_contract_is_gone_keeps_its_rows(bring, db):
    bring(TEAMS, NOTES, READINGS)
    row(db, team="blue")
    bring(NOTES, READINGS, allow_breaking=True)
    assert db.execute("select count(*) from ops.teams").fetchone() == (1,)


def test_a_table_in_use_is_waited_for_no_longer_than_the_lock_timeout(bring, db, database_url):
    bring(TEAMS)
    db.execute("set lock_timeout = '200ms'")
    with psycopg.connect(database_url) as other:
        other.execute("lock table ops.teams in row exclusive mode")
        with pytest.raises(DatabaseError, match="a table is in use and did not become free in time"):
            bring(with_new(TEAMS, Field(name="note", logical_type=LogicalType.STRING)))


def test_partitions_are_made_as_time_passes_without_a_version_file(bring):
    bring(READINGS)
    later = bring(READINGS, now=NOW + timedelta(days=120))
    assert [it.partition for it in later.partitions] == ["readings_2027q2"]
    assert later.written == ()


def test_rows_in_the_default_partition_move_when_their_own_is_made(bring, db):
    bring(READINGS)
    db.execute(
        "insert into ops.readings (reading, read_at, _run_id) values "
        "(1, '2027-05-01', 1), (2, '2027-06-30 23:59:59+00', 1), (3, '2027-07-01', 1)"
    )
    later = bring(READINGS, now=NOW + timedelta(days=120))
    assert [(it.partition, it.rows_moved) for it in later.partitions] == [("readings_2027q2", 2)]
    assert db.execute("select reading, tableoid::regclass::text from ops.readings order by 1").fetchall() == [
        (1, "ops.readings_2027q2"),
        (2, "ops.readings_2027q2"),
        (3, "ops.readings_default"),
    ]
    assert db.execute("select count(*) from daftari.key_readings").fetchone() == (3,)


def test_a_new_version_of_a_contract_moves_the_marker_alone(db, tmp_path):
    apply_contracts(db, [contract(TEAMS)], migrations_dir=tmp_path, now=NOW)
    done = apply_contracts(
        db, [replace(contract(TEAMS, "1.0.1"), hash="other")], migrations_dir=tmp_path, now=NOW
    )
    assert (done.plan.marked, done.plan.changes, done.written) == (("teams",), (), ())
    assert db.execute("select version, hash from daftari.contract_marker").fetchone() == ("1.0.1", "other")


def test_a_version_file_that_the_database_has_had_and_the_workspace_has_not_is_named(bring):
    done = bring(TEAMS)
    done.written[0].unlink()
    with pytest.raises(DatabaseError, match=r"expected one line of version files"):
        bring(TEAMS)


def test_what_a_contract_says_cannot_get_out_of_its_quotes_in_a_version_file(bring, db):
    evil = 'it\'s "quoted" \\ %s :name """; import os; $$ {x}\nnext line'
    bring(replace(TEAMS, description=evil))
    assert db.execute("select obj_description('ops.teams'::regclass)").fetchone() == (evil,)
