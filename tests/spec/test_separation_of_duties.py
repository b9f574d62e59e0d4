"""
Nobody decides what they asked for, entered, changed or are the subject of, nor pays what they approved: by person, in
whatever role, by SQL, by the API and by a file.

The oracle below knows nothing of the contracts or the product: its steps, scopes and duties are written out. Each row
of the table has its own history, which real logins made by SQL; each person then tries every step in every role.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

import psycopg
import pytest
from psycopg import sql
from tests.spec.oracle import Caller
from tests.spec.test_access_by_the_api import calling

from daftari.io.access.tokens import TokenGrant
from daftari.operations.access.issue_token import issue_token

#: Everybody has every role: what keeps duties apart is the person alone. U1 heads all, U2 leads U3 and U4.
PEOPLE = ("U1", "U2", "U3", "U5")
REPORTS = {"U1": {"U2", "U3", "U4", "U5"}, "U2": {"U3", "U4"}, "U3": {"U4"}, "U5": set()}
#: A login of no person.
NOBODY = None

EXPENSE_STEPS = {
    ("submitted", "approved"): {"manager"},
    ("submitted", "rejected"): {"manager", "finance"},
    ("approved", "paid"): {"finance"},
    ("approved", "rejected"): {"finance"},
}
LEAVE_STEPS = {
    ("requested", "approved"): {"manager", "hr"},
    ("requested", "rejected"): {"manager", "hr"},
    ("approved", "taken"): {"manager", "hr"},
    ("approved", "cancelled"): {"hr"},
}
LEAVE_OWN = {("requested", "cancelled"): {"employee", "hr"}}
#: Steps that whoever decided before may take too.
SAME_PERSON = {("approved", "taken"), ("approved", "cancelled")}
RECORDS = "data_engineer"


@dataclass(frozen=True)
class Kind:
    name: str
    steps: dict
    own: dict
    states: tuple
    roles: tuple
    scoped: tuple  #: roles that reach everybody's rows


EXPENSES = Kind(
    "expenses", EXPENSE_STEPS, {}, ("submitted", "approved", "rejected", "paid"),
    ("employee", "manager", "finance", RECORDS), ("finance", RECORDS),
)  # fmt: skip
LEAVE = Kind(
    "leave_requests", LEAVE_STEPS, LEAVE_OWN, ("requested", "approved", "rejected", "cancelled", "taken"),
    ("employee", "manager", "hr", RECORDS), ("hr", RECORDS),
)  # fmt: skip

#: What happened to a row: who entered it in which role (None: an operator's load), about whom, and what was done since.
EXPENSE_HISTORIES = [
    ("U3", ("U3", "employee"), []),
    ("U3", ("U2", "finance"), []),
    ("U3", ("U5", RECORDS), []),
    ("U3", None, []),
    (None, ("U2", "finance"), []),
    (None, ("U5", RECORDS), []),
    (None, None, []),
    ("U3", ("U3", "employee"), [("U5", "finance", "amount")]),
    ("U3", ("U3", "employee"), [("U2", "manager", "approved")]),
    ("U3", ("U2", "finance"), [("U1", "manager", "approved")]),
    (None, ("U2", "finance"), [("U1", "manager", "approved")]),
    (None, None, [("U2", "manager", "approved")]),
    ("U3", ("U3", "employee"), [("U5", "finance", "amount"), ("U2", "manager", "approved")]),
    ("U3", ("U3", "employee"), [("U2", "manager", "approved"), ("U5", "finance", "amount")]),
    ("U3", ("U3", "employee"), [("U2", "manager", "approved"), ("U5", "finance", "paid")]),
    ("U3", None, [("U5", RECORDS, "approved")]),
    ("U3", ("U3", "employee"), [("U5", "finance", "rejected")]),
]
LEAVE_HISTORIES = [
    ("U3", ("U3", "employee"), []),
    ("U3", ("U5", "hr"), []),
    ("U3", None, []),
    ("U3", ("U3", "employee"), [("U2", "manager", "approved")]),
    ("U3", ("U3", "employee"), [("U5", "hr", "approved")]),
    ("U3", ("U5", "hr"), [("U1", "manager", "approved")]),
    ("U3", ("U3", "employee"), [("U2", "manager", "approved"), ("U5", "hr", "days")]),
    ("U3", ("U3", "employee"), [("U5", "hr", "days")]),
    ("U3", ("U3", "employee"), [("U2", "manager", "approved"), ("U5", "hr", "taken")]),
    ("U3", ("U3", "employee"), [("U3", "employee", "cancelled")]),
    ("U3", None, [("U5", RECORDS, "approved")]),
]
TABLES = [(EXPENSES, EXPENSE_HISTORIES), (LEAVE, LEAVE_HISTORIES)]


class Told:
    """What a history comes to: the state, and who did what. In plain Python."""

    def __init__(self, kind, history):
        self.kind, (self.subject, entered, acts) = kind, history
        self.state = kind.states[0]
        self.entered, self.recorded, self.changed, self.decided = set(), set(), set(), set()
        if entered is not None:
            (self.recorded if entered[1] == RECORDS else self.entered).add(entered[0])
        for person, role, did in acts:
            self._do(person, role, did)

    def _do(self, person, role, did):
        if role == RECORDS:
            self.recorded.add(person)
            self.state = did
        elif did in self.kind.states:
            self.decided.add(person)
            self.state = did
        else:  # a field that a decision covers
            self.changed.add(person)
            if self.state != self.kind.states[0]:
                self.decided.clear()
            self.state = self.kind.states[0]

    def may(self, person, role, to):
        """Whether *person* in *role* brings the row to the state *to*."""
        is_about_all = role in self.kind.scoped
        reaches = is_about_all or (
            role == "manager"
            and (self.subject in REPORTS.get(person, ()) or (self.subject is None and self.kind is EXPENSES))
        )
        if role == "employee":
            reaches = person is not None and self.subject == person and self.kind is LEAVE
        if not reaches or to == self.state:
            return False
        mine = person is not None and (
            person == self.subject or (self.subject is None and person in self.entered)
        )
        way = (self.state, to)
        if mine:
            return role in self.kind.own.get(way, ())
        if role == RECORDS:
            return person not in self.entered | self.changed | self.decided
        if person is None or role not in self.kind.steps.get(way, ()):
            return False
        if person in self.entered | self.recorded:
            return False
        if self.state == self.kind.states[0] and person in self.changed:
            return False
        return way in SAME_PERSON or person not in self.decided


# --- the rows, made by real logins


def columns_of(kind, key, subject, state, at):
    """A row as it is inserted; each has days of its own, so that none overlaps another."""
    if kind is EXPENSES:
        return {
            "expense_id": key, "spent_on": "2026-01-10", "department_code": "OPS", "user_id": subject,
            "category": "office", "amount": "10.00", "currency": "KES", "status": state,
        }  # fmt: skip
    day = datetime(2027, 1, 4, tzinfo=UTC).toordinal() + 2 * at
    date = datetime.fromordinal(day).date().isoformat()
    return {
        "request_id": key, "user_id": subject, "leave_type": "annual", "start_date": date, "end_date": date,
        "days": "1.0", "status": state, "requested_at": "2026-03-01T00:00:00Z",
    }  # fmt: skip


class Ledger:
    """The rows of one path, and the logins that make them."""

    def __init__(self, world):
        self.world, self.conn = world, world.conn
        run = uuid.uuid4().hex[:8]
        roles = sorted({*EXPENSES.roles, *LEAVE.roles})
        self.logins = {
            person: Caller(f"duty_{str(person).lower()}_{run}", tuple(roles), person)
            for person in (*PEOPLE, NOBODY)
        }
        for caller in self.logins.values():
            name = sql.Identifier(caller.login)
            self.conn.execute(sql.SQL("create role {} login").format(name))
            for role in roles:
                self.conn.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), name))
            if caller.user_id:
                self.conn.execute(
                    "insert into daftari.assignment (login, user_id) values (%s, %s)",
                    [caller.login, caller.user_id],
                )

    def close(self):
        for caller in self.logins.values():
            self.conn.execute("delete from daftari.assignment where login = %s", [caller.login])
            self.conn.execute(
                sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(caller.login))
            )

    @contextmanager
    def acting(self, person, role, *, undone=False):
        with self.conn.transaction(force_rollback=undone):
            login = sql.Identifier(self.logins[person].login)
            self.conn.execute(sql.SQL("set local session authorization {}").format(login))
            self.conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            yield self.conn

    def insert(self, kind, row, who):
        names = sql.SQL(", ").join(map(sql.Identifier, row))
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(row))
        statement = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier("ops", kind.name), names, marks
        )
        if who is None:  # an operator's load
            self.conn.execute(statement, list(row.values()))
            return
        with self.acting(*who) as conn:
            conn.execute(statement, list(row.values()))

    def move(self, kind, key, to, who, *, undone=False):
        """Whether the server lets *who* bring the row to the state *to*."""
        more = ""
        if who[1] == RECORDS and to in ("approved", "paid", "taken", "rejected"):
            more = {
                "expenses": ", approved_at = coalesce(approved_at, '2026-09-01')",
                "leave_requests": ", decided_by = 'U4', decided_at = '2026-09-01'",
            }[kind.name]
        key_name = {"expenses": "expense_id", "leave_requests": "request_id"}[kind.name]
        statement = f"update ops.{kind.name} set status = %s{more} where {key_name} = %s"
        try:
            with self.acting(*who, undone=undone) as conn:
                return conn.execute(statement, [to, key]).rowcount == 1
        except psycopg.errors.InsufficientPrivilege:
            return False
        except psycopg.errors.CheckViolation as error:
            assert error.diag.constraint_name == "approval", error
            return False

    def change(self, kind, key, who):
        name, key_name = {
            "expenses": ("amount = amount + 1", "expense_id"),
            "leave_requests": ("days = 0.5", "request_id"),
        }[kind.name]
        with self.acting(*who) as conn:
            found = conn.execute(f"update ops.{kind.name} set {name} where {key_name} = %s", [key])
            assert found.rowcount == 1

    def make(self, kind, key, history, at):
        subject, entered, acts = history
        self.insert(kind, columns_of(kind, key, subject, kind.states[0], at), entered)
        for person, role, did in acts:
            if did in kind.states:
                assert self.move(kind, key, did, (person, role)), (key, history, did)
            else:
                self.change(kind, key, (person, role))
        assert self.state(kind, key) == Told(kind, history).state

    def state(self, kind, key):
        key_name = {"expenses": "expense_id", "leave_requests": "request_id"}[kind.name]
        return self.conn.execute(
            f"select status::text from ops.{kind.name} where {key_name} = %s", [key]
        ).fetchone()[0]


@pytest.fixture(scope="module")
def office(world):
    made = Ledger(world)
    try:
        yield made
    finally:
        made.close()


def attempts(kind, people=(*PEOPLE, NOBODY)):
    return product(people, kind.roles)


@pytest.mark.parametrize(("kind", "histories"), TABLES, ids=["expenses", "leave"])
def test_by_sql_each_person_takes_in_each_role_the_steps_that_their_part_in_the_row_leaves_them(
    office, kind, histories
):
    wrong = []
    allowed = 0
    for at, history in enumerate(histories):
        key, told = f"S{at}", Told(kind, history)
        office.make(kind, key, history, at)
        for (person, role), to in product(attempts(kind), kind.states):
            if to == told.state:
                continue
            wanted = told.may(person, role, to)
            allowed += wanted
            if office.move(kind, key, to, (person, role), undone=True) is not wanted:
                wrong.append((history, person, role, to, "should" if wanted else "should not"))
    assert wrong == []
    assert allowed > 40  # the table is not of refusals alone


def as_record(office, kind, key, to, role):
    """The row as a file or the API brings it, in the state *to*."""
    text = office.conn.execute(
        f"select to_jsonb(t) - 'created_at' - 'updated_at' - '_run_id' from ops.{kind.name} t where "
        f"{ {'expenses': 'expense_id', 'leave_requests': 'request_id'}[kind.name] } = %s",
        [key],
    ).fetchone()[0]
    record = {name: value for name, value in text.items() if name != "reason"}
    record["status"] = to
    if kind is EXPENSES and role == RECORDS and to != "submitted":
        record["approved_at"] = record["approved_at"] or "2026-09-01T00:00:00Z"
    if kind is LEAVE and to in ("approved", "taken", "rejected"):  # a step writes its own here
        record["decided_by"] = record["decided_by"] or "U4"
        record["decided_at"] = record["decided_at"] or "2026-09-01T00:00:00Z"
    return {name: None if value is None else str(value) for name, value in record.items()}


def by_api(client, headers, kind, records):
    if kind is LEAVE and headers["X-Role"] == "manager":
        # A whole record has a field that the role does not see: it would count as a change.
        for record in records:
            answer = client.patch(
                f"/api/{kind.name}/{record['request_id']}", json={"status": record["status"]}, headers=headers
            )
            assert answer.status_code in (200, 403, 404, 422), answer.text
        return
    answer = client.post(
        f"/api/{kind.name}",
        content=json.dumps(records),
        headers={**headers, "Content-Type": "application/json"},
    )
    assert answer.status_code in (200, 201, 207, 403, 422), answer.text


def by_file(client, headers, kind, records):
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(records[0]))
    writer.writeheader()
    writer.writerows([{name: value or "" for name, value in it.items()} for it in records])
    answer = client.post(
        f"/api/{kind.name}/files?name={uuid.uuid4().hex}.csv",
        content=out.getvalue().encode(),
        headers={**headers, "Content-Type": "text/csv"},
    )
    assert answer.status_code in (200, 201, 403, 422), answer.text


def rows_to_try(office, kind, histories, path):
    """A row for each step that a person might try in a role, by person and role."""
    made, place = {}, 0
    for person, role in attempts(kind, people=("U2", "U3", "U5", NOBODY)):
        for history, to in product(histories, kind.states):
            way = (Told(kind, history).state, to)
            is_step = way in kind.steps or way in kind.own
            if to == way[0] or (not is_step and role != RECORDS):  # nobody takes others by SQL either
                continue
            place += 1
            key = f"{path.__name__}{place}"
            office.make(kind, key, history, 200 + place + (2000 if path is by_file else 0))
            made.setdefault((person, role), []).append((key, history, to))
    return made


@pytest.mark.parametrize("path", [by_api, by_file], ids=["api", "file"])
@pytest.mark.parametrize(("kind", "histories"), TABLES, ids=["expenses", "leave"])
def test_by_the_api_and_by_a_file_nothing_else_is_taken(
    world, office, monkeypatch, tmp_path, kind, histories, path
):
    made = rows_to_try(office, kind, histories[::2], path)
    wrong, allowed = [], 0
    with calling(world, monkeypatch, tmp_path / "workspace") as (client, _):
        for (person, role), rows in made.items():
            grant = TokenGrant(name=f"{person} {role}", role=role, user_id=person)
            datasets = [it.dataset for it in world.workspace.contracts]
            token = issue_token(world.conn, datasets, grant, now=datetime.now(UTC), days=1)
            records = [as_record(office, kind, key, to, role) for key, _, to in rows]
            path(
                client,
                {"Authorization": f"Bearer {token}", "X-Purpose": "a test", "X-Role": role},
                kind,
                records,
            )
            for key, history, to in rows:
                # a file is for roles that insert
                wanted = Told(kind, history).may(person, role, to) and (path is by_api or role != "manager")
                allowed += wanted
                found = office.state(kind, key) == to
                if found is not wanted:
                    wrong.append((history, person, role, to, "should" if wanted else "should not"))
    assert wrong == []
    assert allowed > 10
