"""What `daftari quality run` finds, keeps and never keeps, through the real Great Expectations."""

from dataclasses import replace

import psycopg
import pytest

from daftari.errors import ChecksFailed
from daftari.io.runs import check_results
from daftari.io.workspace.files import read_workspace
from daftari.operations.quality.run_checks import require_pass, run_checks

pytestmark = pytest.mark.system

BAD_EXPENSES = """
    drop view views.expenses_auditor, views.expenses_data_engineer;
    alter table ops.expenses drop constraint expenses_paid_is_approved;
    alter table ops.expenses drop constraint expenses_expense_id_length;
    alter table ops.expenses drop constraint expenses_amount_maximum;
    alter table ops.expenses drop constraint expenses_user_id_fkey;
    alter table ops.expenses alter amount type numeric, alter supplier drop not null;
    insert into ops.expenses
        (expense_id, spent_on, department_code, user_id, category, supplier, amount, currency, status, approved_at,
         _run_id)
    values
        ('E6', '2026-01-02', 'FIN', null, 'travel', 'canary supplier', 1, 'KES', 'paid', null, 2),
        ('E7', '2026-01-02', 'FIN', 'U-canary', 'travel', null, 1000000000, 'KES', 'submitted', null, 2),
        ('', '2026-01-02', 'FIN', null, 'travel', null, 1, 'KES', 'submitted', null, 2);
"""
BAD_USERS = """
    alter table ops.users drop constraint users_email_pattern;
    alter table ops.users drop constraint users_active_has_not_left;
    update ops.users set email = 'canary at example.org' where user_id = 'U1';
    update ops.users set is_active = true where user_id = 'U3';
"""


def check(governed, *names):
    conn, root = governed
    workspace = read_workspace(root)
    contracts = [workspace.dataset(name)[1] for name in names] or workspace.contracts
    return {one.dataset: one for one in run_checks(conn, contracts, lambda _: None)}


def not_passed(checked):
    return {it.check: (str(it.verdict), it.failing) for it in checked.outcomes if it.verdict != "passed"}


def test_good_tables_pass_and_what_was_found_is_kept(governed):
    conn, _ = governed

    checked = check(governed)

    assert {name: (str(one.verdict), one.rows) for name, one in checked.items()} == {
        "departments": ("passed", 2),
        "roles": ("passed", 2),
        "users": ("passed", 3),
        "expenses": ("passed", 5),
        "leave_requests": ("passed", 2),
        "salaries": ("passed", 2),
        "incidents": ("passed", 2),
    }
    require_pass(list(checked.values()))
    kept = {one.dataset: one for one in check_results.latest_check_results(conn)}
    assert [kept[name].outcomes for name in checked] == [one.outcomes for one in checked.values()]
    assert conn.execute("select distinct kind, status::text from daftari.run").fetchall() == [
        ("check", "succeeded")
    ]


def test_each_broken_promise_is_counted_under_its_name_with_the_keys_of_the_rows(governed):
    conn, _ = governed
    conn.execute(BAD_EXPENSES)

    expenses = check(governed, "expenses")["expenses"]

    assert not_passed(expenses) == {
        "expense_id.length": ("failed", 1),
        "user_id.relationship": ("failed", 1),
        "amount.maximum": ("failed", 1),
        "rule.paid_is_approved": ("failed", 1),
    }
    keys = {it.check: it.keys for it in expenses.outcomes if it.failing}
    assert keys["rule.paid_is_approved"] == ({"expense_id": "E6"},)
    assert keys["amount.maximum"] == ({"expense_id": "E7"},)
    assert keys["expense_id.length"] == ({"expense_id": ""},)
    with pytest.raises(ChecksFailed, match="quality: expenses did not pass"):
        require_pass([expenses])


def test_a_query_that_counts_rows_names_those_that_fail(governed):
    conn, root = governed
    path = root / "pipelines/expense-tracking/expenses.odcs.yaml"
    added = """
      - name: none_is_large
        type: sql
        query: select count(*) from ${object} as e where e.amount > 1000
        mustBe: 0
"""
    applied = read_workspace(root).dataset("expenses")[1].hash
    path.write_text(path.read_text("utf-8").rstrip("\n") + added, "utf-8")
    conn.execute("update ops.expenses set amount = 5000 where expense_id in ('E2', 'E4')")
    contract = replace(read_workspace(root).dataset("expenses")[1], hash=applied)

    (expenses,) = run_checks(conn, [contract], lambda _: None)

    (found,) = [it for it in expenses.outcomes if it.check == "quality.none_is_large"]
    assert str(found.verdict) == "failed"
    assert sorted(key["expense_id"] for key in found.keys) == ["E2", "E4"]


def test_no_value_and_no_confidential_key_is_kept(governed):
    conn, _ = governed
    conn.execute(BAD_EXPENSES)
    conn.execute(BAD_USERS)

    checked = check(governed, "users", "expenses")

    assert not_passed(checked["users"]) == {
        "email.pattern": ("failed", 1),
        "rule.active_has_not_left": ("failed", 1),
    }
    kept = "".join(
        text
        for table in ("run", "check_run", "check_result")
        for (text,) in conn.execute(f"select t::text from daftari.{table} t").fetchall()
    )
    assert "canary" not in kept + repr(checked)
    assert "U1" not in kept  # a staff number is personal


def test_an_empty_table_is_no_pass(governed):
    conn, _ = governed
    conn.execute("delete from ops.incidents")

    incidents = check(governed, "incidents")["incidents"]

    verdicts = {it.check: str(it.verdict) for it in incidents.outcomes}
    assert verdicts.pop("quality.incidents_are_there") == "failed"
    assert verdicts.pop("types") == "passed"
    assert set(verdicts.values()) == {"not_evaluated"}
    assert incidents.verdict == "failed"


def test_a_database_that_cannot_answer_is_no_pass(governed):
    conn, _ = governed
    conn.execute("alter table ops.roles drop column grade")

    roles = check(governed, "roles")["roles"]

    assert roles.rows is None
    assert {str(it.verdict) for it in roles.outcomes if it.check != "types"} == {"not_evaluated"}
    assert not_passed(roles)["types"] == ("failed", 1)
    assert [it.reason for it in roles.outcomes if it.check == "grade.not_null"] == [
        '(psycopg.errors.UndefinedColumn) column "grade" does not exist'
    ]


@pytest.mark.parametrize(
    ("verdict", "tested", "failing"),
    [
        ("passed", 0, 0),  # nothing tested is not a pass
        ("failed", 1, 2),  # no more fail than were tested
    ],
)
def test_the_database_refuses_a_result_that_cannot_be(governed, verdict, tested, failing):
    conn, _ = governed
    conn.execute("insert into daftari.run (kind) values ('check')")
    conn.execute(
        """insert into daftari.check_run (run_id, dataset, contract_hash, verdict, rows, started_at)
           select run_id, 'roles', '', 'failed', 0, now() from daftari.run"""
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="check_result_"):
        conn.execute(
            """insert into daftari.check_result
                   (run_id, check_id, position, description, verdict, reason, tested, failing)
               select run_id, 'x', 0, '', %s, '', %s, %s from daftari.run""",
            [verdict, tested, failing],
        )
