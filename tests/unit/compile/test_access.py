"""From lines of access to policies, grants and views, as text."""

from dataclasses import replace

import pytest

from daftari.compile.access import access_policies
from daftari.compile.access.access_policies import Present, Rights
from daftari.compile.access.access_statements import create_access
from daftari.compile.access.roles import Roles
from daftari.compile.tables.objects import Grant, Policy, View
from daftari.contract.access.mart_readers import MartReaders, Readers
from daftari.contract.model import (
    Access,
    Dataset,
    Field,
    LogicalType,
    Mask,
    Operation,
    Protection,
    Relationship,
    row_scope,
)
from daftari.errors import ContractError

TEXT = LogicalType.STRING
USERS = Dataset(
    name="users",
    subject="user_id",
    fields=tuple(Field(name=it, logical_type=TEXT) for it in ("user_id", "manager_id", "department_code")),
)
CLAIMS = Dataset(
    name="claims",
    subject="user_id",
    fields=(
        Field(name="claim", logical_type=TEXT, key_position=1, required=True),
        Field(name="user_id", logical_type=TEXT),
        Field(name="phone", logical_type=TEXT, protection=Protection(mask=Mask.LAST3)),
    ),
)
OF_DEPARTMENT = replace(
    CLAIMS,
    relationships=(Relationship(fields=("claim",), target="departments", target_fields=("code",)),),
)


def made(dataset, *lines, known=(USERS,), rights=Rights(), present=Present()):  # noqa: B008
    return list(access_policies.access_objects([replace(dataset, access=lines), *known], present, rights))


def line(rows="all", operations=(Operation.READ,), role="clerk", **more):
    return Access(role=role, operations=operations, rows=row_scope(rows), **more)


def policies(found, table="claims"):
    return {it.name: it for it in found if isinstance(it, Policy) and it.table == table}


@pytest.mark.parametrize(
    ("dataset", "rows", "condition"),
    [
        (CLAIMS, "all", "(select daftari.acts_as('clerk'))"),
        (CLAIMS, "own", "(select daftari.acts_as('clerk')) and \"user_id\" = (select daftari.user_id())"),
        (
            CLAIMS,
            "reports",
            "(select daftari.acts_as('clerk')) and \"user_id\" = any ((select daftari.reports())::text[])",
        ),
        (
            CLAIMS,
            "department",
            "(select daftari.acts_as('clerk')) and \"user_id\" = any ((select daftari.colleagues())::text[])",
        ),
        (
            OF_DEPARTMENT,
            "department",
            "(select daftari.acts_as('clerk')) and \"claim\" = (select daftari.department())",
        ),
        (CLAIMS, "claim <> 'X'", "(select daftari.acts_as('clerk')) and (\"claim\" <> 'X')"),
    ],
)
def test_a_scope_asks_about_the_caller_once_a_statement(dataset, rows, condition):
    (policy,) = [it for name, it in policies(made(dataset, line(rows))).items() if name != "operator"]
    assert (policy.name, policy.command, policy.roles) == ("clerk_read", "select", ("clerk",))
    assert (policy.using, policy.check) == (condition, None)


def test_a_line_of_rows_none_gives_nothing():
    found = made(CLAIMS, line("none"))
    assert set(policies(found)) == {"operator"}
    assert [it for it in found if isinstance(it, Grant) and it.grantee == "clerk"] == []


def test_each_operation_has_a_policy_and_a_grant_of_its_columns():
    found = made(CLAIMS, line(operations=tuple(Operation), fields=("claim", "phone")))
    acts = "(select daftari.acts_as('clerk'))"
    assert {name: (it.command, it.using, it.check) for name, it in policies(found).items()} == {
        "operator": ("all", "true", None),
        "clerk_read": ("select", acts, None),
        "clerk_insert": ("insert", None, acts),
        "clerk_update": ("update", acts, None),
        "clerk_delete": ("delete", acts, None),
    }
    assert {it.privilege: it.columns for it in found if isinstance(it, Grant) and it.grantee == "clerk"} == {
        "usage": (),
        "select": ("claim", "phone"),
        "insert": ("claim", "phone"),
        "update": ("phone",),
        "delete": (),
    }


def test_what_is_masked_is_not_granted_on_the_table_and_is_in_a_view_of_the_role():
    found = made(CLAIMS, line("own", masked=("phone",)))
    (grant,) = [
        it for it in found if isinstance(it, Grant) and it.table == "claims" and it.grantee == "clerk"
    ]
    assert grant.columns == ("_run_id", "claim", "created_at", "updated_at", "user_id")
    (view,) = [it for it in found if isinstance(it, View)]
    assert create_access(view) == [
        (
            'create view "views"."claims_clerk" with (security_barrier = true) as\n'
            "select\n"
            '    "claim" as "claim",\n'
            '    "user_id" as "user_id",\n'
            '    case when length("phone"::text) >= 6 then \'*****\' || right("phone"::text, 3) '
            'when "phone" is not null then \'*****\' end as "phone",\n'
            '    "created_at",\n    "updated_at",\n    "_run_id"\n'
            'from "ops"."claims"\n'
            "where ((select daftari.acts_as('clerk')) and \"user_id\" = (select daftari.user_id()))"
        )
    ]


def test_a_role_that_sees_all_its_columns_in_the_clear_has_no_view():
    assert [it for it in made(CLAIMS, line("own")) if isinstance(it, View)] == []


def test_a_prefix_is_of_every_role_and_stands_in_every_condition():
    rights = Rights(roles=Roles(prefix="prod_"), readers=read_by("clerk", "chief"))
    found = made(CLAIMS, line("all"), rights=rights, present=SPEND)
    roles = {it.grantee for it in found if isinstance(it, Grant)}
    assert roles == {"prod_clerk", "prod_chief", "prod_daftari_owner", "prod_daftari_operator"}
    of_table, of_mart = (it for it in found if isinstance(it, Policy) and it.name == "clerk_read")
    assert of_table.using == of_mart.using == "(select daftari.acts_as('prod_clerk'))"


SPEND = Present(marts={"spend": {"user_id": "text", "amount": "integer"}})


def read_by(*roles, subject="user_id", **scopes):
    named = MartReaders(scopes={**dict.fromkeys(roles, "all"), **scopes}, subject=subject)
    return Readers(of={"spend": named})


@pytest.mark.parametrize(
    ("rows", "condition"),
    [
        ("all", ""),
        ("own", ' and "user_id"::text = (select daftari.user_id())'),
        ("reports", ' and "user_id"::text = any ((select daftari.reports())::text[])'),
        ("department", ' and "user_id"::text = any ((select daftari.colleagues())::text[])'),
    ],
)
def test_a_reader_of_a_mart_reads_the_rows_of_its_scope(rows, condition):
    found = made(CLAIMS, line(), rights=Rights(readers=read_by(boss=rows)), present=SPEND)
    (policy,) = [it for it in found if isinstance(it, Policy) and it.schema == "marts"]
    assert policy.using == f"(select daftari.acts_as('boss')){condition}"
    assert (policy.table, policy.command, policy.roles) == ("spend", "select", ("boss",))


def test_a_mart_without_the_column_of_its_subject_is_closed_to_those_who_are_told_apart_by_it():
    rights = Rights(readers=read_by("chief", boss="own", subject="person"))
    found = [it for it in made(CLAIMS, line(), rights=rights, present=SPEND) if it.identity.schema == "marts"]
    assert {it.grantee for it in found if isinstance(it, Grant) and it.table} == {"chief"}
    assert [it.roles for it in found if isinstance(it, Policy)] == [("chief",)]


@pytest.mark.parametrize(
    ("lines", "known", "message"),
    [
        (
            [line("reports")],
            (),
            "claims: rows reports: expected a dataset users with the fields user_id and manager_id",
        ),
        (
            [line("department")],
            (),
            "claims: rows department: expected a dataset users with the fields user_id and department_code",
        ),
        (
            [
                line(operations=(Operation.UPDATE,), fields=("claim",)),
                line("own", operations=(Operation.UPDATE,), fields=("phone",)),
            ],
            (USERS,),
            "claims: clerk may update different fields in different rows",
        ),
    ],
)
def test_what_cannot_be_held_is_refused(lines, known, message):
    with pytest.raises(ContractError) as raised:
        made(CLAIMS, *lines, known=known)
    assert str(raised.value).startswith(message)
