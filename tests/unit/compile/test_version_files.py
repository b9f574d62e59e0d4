"""What a version file would do to a database, judged by its statements."""

import pytest
from tests.conftest import NOW
from tests.small_contracts import TEAMS, TRIPS

from daftari.compile.schema_changes.version_files import adds_values, changes_of_files
from daftari.compile.tables.tables import table_objects

LIVE = table_objects([TEAMS, TRIPS], now=NOW)
#: Statements of one file after another, with the class of the last.
CASES = {
    "a column dropped": (['alter table "ops"."teams" drop column "budget"'], "breaking"),
    "a column dropped, without quotes": (["ALTER TABLE ops.teams DROP COLUMN budget"], "breaking"),
    "two columns dropped": (["alter table ops.teams drop column budget, drop column team"], "breaking"),
    "a column added and another dropped": (
        ["alter table ops.teams add column note text, drop column budget"],
        "breaking",
    ),
    "a column dropped that this database lacks": (
        ['alter table "ops"."teams" drop column "gone"'],
        "additive",
    ),
    "a column dropped that an earlier file adds": (
        ['alter table "ops"."teams" add column "note" text', 'alter table "ops"."teams" drop column "note"'],
        "additive",
    ),
    "a column renamed": (['alter table "ops"."teams" rename column "budget" to "money"'], "breaking"),
    "a column added": (['alter table "ops"."teams" add column "note" text'], "additive"),
    "a column added that must have a value": (
        ['alter table "ops"."teams" add column "note" text not null'],
        "breaking",
    ),
    "a column added with a default": (
        ['alter table "ops"."teams" add column "n" bigint not null default 0'],
        "additive",
    ),
    "a condition on a new column": (
        [
            'alter table "ops"."teams" add column "size" bigint',
            'alter table "ops"."teams" add constraint "teams_size" check ("size" > 0)',
        ],
        "additive",
    ),
    "a condition on an old column": (
        ['alter table "ops"."teams" add constraint "teams_rich" check ("budget" > 0)'],
        "breaking",
    ),
    "a condition gone": (['alter table "ops"."trips" drop constraint "trips_not_ahead"'], "additive"),
    "the key gone": (['alter table "ops"."teams" drop constraint "teams_pkey"'], "breaking"),
    "a wider type": (
        [
            'alter table "ops"."teams" alter column "budget" type numeric(12,2) using "budget"::text::numeric(12,2)'
        ],
        "additive",
    ),
    "a narrower type": (
        [
            'alter table "ops"."teams" alter column "budget" type numeric(8,2) using "budget"::text::numeric(8,2)'
        ],
        "breaking",
    ),
    "a value less in a closed set": (
        [
            'alter type "ops"."trips_status" rename to "trips_status_replaced"',
            "create type \"ops\".\"trips_status\" as enum ('asked', 'approved')",
            (
                'alter table "ops"."trips" alter column "status" type "ops"."trips_status" '
                'using "status"::text::"ops"."trips_status"'
            ),
        ],
        "breaking",
    ),
    "another order of a closed set": (
        [
            'alter type "ops"."trips_status" rename to "trips_status_replaced"',
            "create type \"ops\".\"trips_status\" as enum ('refused', 'asked', 'approved')",
            (
                'alter table "ops"."trips" alter column "status" type "ops"."trips_status" '
                'using "status"::text::"ops"."trips_status"'
            ),
        ],
        "additive",
    ),
    "a value more": (["alter type \"ops\".\"trips_status\" add value 'done' after 'refused'"], "additive"),
    "a value required": (['alter table "ops"."teams" alter column "budget" set not null'], "breaking"),
    "a value no longer required": (
        ['alter table "ops"."trips" alter column "team" drop not null'],
        "breaking",
    ),
    "a view dropped": (['drop view "staging"."stg_teams" cascade'], "breaking"),
    "a table dropped": (['drop table "ops"."teams"'], "breaking"),
    "a new table": (['create table "ops"."pets" (\n    "pet" text not null\n)'], "additive"),
    "a condition on a new table": (
        [
            'create table "ops"."pets" (\n    "pet" text not null\n)',
            'alter table "ops"."pets" add constraint "pets_pet" unique ("pet")',
        ],
        "additive",
    ),
    "an index": (['create index "teams_budget_idx" on "ops"."teams" ("budget")'], "additive"),
    "a unique index": (['create unique index "u" on "ops"."teams" ("budget")'], "breaking"),
    "a trigger of the audit": (
        [
            (
                'create trigger "audit_insert" after insert on "ops"."teams" for each statement '
                "execute function daftari.audit_insert('teams')"
            )
        ],
        "additive",
    ),
    "another trigger": (
        ['create trigger "refuse" before insert on "ops"."teams" for each row execute function ops.refuse()'],
        "breaking",
    ),
    "a trigger gone": (['drop trigger "audit_insert" on "ops"."teams"'], "exposure"),
    "a comment": (['comment on table "ops"."teams" is \'One; drop column\''], "additive"),
    "two statements in one": (
        ['comment on table "ops"."teams" is \'One\'; alter table ops.teams drop column budget'],
        "breaking",
    ),
    "rows deleted": (["delete from ops.teams"], "breaking"),
    "a block of code": (["do $$ begin delete from ops.teams; end $$"], "breaking"),
    "a policy dropped": (['drop policy "hr_read" on "ops"."teams"'], "breaking"),
    "what cannot be read": (None, "breaking"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_statement_has_the_class_of_what_it_does_here(case):
    statements, kind = CASES[case]
    assert changes_of_files({"0007_x": statements}, LIVE)[-1].kind == kind


def test_a_database_without_the_tables_loses_nothing():
    files = {"0001_x": ["alter table ops.teams drop column budget"], "0002_x": ['drop table "ops"."teams"']}
    assert {it.kind for it in changes_of_files(files, {})} == {"additive"}


def test_a_change_names_its_file_and_shows_its_sql():
    (change,) = changes_of_files({"0007_x": ["alter table ops.teams drop column budget"]}, LIVE)
    assert change.what == "version file 0007_x: alter table ops.teams drop column budget"
    assert change.statements == ("alter table ops.teams drop column budget",)


def test_statements_that_add_values_are_known():
    assert adds_values(["alter type ops.trips_status ADD VALUE 'x'"])
    assert not adds_values(["alter table ops.teams add column value text"])
