"""Requests go from state to state by the steps of their contract, whatever way a change comes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations, product
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.spec.world import ROWS

from daftari.compile.access.access_policies import Rights
from daftari.compile.access.roles import Roles
from daftari.contract.access.caller import Caller, RequestContext
from daftari.contract.permissions import NO_PART, may_bring, roles_named
from daftari.errors import AccessRefused, RowChanged
from daftari.io.access.callers import make_service
from daftari.io.keys import key_store_of
from daftari.io.workspace.files import read_workspace
from daftari.operations.read.read_rows import Reader, query_of, read_page
from daftari.operations.read.row_version import version_of
from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.operations.write.approvals import (
    SeenRow,
    WantedStep,
    ask_for_approval,
    new_key,
    parts_taken,
    take_step,
    take_wanted_step,
)
from daftari.operations.write.write_requests import RequestAnswer, WriteContext, WriteRequest
from daftari.operations.write.write_rows import write_rows
from daftari.settings import read_settings

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
WORKSPACE = Path(__file__).parents[2] / "workspace"
STATE = (
    "select status::text, decided_by, decided_at is not null from ops.leave_requests where request_id = %s"
)

CHECKS = "select conname from pg_constraint where conrelid = %s::regclass and contype = 'c'"

#: A step that is none fills in nobody's name, which a rule of the contract may find before the server is asked.
NO_STEP = ("approval", "decided_by_someone")


#: Of this server alone.
NAMES = Roles(prefix="office_")


def fill(conn, root):
    """The reference contracts, and the small organisation of tests/spec/rows.sql."""
    (root / "daftari.toml").write_text('[workspace]\nname = "Office"\n', "utf-8")
    workspace = read_workspace(WORKSPACE)
    rights = Rights(roles=NAMES, readers=workspace.readers)
    apply_contracts(conn, workspace.contracts, migrations_dir=root / "migrations", now=NOW, rights=rights)
    conn.execute(ROWS)
    conn.execute("update ops.leave_requests set reason = null")  # of bytes that nobody sealed
    conn.execute(
        "update ops.users set left_on = null, is_active = true where user_id = 'U3'"
    )  # who asks for leave
    make_service(conn)


class Office:
    def __init__(self, conn, root, workspace):
        self.conn = conn
        self.workspace = workspace
        self.keys = key_store_of(read_settings(root))
        self.roles = NAMES
        self.datasets = {it.dataset.name: it.dataset for it in self.workspace.contracts}

    def write_context(self, role, user_id=None, dataset="leave_requests"):
        caller = Caller(name=f"test {role}", role=role, user_id=user_id)
        return WriteContext(
            contract=self.workspace.dataset(dataset)[1],
            context=RequestContext(caller=caller, request_id="r1"),
            roles=self.roles,
            known=self.datasets,
            open_keys=lambda: self.keys,
        )

    def step(self, role, user_id, key, to, dataset="leave_requests"):
        write_context = self.write_context(role, user_id, dataset)
        outcome = take_step(self.conn, write_context, {write_context.dataset.key[0]: key}, to, now=NOW)
        if outcome.status not in ("quarantined", "refused"):
            return outcome.status
        rule = outcome.reasons[0]["rule"]
        return "no step" if rule in NO_STEP else rule

    def answer(self, role, dataset, record, *, user_id=None, **how):
        request = WriteRequest(records=[record], request_id="r1", **how)
        (answer,) = write_rows(self.conn, self.write_context(role, user_id, dataset), [request], now=NOW)
        return answer

    def write(self, role, user_id, dataset, record, **how):
        answer = self.answer(role, dataset, record, user_id=user_id, **how)
        assert isinstance(answer, RequestAnswer)
        return answer.outcomes[0]

    def of(self, key):
        return self.conn.execute(STATE, [key]).fetchone()

    def expense(self, key):
        found = "select amount::text, status::text, approved_at is not null from ops.expenses where expense_id = %s"
        return self.conn.execute(found, [key]).fetchone()

    def steps_taken(self, name, role, person):
        """The steps, of all between two states, that the server lets *role* take of a row about U3."""
        field, table = self.datasets[name].approval.field, sql.Identifier("ops", name)
        row = {"leave_requests": "L2", "expenses": "E4"}[name]
        key = sql.Identifier(self.datasets[name].key[0])
        become = sql.SQL("update {} set {} = %s, user_id = 'U3' where {} = %s").format(
            table, sql.Identifier(field), key
        )
        taken = set()
        for start, to in permutations(self.datasets[name].field(field).allowed, 2):
            self.conn.execute(become, [start, row])
            try:
                with self.session_of(role, person) as conn:
                    assert conn.execute(become, [to, row]).rowcount == 1
                    taken.add((start, to))
            except psycopg.errors.CheckViolation as error:
                assert error.diag.constraint_name == "approval", error
        return taken

    @contextmanager
    def session_of(self, role, user_id):
        """Plain SQL in a role, as whoever writes it for oneself would do."""
        with self.conn.transaction(force_rollback=True):
            self.conn.execute("select set_config('daftari.user_id', %s, true)", [user_id])
            self.conn.execute(sql.SQL("set local role {}").format(sql.Identifier(self.roles.of(role))))
            yield self.conn


@pytest.fixture
def office(filled, tmp_path, reference):
    with filled(fill, tmp_path) as (conn, _):
        yield Office(conn, tmp_path, reference)


def leave(**other):
    return {
        "request_id": new_key(),
        "leave_type": "annual",
        "start_date": "2026-12-07",
        "end_date": "2026-12-14",
        **other,
    }


def test_a_payment_of_the_organisation_itself_is_approved_by_whoever_does_not_pay_it(office):
    record = {
        "expense_id": "E90",
        "spent_on": "2026-11-02",
        "department_code": "OPS",
        "category": "office",
        "amount": "900.00",
        "currency": "KES",
        "status": "submitted",
    }
    assert office.write("finance", "U2", "expenses", record).status == "inserted"
    assert office.step("finance", "U2", "E90", "approved", "expenses") == "no step"
    assert office.step("finance", "U2", "E90", "paid", "expenses") == "no step"
    assert office.step("manager", "U2", "E90", "approved", "expenses") == "no step"  # whoever entered it
    assert office.step("manager", "U1", "E90", "approved", "expenses") == "updated"
    assert office.step("finance", "U2", "E90", "paid", "expenses") == "no step"
    assert office.step("finance", "U1", "E90", "paid", "expenses") == "no step"  # whoever approved it
    assert office.step("finance", "U5", "E90", "paid", "expenses") == "updated"


def test_a_step_is_taken_by_a_role_that_the_contract_names_for_it_and_by_nobody_else(office):
    assert office.step("manager", "U2", "L2", "taken") == "no step"
    assert office.step("manager", "U2", "L2", "approved") == "updated"
    assert office.of("L2") == ("approved", "U2", True)
    assert office.step("manager", "U2", "L2", "rejected") == "no step"
    assert office.step("manager", "U2", "L2", "taken") == "updated"
    with pytest.raises(AccessRefused):
        office.step("finance", "U5", "L3", "approved")
    assert office.of("L3")[0] == "requested"


def test_a_manager_decides_for_its_people_alone(office):
    assert office.step("manager", "U3", "L4", "taken") == "not_taken"
    assert office.of("L4")[0] == "approved"


def test_nobody_takes_a_step_of_a_row_about_oneself_unless_the_step_is_for_that(office):
    office.conn.execute("update ops.leave_requests set status = 'requested' where request_id = 'L4'")
    assert office.step("hr", "U5", "L4", "approved") == "no step"
    assert office.step("data_engineer", "U5", "L4", "approved") == "no step"
    assert office.step("employee", "U3", "L2", "approved") == "no step"
    assert office.step("employee", "U3", "L2", "cancelled") == "updated"
    assert office.step("hr", "U2", "L3", "cancelled") == "no step"


def test_who_took_a_step_and_when_is_what_the_server_says_whatever_was_sent(office):
    with office.session_of("manager", "U2") as conn:
        conn.execute(
            "update ops.leave_requests set status = 'approved', decided_by = 'U5', decided_at = '2020-01-01'"
            " where request_id = 'L2'"
        )
        conn.execute("reset role")
        assert office.of("L2")[:2] == ("approved", "U2")
        row = conn.execute(
            "select decided_at = now() from ops.leave_requests where request_id = 'L2'"
        ).fetchone()
        assert row == (True,)


def test_a_row_about_oneself_is_not_made_anothers_nor_anothers_ones_own(office):
    for change in ("user_id = 'U2'", "user_id = 'U2', status = 'approved'"):
        statement = f"update ops.leave_requests set {change} where request_id = 'L4'"
        with pytest.raises(psycopg.errors.CheckViolation), office.session_of("hr", "U5") as conn:
            conn.execute(statement)
    with pytest.raises(psycopg.errors.CheckViolation), office.session_of("hr", "U5") as conn:
        conn.execute("update ops.leave_requests set user_id = 'U5' where request_id = 'L3'")
    with office.session_of("hr", "U5") as conn:
        conn.execute("update ops.leave_requests set user_id = 'U1' where request_id = 'L3'")


@pytest.mark.parametrize("name", ["leave_requests", "expenses"])
def test_the_server_and_the_pages_let_each_role_take_the_same_steps_of_its_own_and_of_others(office, name):
    approval, table = office.datasets[name].approval, sql.Identifier("ops", name)
    states = office.datasets[name].field(approval.field).allowed
    roles = sorted(roles_named(office.datasets.values()))
    with office.conn.transaction(force_rollback=True):  # nothing but steps is asked about
        for (check,) in office.conn.execute(CHECKS, [f"ops.{name}"]).fetchall():
            office.conn.execute(
                sql.SQL("alter table {} drop constraint {}").format(table, sql.Identifier(check))
            )
        for role in map(sql.Identifier, map(office.roles.of, roles)):
            office.conn.execute(sql.SQL("create policy {1} on {0} to {1} using (true)").format(table, role))
            office.conn.execute(sql.SQL("grant select, update on {} to {}").format(table, role))
        by_server = {
            (it, own): office.steps_taken(name, it, "U3" if own else "U2")
            for it, own in product(roles, (True, False))
        }
    by_rules = {
        (it, own): {way for way in permutations(states, 2) if may_bring(approval, it, way, is_own=own)}
        for it, own in product(roles, (True, False))
    }
    assert by_server == by_rules
    assert by_server["manager", False] and not by_server["manager", True]


def test_a_role_that_records_brings_any_state_of_others(office):
    assert office.step("data_engineer", None, "E4", "paid", "expenses") == "paid_is_approved"
    change = {"expense_id": "E4", "status": "paid", "approved_at": "2026-02-07T08:00:00+03:00"}
    assert office.write("data_engineer", None, "expenses", change, is_partial=True).status == "updated"


def test_finance_pays_what_a_manager_approved_and_approves_nothing(office):
    assert office.step("finance", "U1", "E4", "approved", "expenses") == "no step"
    assert office.step("manager", "U2", "E4", "approved", "expenses") == "updated"
    assert office.step("finance", "U3", "E4", "paid", "expenses") == "no step"
    assert office.step("finance", "U1", "E4", "paid", "expenses") == "updated"


def test_what_an_employee_inserts_is_its_own_and_begins_at_the_beginning(office):
    expense = {
        "spent_on": "2026-11-20", "department_code": "OPS", "category": "travel", "amount": "10", "currency": "KES",
    }  # fmt: skip
    own = {**expense, "expense_id": "N1", "user_id": "U3", "status": "submitted"}
    assert office.write("employee", "U3", "expenses", own).status == "inserted"
    others = {**own, "expense_id": "N2", "user_id": "U4"}
    paid = {**own, "expense_id": "N3", "status": "paid", "approved_at": "2026-11-21T08:00:00+03:00"}
    signed = {**own, "expense_id": "N4", "approved_at": "2026-11-21T08:00:00+03:00"}
    for refused in (others, paid, signed):
        assert office.write("employee", "U3", "expenses", refused).status == "quarantined"
    for role, user_id in (("finance", "U3"), ("finance", "U5"), ("data_engineer", "U3")):
        assert office.write(role, user_id, "expenses", paid).status == "quarantined"
        assert office.write(role, user_id, "expenses", signed).status == "quarantined" or role != "finance"
    assert office.write("data_engineer", "U5", "expenses", paid).status == "inserted"


def test_asking_counts_working_days_without_weekends_and_kenyan_holidays(office):
    request = leave(start_date="2026-12-07", end_date="2026-12-28")
    write_context = office.write_context("employee", "U3")
    assert ask_for_approval(office.conn, write_context, request, country="KE", now=NOW).status == "inserted"
    # 16 weekdays, less Christmas; Jamhuri Day and Utamaduni Day fall on Saturdays
    row = office.conn.execute(
        "select days, status::text, user_id, requested_at from ops.leave_requests where request_id = %s",
        [request["request_id"]],
    ).fetchone()
    assert row == (15, "requested", "U3", NOW)
    assert ask_for_approval(office.conn, write_context, request, country="KE", now=NOW).status == "unchanged"


def test_half_a_day_may_be_asked_for(office):
    request = leave(start_date="2026-12-07", end_date="2026-12-07", days="0.5")
    assert (
        ask_for_approval(
            office.conn, office.write_context("employee", "U3"), request, country="KE", now=NOW
        ).status
        == "inserted"
    )


def test_who_is_nobody_asks_for_nothing(office):
    with pytest.raises(AccessRefused):
        ask_for_approval(office.conn, office.write_context("hr"), leave(), country="KE", now=NOW)


def test_a_hidden_row_is_refused_in_the_words_for_one_that_is_not_there(office):
    def told(key):
        write_context = office.write_context("manager", "U3")
        return take_step(office.conn, write_context, {"request_id": key}, "taken", now=NOW)

    assert told("L4") == told("L9")


def test_a_step_that_is_refused_waits_nowhere_to_be_mended(office):
    office.step("manager", "U2", "L2", "taken")
    office.step("employee", "U3", "L2", "approved")
    assert office.conn.execute("select count(*) from daftari.quarantine").fetchone() == (0,)


def test_a_change_of_what_was_decided_sends_the_row_back_with_the_old_decision_in_its_history(office):
    raised = {"expense_id": "E4", "amount": "99999.00"}
    assert office.write("finance", "U5", "expenses", raised, is_partial=True).status == "updated"
    assert office.step("manager", "U2", "E4", "approved", "expenses") == "updated"
    for change in ({"approved_at": "2098-01-01T00:00:00Z"}, {"status": "paid", "amount": "1.00"}):
        outcome = office.write("finance", "U5", "expenses", {"expense_id": "E4", **change}, is_partial=True)
        assert outcome.status == "quarantined"
        assert outcome.reasons[0]["rule"] == "approval.covers"
        assert outcome.reasons[0]["field"] in change
    assert office.expense("E4") == ("99999.00", "approved", True)

    lowered = {"expense_id": "E4", "amount": "1.00"}
    assert office.write("finance", "U5", "expenses", lowered, is_partial=True).status == "updated"
    assert office.expense("E4") == ("1.00", "submitted", False)
    newest = office.conn.execute(
        "select old::jsonb ->> 'status', new::jsonb ->> 'status', old::jsonb ->> 'approved_at' is not null"
        " from daftari.audit_row where old::jsonb ->> 'expense_id' = 'E4' order by at desc limit 1"
    ).fetchone()
    assert newest == ("approved", "submitted", True)

    assert office.step("finance", "U5", "E4", "rejected", "expenses") == "no step"  # whoever changed it
    assert (
        office.step("manager", "U2", "E4", "approved", "expenses") == "updated"
    )  # the decision is taken again
    assert office.step("finance", "U5", "E4", "paid", "expenses") == "updated"


def test_nothing_changes_in_a_row_that_no_step_leaves(office):
    assert office.step("manager", "U2", "E4", "approved", "expenses") == "updated"
    assert office.step("finance", "U5", "E4", "paid", "expenses") == "updated"
    change = {"expense_id": "E4", "amount": "1.00"}
    outcome = office.write("finance", "U5", "expenses", change, is_partial=True)
    assert (outcome.status, outcome.reasons[0]["rule"]) == ("quarantined", "approval.covers")
    with pytest.raises(psycopg.errors.CheckViolation) as raised, office.session_of("finance", "U5") as conn:
        conn.execute("update ops.expenses set supplier = 'other' where expense_id = 'E4'")
    assert raised.value.diag.constraint_name == "approval_covers"
    with office.session_of("data_engineer", None) as conn:  # brings rows from a system of record
        conn.execute("update ops.expenses set amount = 2 where expense_id = 'E4'")


@pytest.mark.parametrize("field", ["decided_by", "decided_at"])
def test_only_a_step_writes_who_decided_and_when(office, field):
    value = {"decided_by": "U4", "decided_at": "2026-03-02T08:00:00Z"}[field]
    with pytest.raises(psycopg.errors.CheckViolation), office.session_of("hr", "U5") as conn:
        conn.execute(f"update ops.leave_requests set {field} = %s where request_id = 'L2'", [value])
    change = {"request_id": "L2", field: value}
    outcome = office.write("hr", "U5", "leave_requests", change, is_partial=True)
    assert (outcome.status, outcome.reasons[0]["rule"]) == ("quarantined", "approval.covers")


def test_a_request_keeps_its_key_so_that_nobody_loses_who_entered_it(office):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), office.session_of("finance", "U5") as conn:
        conn.execute("update ops.expenses set expense_id = 'E40' where expense_id = 'E4'")


def test_who_took_part_is_forgotten_with_the_row(office):
    assert office.step("manager", "U2", "E4", "approved", "expenses") == "updated"
    assert office.step("manager", "U2", "L2", "approved") == "updated"
    office.conn.execute("delete from ops.expenses where expense_id in ('E4', 'E5')")
    left = office.conn.execute("select dataset, key, person, part from daftari.request_part").fetchall()
    assert left == [("leave_requests", {"request_id": "L2"}, "U2", "decided")]
    office.conn.execute("truncate ops.leave_requests")
    assert office.conn.execute("select count(*) from daftari.request_part").fetchone() == (0,)


def test_of_two_editors_the_one_who_decides_on_what_has_changed_is_told(office):
    write_context = office.write_context("manager", "U2", "expenses")
    reader = Reader(dataset=write_context.dataset, context=write_context.context, roles=office.roles)
    asked = [("fields", "expense_id,amount,status"), ("expense_id", "E4")]
    (shown,) = read_page(office.conn, reader, query_of(reader, asked)).rows
    seen = SeenRow(fields=("expense_id", "amount", "status"), version=version_of(shown))
    wanted = WantedStep(key={"expense_id": "E4"}, to="approved", seen=seen)
    office.write("finance", "U5", "expenses", {"expense_id": "E4", "amount": "90.00"}, is_partial=True)
    with pytest.raises(RowChanged):
        take_wanted_step(office.conn, write_context, wanted, now=NOW)
    (shown,) = read_page(office.conn, reader, query_of(reader, asked)).rows
    again = replace(wanted, seen=replace(seen, version=version_of(shown)))
    assert take_wanted_step(office.conn, write_context, again, now=NOW).status == "updated"


def test_a_persons_part_is_known_also_where_the_role_sees_the_person_masked(office):
    caller = office.write_context("data_engineer", "U3", "expenses").context.caller
    mine, others, absent = parts_taken(
        office.conn, office.datasets["expenses"], [["E4"], ["E5"], ["E99"]], caller
    )
    assert (mine.is_own, others, absent) == (True, NO_PART, NO_PART)
