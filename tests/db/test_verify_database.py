"""Every kind of object is broken by hand, and `verify` must name that object and nothing else."""

from dataclasses import replace

import pytest
from tests.conftest import NOW
from tests.small_contracts import NOTES, READINGS, TEAMS, TRIPS, contracts, with_field

from daftari.errors import ContractError
from daftari.operations.schema.apply_contracts import apply_contracts, plan_contracts
from daftari.operations.schema.verify_database import verify_database

ALL = contracts(TEAMS, TRIPS, READINGS, NOTES)
Q3 = "('2026-07-01 00:00:00+00') TO ('2026-10-01 00:00:00+00')"


@pytest.fixture(scope="module")
def migrations_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("migrations")


@pytest.fixture(scope="module")
def applied_once(module_db, migrations_dir):
    apply_contracts(module_db, ALL, migrations_dir=migrations_dir, now=NOW)
    return module_db


@pytest.fixture
def applied(applied_once):
    """The small contracts, applied. What a test does to them is undone."""
    with applied_once.transaction(force_rollback=True):
        yield applied_once


def verified(db, migrations_dir, found=ALL):
    return verify_database(db, found, migrations_dir=migrations_dir, now=NOW)


@pytest.mark.each_server
def test_after_apply_nothing_is_found_and_every_kind_was_looked_at(applied, migrations_dir):
    found = verified(applied, migrations_dir)
    assert found.drifts == ()
    assert {kind: found.checked[kind] for kind in ("table", "enum", "partition", "contract")} == {
        "table": 5,  # four, and the one that keeps the keys of readings
        "enum": 1,
        "partition": 4,
        "contract": 4,
    }
    assert all(found.checked[kind] > 0 for kind in ("column", "constraint", "index", "trigger", "comment"))


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        # tables
        (
            "create table ops.stray (x int)",
            "table ops.stray: found it; expected nothing: it is in no contract",
        ),
        # columns
        (
            "alter table ops.teams add column extra int",
            "column ops.teams.extra: found integer, null allowed; expected nothing: it is in no contract",
        ),
        (
            "alter table ops.teams alter column budget type numeric(11,2)",
            "column ops.teams.budget: found numeric(11,2); expected numeric(10,2)",
        ),
        (
            "alter table ops.trips alter column team drop not null",
            "column ops.trips.team: found null allowed; expected not null",
        ),
        (
            "alter table ops.teams alter column budget set not null",
            "column ops.teams.budget: found not null; expected null allowed",
        ),
        (
            "alter table ops.teams alter column budget set default 7",
            "column ops.teams.budget: found default 7; expected no default",
        ),
        (
            "alter table ops.teams alter column created_at drop default",
            "column ops.teams.created_at: found no default; expected default now()",
        ),
        (
            "alter table ops.trips drop column purpose",
            [  # with what hangs on it
                "column ops.trips.purpose: found nothing; expected text, null allowed",
                (
                    "constraint ops.trips.trips_purpose_length: found nothing; "
                    "expected CHECK (((char_length(purpose) >= 3) AND (char_length(purpose) <= 200)))"
                ),
                'comment ops.trips.purpose: found nothing; expected "Why, in the traveller\'s words."',
            ],
        ),
        (
            'alter table ops.teams alter column budget drop not null, alter column team type text collate "POSIX"',
            'column ops.teams.team: found text collate "POSIX"; expected text collate "C"',
        ),
        # enums
        (
            "alter type ops.trips_status add value 'lost' before 'approved'",
            "enum ops.trips_status: found (asked, lost, approved, refused); expected (asked, approved, refused)",
        ),
        (
            "create type ops.stray as enum ('a')",
            "enum ops.stray: found (a); expected nothing: it is in no contract",
        ),
        # constraints
        (
            "alter table ops.trips drop constraint trips_ends_after_start",
            (
                "constraint ops.trips.trips_ends_after_start: found nothing; "
                "expected CHECK ((ends_on >= starts_on))"
            ),
        ),
        (
            (
                "alter table ops.trips drop constraint trips_ends_after_start, "
                "add constraint trips_ends_after_start check (ends_on > starts_on)"
            ),
            (
                "constraint ops.trips.trips_ends_after_start: found CHECK ((ends_on > starts_on)); "
                "expected CHECK ((ends_on >= starts_on))"
            ),
        ),
        (
            (
                "alter table ops.trips drop constraint trips_team_fkey, "
                "add constraint trips_team_fkey foreign key (team) references ops.teams not valid"
            ),
            (
                "constraint ops.trips.trips_team_fkey: "
                "found FOREIGN KEY (team) REFERENCES ops.teams(team) NOT VALID; "
                "expected FOREIGN KEY (team) REFERENCES ops.teams(team)"
            ),
        ),
        (
            "alter table ops.trips drop constraint trips_no_overlap",
            (
                "constraint ops.trips.trips_no_overlap: found nothing; expected EXCLUDE USING gist "
                "(team WITH =, daterange(starts_on, ends_on, '[]'::text) WITH &&) "
                "WHERE (((status = 'refused'::ops.trips_status) IS NOT TRUE))"
            ),
        ),
        (
            "alter table ops.readings_2026q3 add constraint by_hand check (litres > 0)",
            (
                "constraint ops.readings_2026q3.by_hand: found CHECK ((litres > (0)::numeric)); "
                "expected nothing: it is in no contract"
            ),
        ),
        # indexes
        (
            "drop index ops.trips_team_idx",
            (
                "index ops.trips.trips_team_idx: found nothing; "
                "expected CREATE INDEX trips_team_idx ON ops.trips USING btree (team)"
            ),
        ),
        (
            "create index by_hand on ops.trips (purpose)",
            (
                "index ops.trips.by_hand: found CREATE INDEX by_hand ON ops.trips USING btree (purpose); "
                "expected nothing: it is in no contract"
            ),
        ),
        # triggers
        (
            "alter table ops.teams disable trigger set_updated_at",
            (
                "trigger ops.teams.set_updated_at: found CREATE TRIGGER set_updated_at BEFORE UPDATE ON ops.teams "
                "FOR EACH ROW EXECUTE FUNCTION daftari.set_updated_at() (disabled); expected CREATE TRIGGER "
                "set_updated_at BEFORE UPDATE ON ops.teams FOR EACH ROW EXECUTE FUNCTION daftari.set_updated_at()"
            ),
        ),
        (
            "alter table ops.readings enable trigger keep_keys_delete",
            "trigger ops.readings.keep_keys_delete: found enabled; expected enabled always",
        ),
        (
            (
                "create trigger by_hand before delete on ops.teams "
                "for each row execute function daftari.set_updated_at()"
            ),
            (
                "trigger ops.teams.by_hand: found CREATE TRIGGER by_hand BEFORE DELETE ON ops.teams "
                "FOR EACH ROW EXECUTE FUNCTION daftari.set_updated_at(); expected nothing: it is in no contract"
            ),
        ),
        # partitions
        (
            "drop table ops.readings_2026q3",
            f"partition ops.readings.readings_2026q3: found nothing; expected FOR VALUES FROM {Q3}",
        ),
        (
            "alter table ops.readings_2026q3 rename to elsewhere",
            [
                f"partition ops.readings.readings_2026q3: found nothing; expected FOR VALUES FROM {Q3}",
                (
                    f"partition ops.readings.elsewhere: found FOR VALUES FROM {Q3}; "
                    "expected nothing: it is in no contract"
                ),
            ],
        ),
        # comments
        ("comment on table ops.teams is null", "comment ops.teams: found nothing; expected 'One team.'"),
        (
            "comment on column ops.trips.status is 'Other.'",
            "comment ops.trips.status: found 'Other.'; expected 'Where it stands.'",
        ),
        (
            "alter table ops.readings_2026q4 disable trigger audit_update",
            (
                "trigger ops.readings_2026q4.audit_update: found CREATE TRIGGER audit_update AFTER UPDATE ON "
                "ops.readings_2026q4 REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT "
                "EXECUTE FUNCTION daftari.audit_change('readings', 'reading') (disabled), enabled; expected "
                "CREATE TRIGGER audit_update AFTER UPDATE ON ops.readings_2026q4 REFERENCING OLD TABLE AS removed "
                "NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION daftari.audit_change('readings', 'reading'), "
                "enabled always"
            ),
        ),
        (
            "alter event trigger daftari_watch_drops disable",
            "event trigger daftari_watch_drops: found it disabled; expected it to fire always",
        ),
        (
            "drop event trigger daftari_watch_commands",
            "event trigger daftari_watch_commands: found nothing; expected it to fire always",
        ),
        # the platform
        (
            "update daftari.contract_marker set hash = 'abc' where dataset = 'teams'",
            f"marker teams: found hash abc; expected hash {ALL[0].hash[:12]}, of teams.odcs.yaml",
        ),
        (
            (
                "create or replace function daftari.set_updated_at() returns trigger language plpgsql "
                "as 'begin return new; end'"
            ),
            "function daftari.set_updated_at: found another body; expected the body in its migration",
        ),
        (
            "update daftari.migration set sha256 = repeat('0', 64) where name = '0002_tables'",
            "migration 0002_tables: found that another text was run; expected the text of this version",
        ),
        # the table that keeps keys
        (
            "alter table daftari.key_readings alter column read_at drop not null",
            "column daftari.key_readings.read_at: found null allowed; expected not null",
        ),
    ],
)
def test_what_was_changed_by_hand_is_named(applied, migrations_dir, broken, text):
    applied.execute(broken)
    assert [drift.text for drift in verified(applied, migrations_dir).drifts] == (
        [text] if isinstance(text, str) else text
    )


@pytest.mark.parametrize(
    "broken",
    [
        "alter table ops.trips drop column purpose",
        "drop index ops.trips_team_idx",
        "alter table ops.teams disable trigger set_updated_at",
        "drop table ops.readings_2026q3",
        "comment on table ops.teams is null",
        "alter table ops.teams add column extra int",
        "alter table ops.trips drop constraint trips_no_overlap",
    ],
)
def test_apply_brings_back_what_was_changed_by_hand(db, tmp_path, broken):
    apply_contracts(db, ALL, migrations_dir=tmp_path, now=NOW)
    db.execute(broken)
    apply_contracts(db, ALL, migrations_dir=tmp_path, now=NOW, allow_breaking=True)
    assert verified(db, tmp_path).drifts == ()


def test_a_contract_that_was_not_applied_is_named(applied, migrations_dir):
    changed = contracts(replace(TEAMS, conflict="keep"), TRIPS, READINGS, NOTES)
    assert [(it.kind, it.name, it.drift) for it in verified(applied, migrations_dir, changed).drifts] == [
        ("marker", "teams", "different")
    ]


def test_a_version_file_that_was_not_run_is_named(applied, migrations_dir):
    applied.execute("delete from daftari.alembic_version")
    assert [(it.kind, it.drift) for it in verified(applied, migrations_dir).drifts] == [
        ("version", "missing")
    ]


def test_an_older_partition_is_no_drift_once_it_is_audited_as_the_others(applied, migrations_dir):
    applied.execute(
        "create table ops.readings_2019q1 partition of ops.readings "
        "for values from ('2019-01-01 00:00:00+00') to ('2019-04-01 00:00:00+00')"
    )
    applied.execute("select daftari.close_partition('ops', 'readings', 'readings_2019q1')")
    found = verified(applied, migrations_dir).drifts
    assert [(it.name, it.drift) for it in found] == [
        (f"ops.readings_2019q1.audit_{event}", "missing")
        for event in ("insert", "update", "delete", "truncate")
    ]
    for change in plan_contracts(applied, ALL, migrations_dir=migrations_dir, now=NOW).changes:
        for statement in change.statements:
            applied.execute(statement)
    assert verified(applied, migrations_dir).drifts == ()


def test_rows_in_a_default_partition_are_told_and_are_no_drift(applied, migrations_dir):
    applied.execute("insert into ops.readings (reading, read_at, _run_id) values (1, '2019-01-01', 1)")
    found = verified(applied, migrations_dir)
    assert (found.drifts, found.outside) == ((), {"readings": 1})


def test_an_empty_database_lacks_everything(applied, migrations_dir):
    applied.execute("drop schema daftari, ops, staging, marts cascade")
    found = verified(applied, migrations_dir)
    kinds = {drift.kind for drift in found.drifts}
    assert {"migration", "marker", "table", "column", "enum", "partition"} <= kinds
    assert {drift.drift for drift in found.drifts} == {"missing"}


def test_verifying_leaves_no_trace(applied, migrations_dir):
    before = applied.execute("select count(*) from pg_class").fetchone()
    verified(applied, migrations_dir)
    assert applied.execute("select count(*) from pg_class").fetchone() == before


def test_without_contracts_nothing_is_proved(db, tmp_path):
    with pytest.raises(ContractError, match="no contracts; expected one at least"):
        verified(db, tmp_path, [])


def test_a_contract_changed_in_one_place_differs_in_that_place_alone(applied, migrations_dir):
    changed = contracts(TEAMS, with_field(TRIPS, "purpose", description="Other."), READINGS, NOTES)
    drifts = [
        drift.text for drift in verified(applied, migrations_dir, changed).drifts if drift.kind != "marker"
    ]
    assert drifts == [
        "comment ops.trips.purpose: found \"Why, in the traveller's words.\"; expected 'Other.'"
    ]
