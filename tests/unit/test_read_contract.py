from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.contracts import contract_document, contract_of, field

from daftari.contract.model import (
    Access,
    Conflict,
    DatasetKind,
    LogicalType,
    Operation,
    Overlap,
    Partitioning,
    PartitionPeriod,
    Protection,
    Relationship,
    RowRule,
    RowScope,
    Severity,
)
from daftari.contract.reader.read import read_contract
from daftari.errors import ContractError

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: 1.0.0\nstatus: active\n"


def faults(text: str) -> list[str]:
    with pytest.raises(ContractError) as raised:
        read_contract(text, source="c.yaml")
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "kind: DataContract\napiVersion: v3.1.0\n",  # every missing name, not only the first
            [
                "c.yaml:1: found no 'version'; expected 'version', which ODCS requires",
                "c.yaml:1: found no 'id'; expected 'id', which ODCS requires",
                "c.yaml:1: found no 'status'; expected 'status', which ODCS requires",
            ],
        ),
        (
            f"{HEAD}schema:\n- name: visits\n  properties:\n  - name: fee\n    logicalType: nunber\n",
            [
                (
                    'c.yaml:10: schema.visits.properties.fee.logicalType: found "nunber";'
                    " expected one of string,"
                    " date, timestamp, time, number, integer, object, array, boolean (did you mean 'number'?)"
                )
            ],
        ),
        (
            f"{HEAD}schema:\n- name: visits\n  properties:\n  - name: fee\n    requird: true\n",
            [
                (
                    "c.yaml:10: schema.visits.properties.fee.requird: found unknown name 'requird';"
                    " expected a name that ODCS has here (did you mean 'required'?)"
                )
            ],
        ),
        (
            f"{HEAD}team:\n- name: x\n",
            ["c.yaml:7: team.x: found no 'username'; expected 'username', which ODCS requires"],
        ),
        (f"{HEAD}tenant: 3\n", ["c.yaml:6: tenant: found 3; expected text"]),
        (
            f"{HEAD}schema:\n- name: visits\n  relationships:\n  - {{from: visits.a, to: b}}\n",
            [
                (
                    'c.yaml:9: schema.visits.relationships.0.to: found "b";'
                    " expected dataset.field, or schema/id/properties/id"
                )
            ],
        ),
        (
            f"{HEAD}schema:\n- name: visits\n  quality:\n  - {{metric: rowCount, mustBe: 1, mustNotBe: 3}}\n",
            [
                (
                    "c.yaml:9: schema.visits.quality.0: found a mapping; expected exactly one of mustBe,"
                    " mustNotBe, mustBeGreaterThan, mustBeGreaterOrEqualTo, mustBeLessThan,"
                    " mustBeLessOrEqualTo, mustBeBetween, mustNotBeBetween"
                )
            ],
        ),
    ],
)
def test_what_departs_from_odcs_is_told_with_line_field_found_and_allowed(text, expected):
    assert faults(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "dataContractSpecification: 1.2.1\nid: x\n",
            (
                "c.yaml:1: dataContractSpecification: found a contract of the Data Contract Specification;"
                " expected one of the Open Data Contract Standard (kind: DataContract)"
            ),
        ),
        (
            "kind: Deployment\napiVersion: apps/v1\n",
            'c.yaml:1: kind: found "Deployment"; expected DataContract',
        ),
        (
            HEAD.replace("v3.1.0", "v2.2.2"),
            'c.yaml:1: apiVersion: found "v2.2.2"; expected one of v3.0.0, v3.0.1, v3.0.2, v3.1.0',
        ),
        (
            HEAD.replace("v3.1.0", "v3.2.0"),
            'c.yaml:1: apiVersion: found "v3.2.0"; expected one of v3.0.0, v3.0.1, v3.0.2, v3.1.0',
        ),
        (
            HEAD.replace("v3.1.0", "3.1"),
            "c.yaml:1: apiVersion: found 3.1; expected one of v3.0.0, v3.0.1, v3.0.2, v3.1.0",
        ),
    ],
)
def test_another_standard_or_version_is_refused_by_its_name(text, expected):
    assert faults(text) == [expected]


@pytest.mark.parametrize(
    ("custom", "found", "expected"),
    [
        (
            {"retension": "7y"},
            "unknown name daftari.retension",
            (
                "after daftari. one of kind, subject, conflict,"
                " purpose, lawfulBasis, retention, maxRejectedRatio, indexes, rules, access, approval, partition,"
                " noOverlap"
                " (did you mean 'retention'?)"
            ),
        ),
        ({"kind": "trans"}, '"trans"', "'transactional' or 'reference'"),
        ({"conflict": "ignore"}, '"ignore"', "'update', 'keep' or 'reject'"),
        (
            {"retention": "7 years"},
            '"7 years"',
            "a number of years, months, weeks or days, as in 7y, 18m, 12w, 90d",
        ),
        ({"retention": 7}, "7", "text"),
        ({"maxRejectedRatio": 5}, "5", "less than or equal to 1"),
        ({"maxRejectedRatio": "0.5"}, '"0.5"', "a number"),
        ({"subject": "patient"}, "'patient'", "one of visit_id, seen_on, fee"),
        ({"subject": "sen_on"}, "'sen_on'", "one of visit_id, seen_on, fee (did you mean 'seen_on'?)"),
        ({"indexes": ["fee"]}, '"fee"', "a list"),
        ({"indexes": [["fees"]]}, "'fees'", "one of visit_id, seen_on, fee (did you mean 'fee'?)"),
        (
            {"rules": [{"id": "r", "expression": "fee > 0"}]},
            "no 'message'",
            "'message', which this property requires",
        ),
        (
            {"rules": [{"id": "r", "expression": "x", "message": "y", "sql": "z"}]},
            "unknown name 'sql'",
            "a name that this property has",
        ),
        (
            {"access": [{"role": "hr", "operations": ["approve"], "rows": "all"}]},
            '"approve"',
            "'read', 'insert', 'update' or 'delete'",
        ),
        (
            {"access": [{"role": "hr", "operations": [], "rows": "all"}]},
            "a list of 0",
            "something: it is empty",
        ),
        (
            {"access": [{"role": "hr", "operations": ["read"], "rows": "all", "masked": ["x"]}]},
            "'x'",
            "one of visit_id, seen_on, fee",
        ),
        ({"partition": {"field": "seen_on", "every": "week"}}, '"week"', "'month' or 'quarter'"),
        (
            {"partition": {"field": "seen_on", "every": "month", "start": "2026"}},
            '"2026"',
            "a month as YYYY-MM",
        ),
        (
            {"noOverlap": {"key": "visit_id", "start": "seen_on", "end": "left_on"}},
            "'left_on'",
            "one of visit_id, seen_on, fee",
        ),
    ],
)
def test_what_a_daftari_property_may_not_say_is_refused(custom, found, expected):
    with pytest.raises(ContractError) as raised:
        contract_of(custom=custom)
    [fault] = raised.value.faults
    assert (fault.found, fault.expected) == (found, expected)


def test_a_daftari_property_is_refused_where_it_has_no_meaning_and_others_are_left_alone():
    document = contract_document(
        fields=[field(customProperties=[{"property": "daftari.subject", "value": "fee"}])]
    )
    document["customProperties"] = [
        {"property": "acme.kind", "value": 1},
        {"property": "daftari.kind", "value": 1},
    ]
    assert [fault.partition(": found ")[2] for fault in faults(json.dumps(document))] == [
        "unknown name daftari.kind; expected no daftari.* property here",
        (
            "unknown name daftari.subject; expected after daftari. one of protection, caseInsensitive, digitsOnly, "
            "width, renamedFrom"
        ),
    ]


def test_the_line_of_a_fault_is_that_of_the_wrong_value():
    text = (
        f"{HEAD}schema:\n- name: visits\n  properties:\n  - name: fee\n"
        "  customProperties:\n  - property: daftari.rules\n    value:\n"
        "    - id: a\n      expression: fee > 0\n      message: m\n"
        "    - id: b\n      expression: 3\n      message: m\n"
    )
    [fault] = faults(text)
    place = "schema.visits.customProperties.daftari.rules.value.b.expression"
    assert fault == f"c.yaml:17: {place}: found 3; expected text"


def test_what_daftari_properties_say_is_in_the_model():
    dataset = contract_of(
        custom={
            "kind": "reference",
            "subject": "visit_id",
            "conflict": "reject",
            "purpose": "Care",
            "lawfulBasis": "consent",
            "retention": "18m",
            "maxRejectedRatio": 0,
            "indexes": [["seen_on", "fee"]],
            "rules": [{"id": "paid", "expression": "fee > 0", "message": "is free"}],
            "access": [{"role": "hr", "operations": ["read"], "rows": "all", "masked": ["fee"]}],
            "partition": {"field": "seen_on", "every": "quarter", "start": "2024-01"},
            "noOverlap": {"key": "visit_id", "start": "seen_on", "end": "seen_on"},
        }
    ).dataset
    assert (dataset.kind, dataset.conflict, dataset.subject) == (
        DatasetKind.REFERENCE,
        Conflict.REJECT,
        "visit_id",
    )
    assert (dataset.purpose, dataset.lawful_basis, dataset.max_rejected_ratio) == ("Care", "consent", 0)
    assert dataset.indexes == (("seen_on", "fee"),)
    assert dataset.rules == (RowRule(id="paid", expression="fee > 0", message="is free", line=1),)
    assert dataset.access == (
        Access(role="hr", operations=(Operation.READ,), rows=RowScope.ALL, masked=("fee",)),
    )
    assert dataset.partitioning == Partitioning(
        field="seen_on", every=PartitionPeriod.QUARTER, start="2024-01"
    )
    assert dataset.no_overlap == Overlap(key=("visit_id",), start="seen_on", end="seen_on")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("90d", timedelta(days=90)),
        ("2w", timedelta(days=14)),
        ("18m", timedelta(days=548)),  # 547.875
        ("1y", timedelta(days=366)),  # 365.25
        ("7y", timedelta(days=2557)),  # 2556.75
    ],
)
def test_retention_is_rounded_up_to_whole_days(said, expected):
    assert contract_of(custom={"retention": said}).dataset.retention == expected


def test_protection_of_a_property_is_in_the_model():
    said = [{"property": "daftari.protection", "value": {"sealed": True, "lookup": True, "mask": "last3"}}]
    [fee] = contract_of(fields=[field(customProperties=said)]).dataset.fields
    assert fee.protection == Protection(sealed=True, lookup=True, mask="last3")
    assert fee.is_confidential


@pytest.mark.parametrize(
    ("check", "allowed"),
    [
        (
            {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["a", 1, 1.50, True]}},
            ("a", "1", "1.5", "true"),
        ),
        (
            {"metric": "invalidValues", "mustBeLessThan": 5, "arguments": {"validValues": ["a"]}},
            (),
        ),  # some may pass
        ({"metric": "invalidValues", "mustBe": 1, "arguments": {"validValues": ["a"]}}, ()),
        (
            {
                "metric": "invalidValues",
                "mustBe": 0,
                "severity": "warning",
                "arguments": {"validValues": ["a"]},
            },
            (),
        ),
        ({"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "a"}}, ()),
        ({"metric": "nullValues", "mustBe": 0}, ()),
    ],
)
def test_only_a_strict_list_of_valid_values_closes_a_set(check, allowed):
    [fee] = contract_of(fields=[field(quality=[check])]).dataset.fields
    assert fee.allowed == allowed


def test_a_check_takes_its_name_from_what_it_checks_and_its_severity_with_care():
    checks = [
        {"metric": "nullValues", "mustBe": 0},
        {"name": "n", "metric": "rowCount", "mustBe": 0, "severity": "low"},
    ]
    [fee] = contract_of(fields=[field(quality=checks)]).dataset.fields
    assert [(c.name, c.comparison, c.expected, c.severity) for c in fee.quality] == [
        ("fee_nullValues", "mustBe", 0, Severity.ERROR),
        ("n", "mustBe", 0, Severity.WARNING),
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"logicalType": "number", "physicalType": "text"}, LogicalType.NUMBER),  # what is said counts
        ({"physicalType": "numeric(14,2)"}, LogicalType.NUMBER),
        ({"physicalType": "TIMESTAMPTZ"}, LogicalType.TIMESTAMP),
        ({"physicalType": "STRUCT<a INT>"}, LogicalType.STRING),
        ({}, LogicalType.STRING),
    ],
)
def test_a_property_without_a_logical_type_gets_that_of_its_physical_type_or_text(said, expected):
    [only] = contract_of(fields=[{"name": "a", **said}]).dataset.fields
    assert only.logical_type is expected


def test_money_in_options_and_examples_is_exact():
    [fee] = contract_of(
        fields=[field(logicalTypeOptions={"minimum": -0.1, "multipleOf": 0.01}, examples=[12.5])]
    ).dataset.fields
    assert (fee.options.minimum, fee.options.multiple_of) == (Decimal("-0.1"), Decimal("0.01"))
    assert fee.examples == (Decimal("12.5"),)


def test_exclusive_bounds_of_odcs_3_0_become_those_of_3_1():
    document = contract_document(
        fields=[field(logicalTypeOptions={"minimum": 1, "exclusiveMinimum": True, "maximum": 9})]
    )
    document["apiVersion"] = "v3.0.2"
    [fee] = read_contract(json.dumps(document), source="c").dataset.fields
    assert (fee.options.minimum, fee.options.exclusive_minimum, fee.options.maximum) == (None, 1, 9)


def test_the_primary_key_is_in_the_order_of_its_positions_or_else_of_the_file():
    key = {"primaryKey": True}
    assert contract_of(
        fields=[field("a", primaryKeyPosition=2, **key), field("b", primaryKeyPosition=1, **key)]
    ).dataset.key == ("b", "a")
    assert contract_of(fields=[field("a", primaryKeyPosition=-1, **key), field("b", **key)]).dataset.key == (
        "a",
        "b",
    )
    assert contract_of(fields=[field("a", primaryKeyPosition=-1)]).dataset.key == ()


@pytest.mark.parametrize(
    ("at_property", "at_dataset", "expected"),
    [
        (
            [{"to": "users.user_id"}],
            [],
            Relationship(fields=("fee",), target="users", target_fields=("user_id",)),
        ),
        (
            [],
            [{"from": "visits.fee", "to": "users.user_id"}],
            Relationship(fields=("fee",), target="users", target_fields=("user_id",)),
        ),
        (
            [],
            [{"type": "foreignKey", "from": ["visits.fee", "visits.b"], "to": ["users.x", "users.y"]}],
            Relationship(fields=("fee", "b"), target="users", target_fields=("x", "y")),
        ),
        (
            [{"to": "schema/v_id/properties/b_id"}],
            [],
            Relationship(fields=("fee",), target="visits", target_fields=("b",)),
        ),
        (
            [{"to": "/schema/visits/properties/b"}],
            [],
            Relationship(fields=("fee",), target="visits", target_fields=("b",)),
        ),
        (
            [{"to": "https://example.org/users.yaml#/schema/users/properties/user_id"}],
            [],
            Relationship(fields=("fee",), target="users", target_fields=("user_id",)),
        ),
        (
            [],
            [{"from": "other.fee", "to": "users.user_id"}],
            Relationship(fields=("other.fee",), target="users", target_fields=("user_id",)),
        ),
    ],
)
def test_a_relationship_is_read_in_every_form_that_odcs_has(at_property, at_dataset, expected):
    fields = [field(relationships=at_property), field("b", id="b_id")]
    assert contract_of(fields=fields, relationships=at_dataset, id="v_id").dataset.relationships == (
        expected,
    )


@pytest.mark.parametrize(
    ("team", "owner"),
    [
        ({"members": [{"username": "a"}, {"username": "b", "role": "Owner"}]}, "b"),
        ({"members": [{"username": "a"}]}, "a"),
        ([{"username": "a", "role": "owner"}], "a"),
        ({"name": "x"}, None),
    ],
)
def test_the_owner_is_the_member_with_that_role_or_the_first(team, owner):
    assert read_contract(json.dumps(contract_document() | {"team": team}), source="c").owner == owner


def test_service_levels_are_told_by_name_with_their_unit():
    levels = [{"property": "latency", "value": 2, "unit": "d"}, {"property": "frequency", "value": "daily"}]
    document = contract_document() | {"slaProperties": levels}
    assert dict(read_contract(json.dumps(document), source="c").service_levels) == {
        "latency": "2 d",
        "frequency": "daily",
    }


def test_the_hash_is_of_what_is_said_and_not_of_how():
    document = contract_document()
    same = json.dumps(dict(reversed(document.items())), indent=4) + "\n# a comment"
    other = contract_document(description="Other.")
    hashes = [read_contract(text, source=s).hash for text, s in ((json.dumps(document), "a"), (same, "b"))]
    assert hashes[0] == hashes[1]
    assert read_contract(json.dumps(other), source="a").hash != hashes[0]
    assert len(hashes[0]) == 64
