from __future__ import annotations

import pytest

from daftari.contract.governable.governable import governable
from daftari.contract.model import LogicalType
from daftari.contract.reader.read import read_contract
from daftari.errors import DatabaseError
from daftari.operations.contracts.import_contract import contract_of_table

TABLES = """
create schema registry;
set search_path = registry;
create type mood as enum ('glad', 'sad');
create domain code as text check (value <> '');
create table department (department_code varchar(12) primary key);
create table "Staff" (
    tenant integer,
    "Staff No" bigint,
    email text not null unique,
    pay numeric(14, 2),
    rate real,
    hired date,
    seen timestamp with time zone,
    at_work time,
    mood mood,
    nick code,
    photo bytea,
    tags text[],
    extra json,
    department_code varchar(12) references department,
    boss_tenant integer,
    boss bigint,
    gone text,
    primary key ("Staff No", tenant),
    foreign key (boss, boss_tenant) references "Staff" ("Staff No", tenant)
);
alter table "Staff" drop column gone;
comment on table "Staff" is 'Who works here.';
comment on column "Staff".pay is 'Net, a month.';
"""


@pytest.fixture
def staff(db):
    db.execute(TABLES)
    return read_contract(contract_of_table(db, 'registry."Staff"'), source="c")


def test_a_table_becomes_a_contract_that_can_be_governed(staff):
    assert governable(staff) == ()
    dataset = staff.dataset
    assert (dataset.name, dataset.description, dataset.key) == (
        "staff",
        "Who works here.",
        ("staff_no", "tenant"),
    )
    assert {field.name: (field.logical_type.value, field.physical_type) for field in dataset.fields} == {
        "tenant": ("integer", "integer"),
        "staff_no": ("integer", "bigint"),
        "email": ("string", "text"),
        "pay": ("number", "numeric(14,2)"),
        "rate": ("number", "double precision"),
        "hired": ("date", "date"),
        "seen": ("timestamp", "timestamptz"),
        "at_work": ("time", "time"),
        "mood": ("string", None),
        "nick": ("string", None),
        "photo": ("string", None),
        "tags": ("array", "jsonb"),
        "extra": ("object", "jsonb"),
        "department_code": ("string", "varchar(12)"),
        "boss_tenant": ("integer", "integer"),
        "boss": ("integer", "bigint"),
    }


def test_what_the_catalogue_says_of_columns_is_kept(staff):
    dataset = staff.dataset
    assert dataset.field("mood").allowed == ("glad", "sad")
    assert dataset.field("mood").logical_type is LogicalType.STRING
    assert (dataset.field("email").required, dataset.field("email").unique) == (True, True)
    assert dataset.field("pay").description == "Net, a month."
    assert [(r.fields, r.target, r.target_fields) for r in dataset.relationships] == [
        (("boss", "boss_tenant"), "staff", ("staff_no", "tenant")),
        (("department_code",), "department", ("department_code",)),
    ]


def test_a_view_has_columns_too(db):
    db.execute("create schema registry; create view registry.recent as select 1::bigint as n, now() as seen")
    contract = read_contract(contract_of_table(db, "registry.recent"), source="c")
    assert [field.name for field in contract.dataset.fields] == ["n", "seen"]


@pytest.mark.parametrize("name", ["nowhere", "no.where", "pg_class_oid_index"])
def test_what_is_no_table_is_refused_by_name(db, name):
    with pytest.raises(DatabaseError, match=f"{name}: no such table or view; expected schema.table"):
        contract_of_table(db, name)
