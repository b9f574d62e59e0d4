"""Who may do what to a dataset: by role, operation and scope, by token, and by whose request it is."""

from dataclasses import replace
from itertools import product

import pytest

from daftari.contract import permissions
from daftari.contract.access.caller import Caller
from daftari.contract.access.role_permissions import Visibility, clear_everywhere, permission_of, sights
from daftari.contract.approval import Approval, ApprovalStep
from daftari.contract.model import Access, Condition, Dataset, Field, LogicalType, Operation, RowScope
from daftari.errors import AccessRefused

READ, INSERT, UPDATE, DELETE = Operation
ALL, OWN, DEPARTMENT, REPORTS, NONE = RowScope
SOME = Condition("amount > 0")
STATES = ("asked", "granted", "paid", "withdrawn")

APPROVAL = Approval(
    field="state",
    begins="asked",
    steps=(
        ApprovalStep(start="asked", to="granted", roles=("chief",), by="decided_by"),
        ApprovalStep(start="granted", to="paid", roles=("cashier", "chief"), at="paid_at"),
        ApprovalStep(start="asked", to="withdrawn", roles=("clerk", "chief"), own=True),
    ),
    recorded_by=("machine",),
    asked_at="asked_at",
)
CLAIMS = Dataset(
    name="claims",
    subject="user_id",
    approval=APPROVAL,
    fields=(
        Field(name="claim", logical_type=LogicalType.STRING, key_position=1, required=True),
        Field(name="user_id", logical_type=LogicalType.STRING),
        Field(name="amount", logical_type=LogicalType.NUMBER),
        Field(name="note", logical_type=LogicalType.STRING),
        Field(name="state", logical_type=LogicalType.STRING, required=True, allowed=STATES),
        Field(name="asked_at", logical_type=LogicalType.TIMESTAMP),
        Field(name="decided_by", logical_type=LogicalType.STRING),
        Field(name="paid_at", logical_type=LogicalType.TIMESTAMP),
    ),
)
CLERK = Caller(name="Ann", role="clerk", user_id="U1")
CHIEF = Caller(name="Bea", role="chief", user_id="U2")

RULES = {
    "read": permissions.refusal_to_read,
    "read all": permissions.refusal_to_read_all,
    "write": permissions.refusal_to_write,
    "insert": permissions.refusal_to_insert,
    "insert for others": permissions.refusal_to_insert_for_others,
    "ask": permissions.refusal_to_ask,
    "decide": permissions.refusal_to_decide,
    "mend": permissions.refusal_to_correct,
    "watch": permissions.refusal_to_watch,
    "open": permissions.refusal_to_open,
}


def line(*operations, rows=ALL, role="clerk", **more):
    return Access(role=role, operations=operations, rows=rows, **more)


def claims(*lines, **changes):
    return replace(CLAIMS, access=lines, **changes)


def rights(dataset, caller=CLERK):
    return {name for name, refusal in RULES.items() if refusal(dataset, caller) is None}


# --- role, operation, scope


@pytest.mark.parametrize(
    ("operation", "rows", "expected"),
    [
        (READ, ALL, {"read", "read all", "watch", "open"}),
        (READ, OWN, {"read", "open"}),
        (READ, DEPARTMENT, {"read", "open"}),
        (READ, REPORTS, {"read", "open"}),
        (READ, SOME, {"read", "open"}),
        (READ, NONE, set()),
        (INSERT, ALL, {"write", "insert", "insert for others", "ask", "watch", "open"}),
        (INSERT, OWN, {"write", "insert", "ask", "open"}),
        (INSERT, DEPARTMENT, {"write", "insert", "insert for others", "ask", "watch", "open"}),
        (INSERT, REPORTS, {"write", "insert", "insert for others", "ask", "watch", "open"}),
        (INSERT, SOME, {"write", "insert", "insert for others", "ask", "watch", "open"}),
        (INSERT, NONE, set()),
        (UPDATE, ALL, {"write"}),
        (UPDATE, OWN, {"write"}),
        (UPDATE, DEPARTMENT, {"write"}),
        (UPDATE, REPORTS, {"write"}),
        (UPDATE, SOME, {"write"}),
        (UPDATE, NONE, set()),
        (DELETE, ALL, set()),
        (DELETE, OWN, set()),
        (DELETE, DEPARTMENT, set()),
        (DELETE, REPORTS, set()),
        (DELETE, SOME, set()),
        (DELETE, NONE, set()),
    ],
)
def test_what_one_line_of_access_gives_its_role_and_nobody_else(operation, rows, expected):
    dataset = claims(line(operation, rows=rows))
    assert rights(dataset) == expected
    assert rights(dataset, replace(CLERK, role="porter")) == set()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line(READ, INSERT)], True),
        ([line(READ), line(INSERT, rows=REPORTS)], True),
        ([line(READ), line(INSERT, rows=OWN)], False),  # asks for itself, and loads nothing
        (
            [line(READ, rows=OWN), line(INSERT)],
            False,
        ),  # would see refused rows of people that it does not see
        ([line(READ)], False),
        ([line(INSERT)], False),
    ],
)
def test_refused_rows_are_mended_by_whoever_loads_a_dataset_and_sees_all_of_it(lines, expected):
    assert ("mend" in rights(claims(*lines))) is expected


def test_whoever_loads_a_dataset_has_a_page_of_it_where_nothing_is_asked_for():
    dataset = claims(line(INSERT), approval=None)
    assert rights(dataset) == {"write", "insert", "insert for others", "watch", "open"}


@pytest.mark.parametrize(
    ("scopes", "sees_all", "sees_own_alone"),
    [
        ((), False, False),
        ((NONE,), False, False),
        ((OWN,), False, True),
        ((OWN, NONE), False, True),
        ((OWN, REPORTS), False, False),
        ((REPORTS,), False, False),
        ((OWN, ALL), True, False),
        ((ALL,), True, False),
    ],
)
def test_how_far_a_role_sees_is_told_by_all_its_lines(scopes, sees_all, sees_own_alone):
    dataset = claims(*(line(READ, rows=it) for it in scopes), line(INSERT, UPDATE, rows=ALL))
    assert permissions.sees_all_rows(dataset, "clerk") is sees_all
    assert permissions.sees_only_own_rows(dataset, "clerk") is sees_own_alone


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, set(RULES)),
        ({"datasets": ("claims",)}, set(RULES)),
        ({"datasets": ("visits",)}, set()),
        ({"writes": False}, {"read", "read all", "watch", "open"}),
    ],
)
def test_a_token_takes_from_its_role_what_it_is_not_for(limits, expected):
    dataset = claims(line(READ, INSERT, UPDATE, role="chief"))
    assert rights(dataset, replace(CHIEF, **limits)) == expected


def test_only_roles_that_are_named_oversee():
    assert permissions.refusal_to_oversee("auditor", ("auditor", "dpo")) is None
    assert permissions.refusal_to_oversee("audit", ("auditor", "dpo")) == "Only overseers may see this page."
    assert permissions.refusal_to_oversee("auditor", ()) == "Only overseers may see this page."


def test_roles_are_those_that_any_contract_names():
    others = replace(CLAIMS, name="visits", access=(line(READ, role="nurse"), line(READ, role="clerk")))
    assert permissions.roles_named([claims(line(READ, rows=NONE)), others]) == {"clerk", "nurse"}


# --- fields


def test_the_best_line_of_a_scope_decides_how_a_field_shows():
    dataset = claims(
        line(READ, rows=OWN),
        line(READ, rows=REPORTS, fields=("claim", "amount", "note"), masked=("note",)),
        line(READ, rows=REPORTS, fields=("claim", "note")),
        line(READ, rows=ALL, fields=("claim", "user_id", "amount"), masked=("user_id", "amount")),
    )
    shown = {
        name: {it.value for it in seen} for name, seen in sights(dataset, "clerk").items() if name != "state"
    }
    assert shown == {
        "claim": {"clear"},
        "user_id": {"clear", "hidden", "masked"},
        "amount": {"clear", "masked"},
        "note": {"clear", "hidden"},
        "asked_at": {"clear", "hidden"},
        "decided_by": {"clear", "hidden"},
        "paid_at": {"clear", "hidden"},
    }
    assert clear_everywhere(dataset, "clerk") == ("claim",)


def test_a_role_that_reads_nothing_sees_no_field():
    dataset = claims(line(READ, rows=NONE), line(INSERT, UPDATE))
    assert set(sights(dataset, "clerk").values()) == {frozenset({Visibility.HIDDEN})}
    assert clear_everywhere(dataset, "clerk") == ()
    assert permission_of(dataset, "clerk", READ) is None


def test_whoever_asks_says_neither_whose_it_is_nor_what_becomes_of_it():
    of_all, of_some = (
        line(INSERT, rows=OWN),
        line(INSERT, rows=OWN, fields=("claim", "user_id", "amount", "state")),
    )
    assert [it.name for it in permissions.open_fields(claims(of_all), "clerk")] == ["amount", "note"]
    assert [it.name for it in permissions.open_fields(claims(of_some), "clerk")] == ["amount"]
    assert permissions.open_fields(claims(of_all), "chief") == ()
    assert permissions.open_fields(claims(of_all, approval=None), "clerk") == ()


# --- requests

KEY, PERSON, *REST = CLAIMS.fields


@pytest.mark.parametrize(
    "changes",
    [
        {"approval": None},
        {"subject": None},
        {"fields": (replace(KEY, logical_type=LogicalType.INTEGER), PERSON, *REST)},
        {"fields": (KEY, replace(PERSON, key_position=2), *REST)},
        {"fields": (replace(KEY, key_position=None), PERSON, *REST)},
    ],
    ids=["no approval", "no subject", "a number as key", "two keys", "no key"],
)
def test_nothing_is_asked_for_where_a_request_could_not_be_made_up(changes):
    asks = line(READ, INSERT, rows=OWN)
    assert permissions.refusal_to_ask(claims(asks), CLERK) is None
    refusal = permissions.refusal_to_ask(claims(asks, **changes), CLERK)
    assert refusal == "claims: your role may not make requests here"


def test_nobody_in_particular_asks_for_nothing():
    dataset = claims(line(READ, INSERT, rows=OWN))
    assert permissions.refusal_to_ask(dataset, replace(CLERK, user_id=None)) is not None


@pytest.mark.parametrize(
    ("lines", "caller", "expected"),
    [
        ([line(READ, role="chief", rows=REPORTS)], CHIEF, None),
        ([line(READ, role="chief", rows=REPORTS)], replace(CHIEF, user_id=None), None),
        ([line(READ)], CLERK, "claims: your role decides no requests here"),  # own steps alone
        (
            [line(READ, role="machine")],
            replace(CHIEF, role="machine"),
            "claims: your role decides no requests here",
        ),
        (
            [line(UPDATE, role="chief")],
            CHIEF,
            "claims: this caller may not read it; expected a role that its contract lets read it",
        ),
        (
            [line(READ, role="chief")],
            replace(CHIEF, writes=False),
            "claims: this token may not write to it; expected one that may",
        ),
    ],
)
def test_requests_of_others_are_decided_by_roles_that_have_steps_and_see_them(lines, caller, expected):
    assert permissions.refusal_to_decide(claims(*lines), caller) == expected


def test_nothing_is_decided_where_the_contract_knows_no_approval():
    dataset = claims(line(READ, UPDATE, role="chief"), approval=None)
    assert permissions.refusal_to_decide(dataset, CHIEF) == "claims: its contract has no approval"


@pytest.mark.parametrize(
    ("whose", "person", "expected"),
    [
        ("U1", "U1", True),
        ("U2", "U1", False),
        (None, "U1", False),
        (None, None, False),
        ("U1", None, False),
        ("None", None, False),
        (None, "None", False),
        (17, "17", True),  # people are known as text, whatever the type of the field
        ("U11", "U1", False),
    ],
)
def test_a_row_is_ones_own_where_it_is_about_oneself(whose, person, expected):
    assert permissions.is_own(CLAIMS, {"user_id": whose}, person) is expected


def test_a_row_that_does_not_say_whose_it_is_is_nobodys_own():
    assert not permissions.is_own(CLAIMS, {}, "U1")
    assert not permissions.is_own(replace(CLAIMS, subject=None), {"user_id": "U1"}, "U1")


OTHERS = {
    ("chief", "asked", "granted"),
    ("chief", "granted", "paid"),
    ("cashier", "granted", "paid"),
    *(("machine", start, to) for start in STATES for to in STATES),
}
ONES_OWN = {("clerk", "asked", "withdrawn"), ("chief", "asked", "withdrawn")}


@pytest.mark.parametrize("role", ["chief", "cashier", "clerk", "machine", "porter"])
def test_each_step_is_taken_by_its_roles_of_its_rows_and_no_other(role):
    ways = set(product([role], STATES, STATES))

    def found(is_own):
        return {way for way in ways if permissions.may_bring(APPROVAL, role, way[1:], is_own=is_own)}

    assert found(False) == OTHERS & ways
    assert found(True) == ONES_OWN & ways


def test_ones_own_request_is_never_decidable():
    deciding = {(it.start, it.to) for it in APPROVAL.steps if not it.own}
    for role, way in product(["chief", "cashier", "clerk", "machine", "porter"], deciding):
        assert not permissions.may_bring(APPROVAL, role, way, is_own=True)
        assert permissions.step_between(APPROVAL, role, way, is_own=True) is None
        assert way not in [(it.start, it.to) for it in permissions.steps_of(APPROVAL, role, is_own=True)]


def test_the_step_that_is_taken_is_the_one_that_is_found():
    granting, paying, withdrawing = APPROVAL.steps
    assert permissions.steps_of(APPROVAL, "chief", is_own=False) == (granting, paying)
    assert permissions.steps_of(APPROVAL, "chief", is_own=True) == (withdrawing,)
    assert permissions.step_between(APPROVAL, "chief", ("asked", "granted"), is_own=False) is granting
    assert permissions.step_between(APPROVAL, "chief", ("granted", "paid"), is_own=False) is paying
    assert permissions.step_between(APPROVAL, "machine", ("granted", "paid"), is_own=False) is None


ASKED, GRANTED = ("asked", "granted"), ("granted", "paid")
NOBODYS = permissions.NO_PART


@pytest.mark.parametrize(
    ("part", "grants", "pays"),
    [
        (NOBODYS, True, True),
        (replace(NOBODYS, entered=True), False, False),
        (replace(NOBODYS, changed=True), False, True),  # somebody else decided on it as it became
        (replace(NOBODYS, decided=True), False, False),
    ],
)
def test_a_step_is_for_a_person_without_a_part_that_its_duty_excludes(part, grants, pays):
    found = [permissions.may_bring(APPROVAL, "chief", it, is_own=False, part=part) for it in (ASKED, GRANTED)]
    assert found == [grants, pays]


def test_whoever_decided_takes_a_later_step_where_the_contract_says_so_or_it_takes_the_decision_back():
    _, paying, _ = APPROVAL.steps
    part = replace(NOBODYS, decided=True)
    back = replace(paying, to="asked")
    assert permissions.is_kept_apart(APPROVAL, paying, part)
    assert not permissions.is_kept_apart(APPROVAL, replace(paying, same_person=True), part)
    assert not permissions.is_kept_apart(APPROVAL, back, part)


@pytest.mark.parametrize(("only_records", "expected"), [(True, True), (False, False)])
def test_a_recorder_brings_no_state_of_what_they_took_part_in_otherwise(only_records, expected):
    part = replace(NOBODYS, entered=True, only_records=only_records)
    assert permissions.may_bring(APPROVAL, "machine", GRANTED, is_own=False, part=part) is expected


@pytest.mark.parametrize(("role", "expected"), [("clerk", False), ("chief", False), ("machine", True)])
def test_only_whoever_records_inserts_what_was_decided_elsewhere(role, expected):
    assert permissions.may_insert_decided(APPROVAL, role) is expected


# --- words


@pytest.mark.parametrize(
    ("refusal", "caller", "words"),
    [
        (
            "read",
            CLERK,
            "claims: this caller may not read it; expected a role that its contract lets read it",
        ),
        (
            "write",
            CLERK,
            "claims: role clerk may not write to it; expected a role that its contract permits to",
        ),
        (
            "write",
            replace(CLERK, writes=False),
            "claims: this token may not write to it; expected one that may",
        ),
        (
            "insert",
            CLERK,
            "claims: role clerk may not insert into it; expected a role that its contract permits to",
        ),
        (
            "insert for others",
            CLERK,
            "claims: role clerk may not load files into it; expected a role that its contract permits to",
        ),
        ("mend", CLERK, "claims: your role may not correct its rejected rows"),
        ("watch", CLERK, "claims: only roles that load it or see all its rows may see its runs"),
        ("open", CLERK, "This dataset does not exist, or your role may not see it."),
    ],
)
def test_a_refusal_says_why_not_and_what_was_expected(refusal, caller, words):
    assert RULES[refusal](claims(), caller) == words


def test_whoever_sees_some_rows_is_told_that_it_takes_all():
    assert permissions.refusal_to_read_all(claims(line(READ, rows=OWN)), CLERK) == (
        "claims: role clerk sees only some of its rows; expected a role that sees all"
    )


def test_what_is_refused_is_raised_with_the_next_step():
    permissions.require(None)
    with pytest.raises(AccessRefused, match=r"^claims: no$") as refused:
        permissions.require("claims: no")
    assert refused.value.hint == "`daftari contract show` lists who may do what."
