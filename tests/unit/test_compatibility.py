from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest
from tests.contracts import contract_of, field

from daftari.contract.approval import Approval, ApprovalStep
from daftari.contract.compatibility.changes import ChangeKind
from daftari.contract.compatibility.compatibility import TABLES, compare
from daftari.contract.model import (
    Access,
    Classification,
    Conflict,
    Contract,
    Dataset,
    DatasetKind,
    Field,
    LogicalType,
    Operation,
    Options,
    Overlap,
    Partitioning,
    PartitionPeriod,
    Protection,
    Quality,
    Relationship,
    RowRule,
    RowScope,
    Severity,
    row_scope,
)

FEE = Field(name="fee", logical_type=LogicalType.NUMBER)
ID = Field(name="visit_id", logical_type=LogicalType.STRING, required=True, key_position=1)
VISITS = Dataset(name="visits", fields=(ID, FEE))
CONTRACT = Contract(id="c", version="1.0.0", status="active", api_version="v3.1.0", datasets=(VISITS,))
TO_USERS = Relationship(fields=("fee",), target="users", target_fields=("id",))


def of(*datasets: Dataset) -> Contract:
    return replace(CONTRACT, datasets=datasets)


def of_field(**changes) -> Contract:
    return of(replace(VISITS, fields=(ID, replace(FEE, **changes))))


def of_dataset(**changes) -> Contract:
    return of(replace(VISITS, **changes))


def told(old: Contract, new: Contract) -> list[str]:
    return [str(change) for change in compare(old, new)]


@pytest.mark.parametrize("kind", TABLES)
def test_every_attribute_of_the_model_is_compared(kind):
    """A new attribute fails here until someone has said what a change of it means."""
    assert set(TABLES[kind]) == {attribute.name for attribute in fields(kind)}


#: Another value for each attribute, to see that the comparison looks at it.
OTHER = {
    Field: {
        "logical_type": LogicalType.INTEGER,
        "physical_type": "numeric(9,2)",
        "business_name": "Fee",
        "description": "What was paid.",
        "required": True,
        "unique": True,
        "key_position": 2,
        "classification": Classification("public"),
        "critical": True,
        "options": Options(minimum=Decimal(1)),
        "allowed": ("a",),
        "quality": (Quality(name="q"),),
        "protection": Protection(sealed=True),
        "case_insensitive": True,
        "digits_only": True,
        "width": 5,
        "examples": (1,),
    },
    Options: {
        "minimum": Decimal(1),
        "maximum": Decimal(9),
        "exclusive_minimum": Decimal(1),
        "exclusive_maximum": Decimal(9),
        "multiple_of": Decimal(2),
        "min_length": 1,
        "max_length": 9,
        "pattern": "[a-z]",
        "format": "email",
    },
    Protection: {"sealed": True, "revealable": True, "lookup": True, "mask": "full"},
    Dataset: {
        "description": "Visits.",
        "business_name": "Visits",
        "fields": (ID,),
        "relationships": (TO_USERS,),
        "quality": (Quality(name="q"),),
        "kind": DatasetKind.REFERENCE,
        "subject": "visit_id",
        "conflict": Conflict.REJECT,
        "indexes": (("fee",),),
        "partitioning": Partitioning(field="fee", every=PartitionPeriod.MONTH),
        "no_overlap": Overlap(key=("fee",), start="fee", end="fee"),
        "rules": (RowRule(id="r", expression="fee > 0", message="m"),),
        "access": (Access(role="hr", operations=(Operation.READ,), rows=RowScope.ALL),),
        "approval": Approval(
            field="fee", begins="a", steps=(ApprovalStep(start="a", to="b", roles=("hr",)),)
        ),
        "purpose": "Care",
        "lawful_basis": "consent",
        "retention": timedelta(days=30),
        "max_rejected_ratio": 0.5,
    },
    Contract: {
        "id": "d",
        "version": "2.0.0",
        "status": "retired",
        "api_version": "v3.0.2",
        "name": "n",
        "domain": "d",
        "tenant": "t",
        "description": "d",
        "datasets": (),
        "owner": "o",
        "service_levels": MappingProxyType({"latency": "2 d"}),
        "support": ("#help",),
    },
}
SILENT = {"name", "renamed_from", "line", "source", "time_zone", "hash", "document", "reservations"}


def with_other(kind: type, name: str, value) -> Contract:
    match kind.__name__:
        case "Contract":
            return replace(CONTRACT, **{name: value})
        case "Dataset":
            return of_dataset(**{name: value})
        case "Field":
            return of_field(**{name: value})
        case "Options":
            return of_field(options=Options(**{name: value}))
    return of_field(protection=Protection(**{name: value}))


@pytest.mark.parametrize(
    ("kind", "name", "value"), [(kind, name, value) for kind in OTHER for name, value in OTHER[kind].items()]
)
def test_another_value_of_any_attribute_is_a_change(kind, name, value):
    assert compare(CONTRACT, with_other(kind, name, value))


def test_the_list_of_other_values_leaves_out_only_what_says_nothing_about_the_data():
    for kind, table in TABLES.items():
        assert set(table) - set(OTHER[kind]) <= SILENT, kind


def test_a_contract_compared_with_itself_has_not_changed():
    assert compare(CONTRACT, CONTRACT) == ()
    assert compare(CONTRACT, replace(CONTRACT, source="elsewhere", hash="x")) == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            {},
            {"required": True},
            "breaking: visits.fee: required: false → true; rows without a value may exist or arrive",
        ),
        (
            {"required": True},
            {},
            "breaking: visits.fee: required: true → false; readers may get null, which was impossible before",
        ),
        (
            {"unique": True},
            {},
            "additive: visits.fee: unique: true → false; rows accepted until now are still accepted",
        ),
        (
            {},
            {"logical_type": LogicalType.INTEGER},
            (
                "breaking: visits.fee: logical_type: number → integer;"
                " existing values may not fit, and readers get another type"
            ),
        ),
        (
            {"classification": Classification("restricted")},
            {"classification": Classification("personal")},
            (
                "exposure: visits.fee: classification: restricted → personal;"
                " the field is less protected than before"
            ),
        ),
        (
            {},
            {"classification": Classification("public")},  # what nobody classified counts as internal
            ("exposure: visits.fee: classification: none → public; the field is less protected than before"),
        ),
        (
            {"classification": Classification("public")},
            {"classification": Classification("personal")},
            "additive: visits.fee: classification: public → personal; the field is protected at least as much",
        ),
        (
            {"protection": Protection(sealed=True)},
            {},
            (
                "exposure: visits.fee: sealed: true → false;"
                " its values are plain text for every reader, and in backups"
            ),
        ),
        (
            {"protection": Protection(mask="last3")},
            {},
            "exposure: visits.fee: mask: last3 → none; different parts of the value are shown",
        ),
        (
            {"protection": Protection(mask="last3")},
            {"protection": Protection(mask="full")},
            "additive: visits.fee: mask: last3 → full; the value is not shown more than before",
        ),
        (
            {"allowed": ("a", "b")},
            {"allowed": ("a",)},
            "breaking: visits.fee: closed set: removed b; rows accepted until now may be rejected",
        ),
        (
            {"allowed": ("a",)},
            {"allowed": ("a", "b")},
            "additive: visits.fee: closed set: added b; rows accepted until now are still accepted",
        ),
        (
            {},
            {"allowed": ("a",)},
            "breaking: visits.fee: closed set added; rows accepted until now may be rejected",
        ),
        (
            {"allowed": ("a",)},
            {},
            "additive: visits.fee: closed set removed; rows accepted until now are still accepted",
        ),
        (
            {"quality": (Quality(name="q"),)},
            {"quality": (Quality(name="q", severity=Severity.WARNING),)},
            "additive: visits.fee: check q changed; a check rejects no row; it only stops a publication",
        ),
    ],
)
def test_a_change_of_a_field_is_told_with_its_kind_and_reason(old, new, expected):
    assert told(of_field(**old), of_field(**new)) == [expected]


LOOSER, STRICTER = "additive", "breaking"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ({"minimum": Decimal(1)}, {"minimum": Decimal(0)}, LOOSER),
        ({"minimum": Decimal(1)}, {"minimum": Decimal(2)}, STRICTER),
        ({"minimum": Decimal(1)}, {}, LOOSER),
        ({}, {"minimum": Decimal(1)}, STRICTER),
        ({"maximum": Decimal(1)}, {"maximum": Decimal(2)}, LOOSER),
        ({"maximum": Decimal(2)}, {"maximum": Decimal(1)}, STRICTER),
        ({"maximum": "2030-01-01"}, {"maximum": "2031-01-01"}, LOOSER),
        # later on the clock, earlier in time
        ({"maximum": "2026-01-01T00:00:00+00:00"}, {"maximum": "2026-01-01T01:00:00+03:00"}, STRICTER),
        ({"minimum": "08:00:00"}, {"minimum": "07:00:00"}, LOOSER),
        ({"min_length": 2}, {"min_length": 1}, LOOSER),
        ({"max_length": 2}, {"max_length": 1}, STRICTER),
        ({"multiple_of": Decimal("0.10")}, {"multiple_of": Decimal("0.05")}, LOOSER),
        ({"multiple_of": Decimal("0.10")}, {"multiple_of": Decimal("0.03")}, STRICTER),
        ({"pattern": "a"}, {"pattern": "b"}, STRICTER),  # nobody can tell which holds more
        ({"pattern": "a"}, {}, LOOSER),
    ],
)
def test_a_looser_limit_is_additive_and_a_stricter_one_breaking(old, new, kind):
    [change] = compare(of_field(options=Options(**old)), of_field(options=Options(**new)))
    assert change.kind == kind


@pytest.mark.parametrize(
    ("logical", "old", "new", "kind"),
    [
        (LogicalType.STRING, "varchar(20)", "varchar(40)", LOOSER),
        (LogicalType.STRING, "varchar(20)", None, LOOSER),  # text
        (LogicalType.STRING, None, "varchar(20)", STRICTER),
        (LogicalType.INTEGER, "smallint", "integer", LOOSER),
        (LogicalType.INTEGER, None, "integer", STRICTER),  # was bigint
        (LogicalType.NUMBER, "numeric(10,2)", "numeric(14,2)", LOOSER),
        (LogicalType.NUMBER, "numeric(10,2)", "numeric(11,3)", LOOSER),
        (LogicalType.NUMBER, "numeric(10,2)", "numeric(10,3)", STRICTER),  # fewer digits before the point
        (LogicalType.NUMBER, "numeric(10,2)", "numeric(12,1)", STRICTER),
        (LogicalType.NUMBER, "numeric(10,2)", None, LOOSER),
        (LogicalType.NUMBER, None, "double precision", STRICTER),
        (LogicalType.NUMBER, "bigint", "numeric", LOOSER),
        (LogicalType.STRING, "uuid", "text", STRICTER),
        (LogicalType.TIMESTAMP, "timestamp", "timestamptz", STRICTER),
    ],
)
def test_a_type_that_holds_all_that_the_old_one_did_is_additive(logical, old, new, kind):
    before, after = (of_field(logical_type=logical, physical_type=physical) for physical in (old, new))
    [change] = compare(before, after)
    assert change.kind == kind


def test_a_type_that_is_only_spelt_out_has_not_changed():
    assert compare(of_field(physical_type=None), of_field(physical_type="numeric")) == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"fields": (ID, FEE)}, {"fields": (ID,)}, "breaking: visits.fee: removed; its values are lost"),
        (
            {"fields": (ID,)},
            {"fields": (ID, FEE)},
            "additive: visits.fee: added; rows accepted until now are still accepted",
        ),
        (
            {"fields": (ID,)},
            {"fields": (ID, replace(FEE, required=True))},
            "breaking: visits.fee: added, required; existing rows have no value for it",
        ),
        (
            {"fields": (ID, FEE)},
            {"fields": (FEE, ID)},
            "additive: visits: order of fields changed; columns of an existing table keep their order",
        ),
        (
            {},
            {"relationships": (TO_USERS,)},
            (
                "breaking: visits: reference to users by fee added;"
                " rows that refer to a missing row may be rejected"
            ),
        ),
        (
            {"relationships": (TO_USERS,)},
            {},
            "additive: visits: reference to users by fee removed; rows accepted until now are still accepted",
        ),
        (
            {"conflict": Conflict.UPDATE},
            {"conflict": Conflict.KEEP},
            "breaking: visits: conflict: update → keep; a correction accepted until now is rejected",
        ),
        (
            {"conflict": Conflict.REJECT},
            {"conflict": Conflict.UPDATE},
            "additive: visits: conflict: reject → update; rows accepted until now are still accepted",
        ),
        (
            {"partitioning": Partitioning(field="fee", every=PartitionPeriod.MONTH)},
            {"partitioning": Partitioning(field="fee", every=PartitionPeriod.QUARTER)},
            (
                "breaking: visits: partition: fee by month, 3 ahead → fee by quarter, 3 ahead;"
                " the table is rebuilt and every row moved"
            ),
        ),
        (
            {"partitioning": Partitioning(field="fee", every=PartitionPeriod.MONTH)},
            {"partitioning": Partitioning(field="fee", every=PartitionPeriod.MONTH, ahead=6)},
            (
                "additive: visits: partition: fee by month, 3 ahead → fee by month, 6 ahead;"
                " only the set of partitions changes"
            ),
        ),
        (
            {"rules": (RowRule(id="r", expression="fee > 0", message="m"),)},
            {"rules": (RowRule(id="r", expression="fee > 1", message="m"),)},
            "breaking: visits: rule r changed; rows accepted until now may be rejected",
        ),
        (
            {"rules": (RowRule(id="r", expression="fee > 0", message="m"),)},
            {"rules": (RowRule(id="r", expression="fee > 0", message="n"),)},
            "additive: visits: message of rule r changed; the same rows are rejected, with another message",
        ),
        (
            {"retention": timedelta(days=90)},
            {"retention": timedelta(days=30)},
            "breaking: visits: retention: 90 days → 30 days; rows are erased earlier than promised",
        ),
        (
            {"retention": timedelta(days=30)},
            {},
            "additive: visits: retention: 30 days → none; rows are kept at least as long",
        ),
    ],
)
def test_a_change_of_a_dataset_is_told_with_its_kind_and_reason(old, new, expected):
    assert told(of_dataset(**old), of_dataset(**new)) == [expected]


def access(*lines: str) -> Contract:
    """Lines as "role operation rows [masked|only FIELD]"."""
    entries = []
    for line in lines:
        role, operation, rows, *rest = line.split()
        entries.append(
            Access(
                role=role,
                operations=(Operation(operation),),
                rows=row_scope(rows),
                masked=tuple(rest[1:]) if rest[:1] == ["masked"] else (),
                fields=tuple(rest[1:]) if rest[:1] == ["only"] else (),
            )
        )
    return of_dataset(access=tuple(entries))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([], ["hr read all"], ["exposure: visits: hr gains read, rows all, every field"]),
        (["hr read all"], [], ["breaking: visits: hr loses read, rows all, every field"]),
        (
            ["hr read own"],
            ["hr read department"],
            ["exposure: visits: hr gains read, rows department, every field"],
        ),
        (["hr read all"], ["hr read own"], ["breaking: visits: hr loses read, rows all, every field"]),
        (
            ["hr read department"],  # neither lies within the other
            ["hr read reports"],
            [
                "breaking: visits: hr loses read, rows department, every field",
                "exposure: visits: hr gains read, rows reports, every field",
            ],
        ),
        (["hr read all masked fee"], ["hr read all"], ["exposure: visits: hr gains read, rows all, fee"]),
        (["hr read all"], ["hr read all masked fee"], ["breaking: visits: hr loses read, rows all, fee"]),
        (["hr read all only fee"], ["hr read all"], ["exposure: visits: hr gains read, rows all, visit_id"]),
        (
            ["hr read all"],
            ["hr read all", "hr update own"],
            ["exposure: visits: hr gains update, rows own, every field"],
        ),
        (["hr read all", "hr read own"], ["hr read all"], []),  # the second line gave nothing more
        (["hr read none"], [], []),
        (
            ["hr read fee>1"],
            ["hr read fee>0"],
            [
                "breaking: visits: hr loses read, rows fee>1, every field",
                "exposure: visits: hr gains read, rows fee>0, every field",
            ],
        ),
    ],
)
def test_what_a_role_gains_is_exposure_and_what_it_loses_is_breaking(old, new, expected):
    assert [line.partition(";")[0] for line in told(access(*old), access(*new))] == expected


def test_a_new_confidential_field_is_exposed_to_roles_that_see_every_field():
    everyone = (Access(role="hr", operations=(Operation.READ,), rows=RowScope.ALL),)
    masked = (Access(role="auditor", operations=(Operation.READ,), rows=RowScope.ALL, masked=("fee",)),)
    old = of_dataset(fields=(ID,), access=everyone + masked)
    new = of_dataset(
        fields=(ID, replace(FEE, classification=Classification.PERSONAL)), access=everyone + masked
    )
    assert told(old, new) == [
        (
            "exposure: visits.fee: confidential, and unmasked for hr;"
            " roles that see every field also see a new one"
        ),
        "additive: visits.fee: added; rows accepted until now are still accepted",
    ]


def test_another_subject_exposes_rows_only_where_a_role_sees_those_of_people():
    own = (Access(role="employee", operations=(Operation.READ,), rows=RowScope.OWN),)
    assert told(of_dataset(subject="visit_id", access=own), of_dataset(subject="fee", access=own)) == [
        "exposure: visits: subject: visit_id → fee; employee see rows about other people"
    ]
    [change] = compare(of_dataset(subject="visit_id"), of_dataset(subject="fee"))
    assert change.kind is ChangeKind.ADDITIVE


def test_datasets_come_and_go_and_the_worst_is_told_first():
    other = Dataset(name="wards", fields=(ID,))
    assert told(of(VISITS), of(other)) == [
        "breaking: visits: dataset removed; its rows stay, and no role sees them",
        "additive: wards: dataset added; nothing depends on it yet",
    ]


def test_a_renamed_field_is_compared_under_its_new_name_wherever_the_contract_names_it():
    read = Access(role="hr", operations=(Operation.READ,), rows=RowScope.ALL, fields=("fee",))
    old = of_dataset(access=(read,), indexes=(("fee",),), subject="fee")
    price = replace(FEE, name="price", renamed_from="fee", required=True)
    new = of_dataset(
        fields=(ID, price), access=(replace(read, fields=("price",)),), indexes=(("price",),), subject="price"
    )
    assert told(old, new) == [
        "breaking: visits.price: renamed from fee; its values stay; a query by the old name fails",
        "breaking: visits.price: required: false → true; rows without a value may exist or arrive",
    ]
    # once it is done, the declaration may stay
    assert told(new, replace(new, hash="x")) == []


def test_a_name_that_was_never_there_is_no_rename():
    new = of_dataset(fields=(ID, FEE, Field(name="n", logical_type=LogicalType.DATE, renamed_from="x")))
    assert told(of(VISITS), new) == ["additive: visits.n: added; rows accepted until now are still accepted"]


def test_contracts_as_they_are_read_can_be_compared():
    old = contract_of(fields=[field(logicalTypeOptions={"maximum": 100.5})])
    new = contract_of(fields=[field(logicalTypeOptions={"maximum": 100.25})])
    assert told(old, new) == [
        "breaking: visits.fee: maximum: 100.5 → 100.25; rows accepted until now may be rejected"
    ]
