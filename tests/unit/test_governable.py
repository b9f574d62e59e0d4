from __future__ import annotations

import json

import pytest
from tests.contracts import contract_document, contract_of, field

from daftari.contract.governable.contract_warnings import contract_warnings
from daftari.contract.governable.governable import governable
from daftari.contract.reader.read import read_contract


def told(**changes) -> list[tuple[str, str, str]]:
    return [(fault.place, fault.found, fault.expected) for fault in governable(contract_of(**changes))]


def test_a_contract_has_no_more_fields_than_a_table_of_postgresql_has_columns():
    most = [field(f"f{n}") for n in range(1597)]
    assert told(fields=most) == []
    [(place, found, expected)] = told(fields=[*most, field("last")])
    assert (place, found) == ("visits.properties", "1,598")
    assert expected.startswith("at most 1,597: a table of PostgreSQL has no more columns")


def test_a_row_that_may_be_wider_than_a_page_is_warned_of():
    def warned(count, kind):
        fields = [field(f"f{n}", kind) for n in range(count)]
        return [it.found for it in contract_warnings([contract_of(fields=fields)]) if "fields" in it.found]

    assert warned(1000, "integer") == []
    assert warned(1100, "integer") == ["1,100 fields, up to 8,800 bytes in a row"]
    assert warned(500, "string") == ["500 fields, up to 9,000 bytes in a row"]


def test_a_plain_contract_is_governable():
    assert told() == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            field("Fee"),
            ("visits.Fee.name", "'Fee'", "a name of at most 63 lower-case letters, digits and _"),
        ),
        (
            field("a" * 64),
            (
                f"visits.{'a' * 64}.name",
                f"'{'a' * 64}'",
                "a name of at most 63 lower-case letters, digits and _",
            ),
        ),
        (
            field('x"; drop table y'),
            (
                'visits.x"; drop table y.name',
                "'x\"; drop table y'",
                "a name of at most 63 lower-case letters, digits and _",
            ),
        ),
        (
            field("created_at"),
            ("visits.created_at.name", "created_at", "another name: every table has this platform column"),
        ),
        (
            field("_run_id"),
            ("visits._run_id.name", "_run_id", "another name: every table has this platform column"),
        ),
        (
            field("xmin"),
            ("visits.xmin.name", "xmin", "another name: every table has this platform column"),
        ),
        (field(primaryKey=True), ("visits.fee.required", "false", "true: it is in the primary key")),
        (
            field(physicalName="price"),
            (
                "schema.visits.properties.fee.physicalName",
                "'price'",
                "the same as the name, 'fee', which names the column",
            ),
        ),
        (
            field(physicalType="money"),
            (
                "visits.fee.physicalType",
                "'money'",
                (
                    "one of text, varchar(n), uuid, smallint, integer, bigint, numeric, numeric(p,s), "
                    "double precision, boolean, date, time, timestamp, timestamptz, jsonb"
                ),
            ),
        ),
        (
            field(physicalType="date"),
            ("visits.fee.physicalType", "'date'", "a type for logicalType number"),
        ),
        (
            field(classification="secret"),
            (
                "visits.fee.classification",
                "'secret'",
                "one of public, internal, personal, confidential, restricted",
            ),
        ),
        (
            field(logicalTypeOptions={"minimum": 2, "maximum": 1}),
            ("visits.fee.logicalTypeOptions", "minimum 2", "at most maximum 1"),
        ),
        (
            field(logicalTypeOptions={"exclusiveMinimum": 1, "maximum": 1}),
            ("visits.fee.logicalTypeOptions", "exclusiveMinimum 1", "less than maximum 1"),
        ),
        (
            field("a", "date", logicalTypeOptions={"minimum": "01/02/2026"}),
            ("visits.a.logicalTypeOptions.minimum", "'01/02/2026'", "a date as YYYY-MM-DD"),
        ),
        (
            field("a", "timestamp", logicalTypeOptions={"maximum": "2026-01-01T00:00:00"}),
            (
                "visits.a.logicalTypeOptions.maximum",
                "'2026-01-01T00:00:00'",
                "a timestamp as YYYY-MM-DDTHH:MM:SS+03:00, with its zone",
            ),
        ),
        (
            field("a", "string", logicalTypeOptions={"minLength": 3, "maxLength": 2}),
            ("visits.a.logicalTypeOptions.minLength", "3", "at most maxLength 2"),
        ),
        (
            field("a", "string", logicalTypeOptions={"pattern": "(?=a)"}),
            (
                "visits.a.logicalTypeOptions.pattern",
                "(?=a: a lookaround, a name or a flag",
                "a regular expression that means the same to PostgreSQL and Rust",
            ),
        ),
        (
            field("a", "array", logicalTypeOptions={"minItems": 1}),
            (
                "schema.visits.properties.a.logicalTypeOptions.minItems",
                "minItems",
                "an option that a table can enforce",
            ),
        ),
        (
            field("a", "object", properties=[field("b")]),
            (
                "schema.visits.properties.a.properties",
                "properties",
                "a flat field: nested fields are not judged",
            ),
        ),
        (
            field(quality=[{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": [1]}}]),
            (
                "visits.fee.quality.validValues",
                "values of a number",
                "text: a closed set becomes an enum type",
            ),
        ),
        (
            field(
                "a",
                "string",
                quality=[{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["x", "x"]}}],
            ),
            ("visits.a.quality.validValues", "a value twice", "each value once"),
        ),
        (
            field(
                "a",
                "string",
                quality=[{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["é" * 32]}}],
            ),
            ("visits.a.quality.validValues", f"'{'é' * 32}'", "1 to 63 bytes, without space before or after"),
        ),
        (
            field(customProperties=[{"property": "daftari.protection", "value": {"lookup": True}}]),
            ("visits.fee.daftari.protection", "revealable or lookup", "sealed: true as well"),
        ),
        (
            field(quality=[{"name": "c", "type": "sql", "query": "drop table x", "mustBe": 0}]),
            (
                "visits.fee.quality.c.query",
                "a statement other than select: drop",
                "one statement that only reads",
            ),
        ),
        (
            field(quality=[{"name": "c", "type": "custom", "engine": "soda", "implementation": "x"}]),
            ("visits.fee.quality.c", "type custom", "library or sql: other engines are not run"),
        ),
        (
            field(quality=[{"name": "c", "metric": "nullValues", "mustBe": 0, "unit": "litres"}]),
            ("visits.fee.quality.c.unit", "'litres'", "rows or percent"),
        ),
        (
            field(relationships=[{"to": ["a.b", "a.c"]}]),
            ("visits.relationships.a", "1 and 2 fields", "the same number on both sides"),
        ),
    ],
)
def test_a_field_that_cannot_be_enforced_is_told_with_the_reason(said, expected):
    assert told(fields=[said]) == [expected]


@pytest.mark.parametrize(
    "said",
    [
        field(logicalTypeOptions={"minimum": 1, "maximum": 1}),
        field(physicalType="numeric(14,2)"),
        field(physicalType="bigint"),
        field("a", "string", physicalType="varchar(20)"),
        field("a", "array", physicalType="jsonb"),
        field("a", "time", logicalTypeOptions={"minimum": "08:00:00", "maximum": "17:00:00"}),
        field("a" * 63),
        field(
            "a",
            "string",
            quality=[{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["x" * 63]}}],
        ),
        field(quality=[{"type": "text", "description": "Looks right."}]),
    ],
)
def test_a_field_at_the_limits_is_governable(said):
    assert told(fields=[said]) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"name": "Visits"},
            ("Visits.name", "'Visits'", "a name of at most 48 lower-case letters, digits and _"),
        ),
        (
            {"physicalName": "v1"},
            ("schema.visits.physicalName", "'v1'", "the same as the name, 'visits', which names the table"),
        ),
        ({"fields": []}, ("visits.properties", "none", "at least one property")),
        (
            {"fields": [field("a"), field("a")]},
            ("visits.properties", "'a' more than once", "each property once"),
        ),
        (
            {"fields": [field(n, required=True, primaryKey=True, primaryKeyPosition=1) for n in ("a", "b")]},
            ("visits.primaryKeyPosition", "1 more than once", "each position once"),
        ),
        (
            {"relationships": [{"from": "visits.nobody", "to": "users.user_id"}]},
            ("visits.relationships.users", "'nobody'", "a field of visits: one of visit_id, seen_on, fee"),
        ),
        (
            {"custom": {"rules": [{"id": i, "expression": "fee > 0", "message": "m"} for i in ("a", "a")]}},
            ("visits.rules.id", "'a' more than once", "each id once"),
        ),
        (
            {"custom": {"rules": [{"id": "A b", "expression": "fee > 0", "message": "m"}]}},
            (
                "visits.rules.id",
                "'A b'",
                "lower-case letters, digits and _, at most 63 including the prefix visits_",
            ),
        ),
        (
            {"custom": {"access": [{"role": "pg_monitor", "operations": ["read"], "rows": "all"}]}},
            ("visits.access.pg_monitor", "'pg_monitor'", "a role that does not begin with daftari_ or pg_"),
        ),
        (
            {"custom": {"access": [{"role": "employee", "operations": ["read"], "rows": "own"}]}},
            ("visits.access.employee", "rows own", "daftari.subject, the field that names a row's person"),
        ),
        (
            {
                "custom": {
                    "access": [
                        {
                            "role": "a",
                            "operations": ["read"],
                            "rows": "all",
                            "fields": ["fee"],
                            "masked": ["seen_on"],
                        }
                    ]
                }
            },
            ("visits.access.a", "masked 'seen_on'", "a field listed in fields: the role sees no others"),
        ),
        (
            {"custom": {"partition": {"field": "visit_id", "every": "month"}}},
            ("visits.visit_id.partition.field", "string", "a date or timestamp"),
        ),
        (
            {"custom": {"partition": {"field": "seen_on", "every": "month"}}},
            ("visits.seen_on.required", "false", "true: it is the partition key"),
        ),
        (
            {"custom": {"noOverlap": {"key": "visit_id", "start": "seen_on", "end": "fee"}}},
            ("visits.noOverlap", "date and number", "start and end of one type, date or timestamp"),
        ),
        (
            {"quality": [{"metric": "rowCount", "mustBe": 1}] * 2},
            ("visits.quality", "'rowCount' more than once", "a unique name for each check"),
        ),
    ],
)
def test_a_dataset_that_cannot_be_enforced_is_told_with_the_reason(changes, expected):
    assert told(**changes) == [expected]


@pytest.mark.parametrize(
    ("old", "sealed", "expected"),
    [
        ("fee", False, "found 'fee'; expected a name that no field has any more, once"),
        ("seen_on", False, "found 'seen_on'; expected a name that no field has any more, once"),
        ("price", True, "found a sealed field; expected no new name: sealed values can only be opened under"),
    ],
)
def test_a_rename_that_cannot_be_made_is_told_with_the_reason(old, sealed, expected):
    own = [{"property": "daftari.renamedFrom", "value": old}]
    if sealed:
        own.append({"property": "daftari.protection", "value": {"sealed": True}})
    key = {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True}
    fields = [key, field("seen_on", "date"), field("fee", "string", customProperties=own)]
    (fault,) = governable(contract_of(fields=fields))
    assert expected in str(fault)


def test_a_contract_holds_one_dataset():
    document = contract_document()
    document["schema"] *= 2
    [fault] = governable(read_contract(json.dumps(document), source="c"))
    assert (fault.place, fault.found, fault.expected) == (
        "schema",
        "2 objects",
        "1: one contract for each dataset",
    )


SEALED = [{"property": "daftari.protection", "value": {"sealed": True}}]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"unique": True}, "lookup: true as well: its blind index keeps it unique"),
        ({"primaryKey": True, "required": True}, "a key that is not sealed: others refer to it"),
        (
            {"relationships": [{"type": "foreignKey", "to": "wards.ward"}]},
            "not sealed, or not in relationships: the server cannot read sealed values",
        ),
    ],
    ids=str,
)
def test_the_server_cannot_use_what_it_cannot_look_into(said, expected):
    fields = [field("visit_id", "string"), field("ward", "string", customProperties=SEALED, **said)]
    assert told(fields=fields) == [("visits.ward.daftari.protection", told(fields=fields)[0][1], expected)]


@pytest.mark.parametrize(
    ("custom", "place"),
    [
        ({"indexes": [["ward"]]}, "daftari.indexes"),
        ({"subject": "ward"}, "daftari.subject"),
        ({"noOverlap": {"key": "ward", "start": "a", "end": "b"}}, "daftari.noOverlap"),
    ],
    ids=str,
)
def test_a_sealed_field_orders_and_tells_apart_nothing(custom, place):
    fields = [
        field("visit_id", "string"),
        *(field(name, "date") for name in "ab"),
        field("ward", "string", customProperties=SEALED),
    ]
    expected = f"not sealed, or not in {place}: the server cannot read sealed values"
    assert ("visits.ward.daftari.protection", "sealed", expected) in told(fields=fields, custom=custom)


@pytest.mark.parametrize("names", [("ward", "ward_index"), ("a" * 58,)], ids=["taken", "too long"])
def test_a_blind_index_has_a_column_of_its_own(names):
    lookup = [{"property": "daftari.protection", "value": {"sealed": True, "lookup": True}}]
    fields = [
        field("visit_id", "string"),
        field(names[0], "string", customProperties=lookup),
        *(field(name, "string") for name in names[1:]),
    ]
    expected = "a name that leaves its index column a free name of at most 63 characters"
    assert told(fields=fields) == [(f"visits.{names[0]}.name", repr(names[0]), expected)]
