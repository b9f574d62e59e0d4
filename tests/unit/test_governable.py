from __future__ import annotations

import json

import pytest

from daftari.contract.governable import governable
from daftari.contract.read import read_contract
from tests.contracts import contract_document, contract_of, field


def told(**changes) -> list[str]:
    return [str(fault).removeprefix("visits.odcs.yaml:1: ") for fault in governable(contract_of(**changes))]


def test_a_plain_contract_is_governable():
    assert told() == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            field("Fee"),
            "visits.Fee.name: found 'Fee'; expected a name of at most 63 lower-case letters, digits and _",
        ),
        (
            field("a" * 64),
            f"visits.{'a' * 64}.name: found '{'a' * 64}'; expected a name of at most 63 lower-case letters, digits and _",
        ),
        (
            field('x"; drop table y'),
            "visits.x\"; drop table y.name: found 'x\"; drop table y'; expected a name of at most 63 lower-case letters, digits and _",
        ),
        (
            field("created_at"),
            "visits.created_at.name: found created_at; expected another name: every table has this column already",
        ),
        (
            field("_run_id"),
            "visits._run_id.name: found _run_id; expected another name: every table has this column already",
        ),
        (
            field("xmin"),
            "visits.xmin.name: found xmin; expected another name: every table has this column already",
        ),
        (field(primaryKey=True), "visits.fee.required: found false; expected true: it is in the primary key"),
        (
            field(physicalName="price"),
            "schema.visits.properties.fee.physicalName: found 'price'; expected the name, 'fee': columns go by it",
        ),
        (
            field(physicalType="money"),
            "visits.fee.physicalType: found 'money'; expected one of text, varchar(n), uuid, smallint, integer, bigint, numeric, numeric(p,s), double precision, boolean, date, time, timestamp, timestamptz, jsonb",
        ),
        (
            field(physicalType="date"),
            "visits.fee.physicalType: found 'date'; expected a type for logicalType number",
        ),
        (
            field(classification="secret"),
            "visits.fee.classification: found 'secret'; expected one of public, internal, personal, confidential, restricted",
        ),
        (
            field(logicalTypeOptions={"minimum": 2, "maximum": 1}),
            "visits.fee.logicalTypeOptions: found minimum 2; expected it below maximum 1",
        ),
        (
            field(logicalTypeOptions={"exclusiveMinimum": 1, "maximum": 1}),
            "visits.fee.logicalTypeOptions: found exclusiveMinimum 1; expected it below maximum 1",
        ),
        (
            field("a", "date", logicalTypeOptions={"minimum": "01/02/2026"}),
            "visits.a.logicalTypeOptions.minimum: found '01/02/2026'; expected a date as YYYY-MM-DD",
        ),
        (
            field("a", "timestamp", logicalTypeOptions={"maximum": "2026-01-01T00:00:00"}),
            "visits.a.logicalTypeOptions.maximum: found '2026-01-01T00:00:00'; expected a timestamp as YYYY-MM-DDTHH:MM:SS+03:00, with its zone",
        ),
        (
            field("a", "string", logicalTypeOptions={"minLength": 3, "maxLength": 2}),
            "visits.a.logicalTypeOptions.minLength: found 3; expected at most maxLength 2",
        ),
        (
            field("a", "string", logicalTypeOptions={"pattern": "(?=a)"}),
            "visits.a.logicalTypeOptions.pattern: found (?=a: a lookaround, a name or a flag; expected a regular expression that PostgreSQL and Rust read alike",
        ),
        (
            field("a", "array", logicalTypeOptions={"minItems": 1}),
            "schema.visits.properties.a.logicalTypeOptions.minItems: found minItems; expected an option that a table can hold",
        ),
        (
            field("a", "object", properties=[field("b")]),
            "schema.visits.properties.a.properties: found properties; expected a flat field: nested ones are not judged",
        ),
        (
            field(quality=[{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": [1]}}]),
            "visits.fee.quality.validValues: found number; expected text: a closed set becomes an enum type",
        ),
        (
            field(
                "a",
                "string",
                quality=[{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["x", "x"]}}],
            ),
            "visits.a.quality.validValues: found a value twice; expected each value once",
        ),
        (
            field(
                "a",
                "string",
                quality=[{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["é" * 32]}}],
            ),
            f"visits.a.quality.validValues: found '{'é' * 32}'; expected 1 to 63 bytes, no space around them",
        ),
        (
            field(customProperties=[{"property": "daftari.protection", "value": {"lookup": True}}]),
            "visits.fee.daftari.protection: found revealable or lookup; expected sealed: true as well",
        ),
        (
            field(quality=[{"name": "c", "type": "sql", "query": "drop table x", "mustBe": 0}]),
            "visits.fee.quality.c.query: found a statement other than select: drop; expected one statement that only reads",
        ),
        (
            field(quality=[{"name": "c", "type": "custom", "engine": "soda", "implementation": "x"}]),
            "visits.fee.quality.c: found type custom; expected library or sql: no other engine is run",
        ),
        (
            field(quality=[{"name": "c", "metric": "nullValues", "mustBe": 0, "unit": "litres"}]),
            "visits.fee.quality.c.unit: found 'litres'; expected rows or percent",
        ),
        (
            field(relationships=[{"to": ["a.b", "a.c"]}]),
            "visits.relationships.a: found 1 and 2 fields; expected as many on both sides",
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
            "Visits.name: found 'Visits'; expected a name of at most 48 lower-case letters, digits and _",
        ),
        (
            {"physicalName": "v1"},
            "schema.visits.physicalName: found 'v1'; expected the name, 'visits': tables go by it",
        ),
        ({"fields": []}, "visits.properties: found none; expected at least one property"),
        (
            {"fields": [field("a"), field("a")]},
            "visits.properties: found 'a' more than once; expected each property once",
        ),
        (
            {"fields": [field(n, required=True, primaryKey=True, primaryKeyPosition=1) for n in ("a", "b")]},
            "visits.primaryKeyPosition: found 1 more than once; expected each position once",
        ),
        (
            {"relationships": [{"from": "visits.nobody", "to": "users.user_id"}]},
            "visits.relationships.users: found 'nobody'; expected a field of visits: one of visit_id, seen_on, fee",
        ),
        (
            {"custom": {"rules": [{"id": i, "expression": "fee > 0", "message": "m"} for i in ("a", "a")]}},
            "visits.rules.id: found 'a' more than once; expected each id once",
        ),
        (
            {"custom": {"rules": [{"id": "A b", "expression": "fee > 0", "message": "m"}]}},
            "visits.rules.id: found 'A b'; expected lower-case letters, digits and _, at most 63 with visits_ before it",
        ),
        (
            {"custom": {"access": [{"role": "employee", "operations": ["read"], "rows": "own"}]}},
            "visits.access.employee: found rows own; expected daftari.subject: whose row it is",
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
            "visits.access.a: found masked 'seen_on'; expected it among fields, since the role sees no others",
        ),
        (
            {"custom": {"partition": {"field": "visit_id", "every": "month"}}},
            "visits.visit_id.partition.field: found string; expected a date or timestamp",
        ),
        (
            {"custom": {"partition": {"field": "seen_on", "every": "month"}}},
            "visits.seen_on.required: found false; expected true: partitions are made by it",
        ),
        (
            {"custom": {"noOverlap": {"key": "visit_id", "start": "seen_on", "end": "fee"}}},
            "visits.noOverlap: found date and number; expected start and end of one type, date or timestamp",
        ),
        (
            {"quality": [{"metric": "rowCount", "mustBe": 1}] * 2},
            "visits.quality: found 'rowCount' more than once; expected a name of its own for each check",
        ),
    ],
)
def test_a_dataset_that_cannot_be_enforced_is_told_with_the_reason(changes, expected):
    assert told(**changes) == [expected]


def test_a_contract_holds_one_dataset():
    document = contract_document()
    document["schema"] *= 2
    [fault] = governable(read_contract(json.dumps(document), source="c"))
    assert str(fault) == "c: schema: found 2 objects; expected 1: each dataset has a contract of its own"
