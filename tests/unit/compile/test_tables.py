from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.small_contracts import NOTES, READINGS, TEAMS, TRIPS, with_field

from daftari.compile.schema_changes.statements import create_all
from daftari.compile.tables import tables
from daftari.compile.tables.objects import Constraint, ObjectKind
from daftari.contract.model import (
    Dataset,
    Field,
    LogicalType,
    Options,
    Overlap,
    Relationship,
    RowRule,
)
from daftari.errors import ContractError

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def made(*datasets):
    return tables.table_objects(datasets, now=NOW)


def test_a_contract_becomes_these_statements():
    expected = (Path(__file__).parent / "trips.sql").read_text("utf-8")
    assert ";\n".join(create_all(made(TEAMS, TRIPS))) + ";\n" == expected


def test_a_partitioned_table_has_its_periods_a_default_and_a_table_that_keeps_its_key():
    names = [(it.kind, it.schema, it.name) for it in made(READINGS)]
    triggers = [it for it in made(READINGS) if it.kind is ObjectKind.TRIGGER]
    assert [name for kind, _, name in names if kind is ObjectKind.PARTITION] == [
        "readings_2026q3",
        "readings_2026q4",
        "readings_2027q1",
        "readings_default",
    ]
    assert (ObjectKind.TABLE, "daftari", "key_readings") in names
    assert [it.name for it in triggers if it.table == "readings"] == [
        "keep_keys_insert",
        "keep_keys_update",
        "keep_keys_delete",
        "keep_keys_truncate",
        "audit_insert",
        "audit_update",
        "audit_delete",
        "set_updated_at",
    ]
    audit = {"audit_insert", "audit_update", "audit_delete", "audit_truncate"}
    assert {it.name for it in triggers if it.table == "readings_default"} == audit


def test_a_reference_to_a_partitioned_dataset_goes_to_the_table_that_keeps_its_key():
    assert create_all(made(READINGS, NOTES))[-1] == (
        'alter table "ops"."notes" add constraint "notes_reading_fkey" '
        'foreign key ("reading") references "daftari"."key_readings" ("reading")'
    )


ONE = Dataset(name="t", fields=(Field(name="k", logical_type=LogicalType.STRING, key_position=1),))


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ({"logical_type": LogicalType.STRING}, '"x" text'),
        ({"logical_type": LogicalType.INTEGER}, '"x" bigint'),
        ({"logical_type": LogicalType.NUMBER}, '"x" numeric'),
        ({"logical_type": LogicalType.NUMBER, "physical_type": "NUMERIC(14, 2)"}, '"x" numeric(14, 2)'),
        ({"logical_type": LogicalType.BOOLEAN, "required": True}, '"x" boolean not null'),
        ({"logical_type": LogicalType.DATE}, '"x" date'),
        ({"logical_type": LogicalType.TIME}, '"x" time'),
        ({"logical_type": LogicalType.TIMESTAMP}, '"x" timestamptz'),
        # an instant without a zone would be another moment in each session
        ({"logical_type": LogicalType.TIMESTAMP, "physical_type": "timestamp"}, '"x" timestamptz'),
        ({"logical_type": LogicalType.OBJECT}, '"x" jsonb'),
        ({"logical_type": LogicalType.ARRAY}, '"x" jsonb'),
        ({"logical_type": LogicalType.STRING, "allowed": ("a",)}, '"x" "ops"."t_x"'),
        # PostgreSQL's limit of 63 bytes for a value of an enum
        ({"logical_type": LogicalType.STRING, "allowed": ("a" * 64,)}, '"x" text'),
        ({"logical_type": LogicalType.INTEGER, "allowed": ("1", "2")}, '"x" bigint'),
    ],
)
def test_a_field_becomes_a_column(field, column):
    statements = create_all(made(replace(ONE, fields=(*ONE.fields, Field(name="x", **field)))))
    table = next(it for it in statements if it.startswith("create table"))
    assert table.splitlines()[2] == f"    {column},"


@pytest.mark.parametrize(
    ("field", "checks"),
    [
        (
            {
                "logical_type": LogicalType.NUMBER,
                "options": Options(minimum=Decimal("-1.5"), exclusive_maximum=Decimal("1E+3")),
            },
            {"t_x_minimum": 'check ("x" >= -1.5)', "t_x_exclusive_maximum": 'check ("x" < 1000)'},
        ),
        (
            {"logical_type": LogicalType.INTEGER, "options": Options(multiple_of=Decimal(5))},
            {"t_x_multiple": 'check ("x"::numeric % 5 = 0)'},
        ),
        (
            {"logical_type": LogicalType.DATE, "options": Options(minimum="2020-01-01", maximum="2099-12-31")},
            {
                "t_x_minimum": "check (\"x\" >= '2020-01-01'::date)",
                "t_x_maximum": "check (\"x\" <= '2099-12-31'::date)",
            },
        ),
        (
            {"logical_type": LogicalType.STRING, "options": Options(min_length=1)},
            {"t_x_length": 'check (char_length("x") >= 1)'},
        ),
        # a pattern speaks of the whole value
        (
            {"logical_type": LogicalType.STRING, "options": Options(pattern="[a-z]|it's")},
            {"t_x_pattern": "check (\"x\" ~ '^(?:[a-z]|it''s)$')"},
        ),
        (
            {"logical_type": LogicalType.STRING, "options": Options(pattern="(?i)kes")},
            {"t_x_pattern": "check (\"x\" ~ '(?i)^(?:kes)$')"},
        ),
        (
            {"logical_type": LogicalType.INTEGER, "allowed": ("1", "2")},
            {"t_x_allowed": "check (\"x\"::text in ('1', '2'))"},
        ),
        # an enum needs none
        ({"logical_type": LogicalType.STRING, "allowed": ("a",), "options": Options(max_length=9)}, {}),
    ],
)  # fmt: skip
def test_options_become_checks(field, checks):
    dataset = replace(ONE, fields=(*ONE.fields, Field(name="x", **field)))
    found = {
        it.name: it.definition
        for it in made(dataset).values()
        if isinstance(it, Constraint) and it.definition.startswith("check")
    }
    assert found == checks


def test_a_rule_that_depends_on_the_day_has_no_check():
    assert "trips_ends_after_start" in {it.name for it in made(TEAMS, TRIPS)}
    assert "trips_not_ahead" not in {it.name for it in made(TEAMS, TRIPS)}


def test_an_index_that_a_key_serves_is_not_made_again():
    pair = replace(
        TEAMS,
        fields=tuple(replace(f, key_position=at) for at, f in enumerate(TEAMS.fields, 1)),
        indexes=(("team",), ("budget",), ("team", "budget")),
    )
    names = {it.name for it in made(pair) if it.kind is ObjectKind.INDEX}
    assert names == {"teams_budget_idx"}


def test_names_that_postgresql_would_cut_stay_apart():
    long = "x" * 60
    dataset = replace(
        ONE,
        fields=(
            *ONE.fields,
            Field(name=f"{long}_a", logical_type=LogicalType.STRING, options=Options(min_length=1)),
            Field(name=f"{long}_b", logical_type=LogicalType.STRING, options=Options(min_length=1)),
        ),
    )
    names = [it.name for it in made(dataset) if it.name.startswith("t_xxx")]
    assert len(set(names)) == 2
    assert all(len(name.encode()) <= 63 for name in names)


def test_what_a_contract_says_is_quoted():
    dataset = replace(
        ONE, name='t"; drop table ops.users; --', description="it's; $$ -- /*", fields=ONE.fields
    )
    statements = create_all(made(dataset))
    assert any(it.startswith('create table "ops"."t""; drop table ops.users; --" (') for it in statements)
    assert any(it.endswith("is 'it''s; $$ -- /*'") for it in statements)


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        (
            [replace(ONE, fields=(*ONE.fields, Field(name="_run_id", logical_type=LogicalType.STRING)))],
            "t._run_id: this name belongs to the platform; expected another",
        ),
        (
            [with_field(TEAMS, "budget", physical_type="money; drop table x")],
            (
                "teams.budget: physicalType 'money; drop table x'; expected a PostgreSQL type such as text, "
                "varchar(40), bigint, numeric(14,2), boolean, date, timestamptz, uuid, jsonb"
            ),
        ),
        (
            [replace(ONE, relationships=(Relationship(fields=("k",), target="u", target_fields=("k",)),))],
            "t: relationship of k: no dataset 'u'; known: t",
        ),
        (
            [
                TEAMS,
                replace(
                    TRIPS,
                    relationships=(
                        Relationship(fields=("team",), target="teams", target_fields=("budget",)),
                    ),
                ),
            ],
            "trips: relationship of team: budget is not a key of teams; expected team",
        ),
        (
            [with_field(READINGS, "litres", unique=True)],
            "readings.litres: unique in a partitioned dataset; expected only its key to be unique",
        ),
        (
            [replace(READINGS, no_overlap=Overlap(key=("reading",), start="read_at", end="read_at"))],
            "readings: noOverlap in a partitioned dataset; expected one or the other",
        ),
        (
            [replace(TRIPS, no_overlap=Overlap(key=("team",), start="starts_on", end="purpose")), TEAMS],
            (
                "trips: noOverlap from starts_on to purpose; "
                "expected two fields of one type: date, timestamp, integer or number"
            ),
        ),
        (
            [replace(ONE, rules=(RowRule(id="r", expression="pg_sleep(9) is null", message=""),))],
            "t: rule r: ",
        ),
        (
            [replace(READINGS, partitioning=replace(READINGS.partitioning, field="litres"))],
            "readings.litres: partitioned by number; expected date or timestamp",
        ),
        (
            [replace(READINGS, partitioning=replace(READINGS.partitioning, start="2026"))],
            "readings: partition start '2026'; expected a month as YYYY-MM",
        ),
        (
            [replace(ONE, name="n" * 64)],
            f"name {'n' * 64!r}: 64 bytes; expected 1 to 63, none zero",
        ),
    ],
)
def test_what_postgresql_cannot_do_is_refused_in_one_line(datasets, message):
    with pytest.raises(ContractError) as raised:
        create_all(made(*datasets))
    assert str(raised.value).startswith(message)
