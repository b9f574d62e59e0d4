"""Who a session is: the promises of 0005_access.sql."""

import uuid
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

PEOPLE = """
    insert into ops.departments (department_code, name, city, cost_centre, is_active, _run_id)
    values ('FIN', 'Finance', 'Nairobi', '1000', true, 1), ('OPS', 'Operations', 'Kisumu', '2000', true, 1);
    insert into ops.roles (role_code, title, grade, is_managerial, _run_id) values ('HEAD', 'Head', 9, true, 1);
    insert into ops.users (user_id, full_name, email, national_id, kra_pin, national_id_index, kra_pin_index,
                           department_code, role_code, manager_id, employment_type, hired_on, is_active, _run_id)
    select 'U' || n, 'Person', 'u' || n || '@example.org', 'sealed', 'sealed', int4send(n), int4send(n),
           case when n % 2 = 0 then 'FIN' else 'OPS' end, 'HEAD', case when n > 1 then 'U' || n - 1 end,
           'permanent', '2024-01-01', true, 1
    from generate_series(1, 5) n;
"""


@pytest.fixture
def people(governed):
    """U1 leads U2, who leads U3, and so on; even ones are in finance."""
    governed.execute(PEOPLE)
    return governed


@pytest.fixture
def login(people):
    """Make a login, assigned as told, and open its session."""
    made = []

    @contextmanager
    def opened(*roles, **assigned):
        name = f"login_{uuid.uuid4().hex[:8]}"
        people.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
        made.append(name)
        for role in roles:
            people.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(name)))
        if assigned:
            names = sql.SQL(", ").join(map(sql.Identifier, assigned))
            values = sql.SQL(", ").join(map(sql.Literal, assigned.values()))
            people.execute(
                sql.SQL("insert into daftari.assignment (login, {}) values ({}, {})").format(
                    names, sql.Literal(name), values
                )
            )
        with psycopg.connect(people.info.dsn, user=name, autocommit=True) as conn:
            yield conn

    yield opened
    for name in made:
        people.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(name)))


def own(conn):
    return sorted(it for (it,) in conn.execute("select user_id from ops.users"))


def test_what_a_session_says_of_itself_counts_only_when_a_services_login_says_it(login):
    says = "select set_config('daftari.user_id', 'U3', false)"
    with login("employee", user_id="U5") as conn:
        conn.execute(says)
        assert own(conn) == ["U5"]
    with login("employee", is_service=True) as conn:
        assert own(conn) == []
        conn.execute(says)
        assert own(conn) == ["U3"]
        conn.execute("set role employee")  # as a service acts for its callers
        assert own(conn) == ["U3"]


def test_a_login_that_is_assigned_to_nobody_is_nobody(login):
    with login("employee") as conn:
        conn.execute("select set_config('daftari.user_id', 'U3', false)")
        assert own(conn) == []
        assert conn.execute("select count(*) from ops.salaries").fetchone() == (0,)


def test_a_login_can_neither_read_nor_write_assignments(login):
    with login("employee", user_id="U5") as conn:
        for statement in (
            "select * from daftari.assignment",
            "update daftari.assignment set user_id = 'U1'",
            "insert into daftari.assignment (login, user_id) values (current_user, 'U1')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)


@pytest.mark.parametrize(
    ("circle", "below"),
    [
        (None, ["U3", "U4", "U5"]),
        # U2 answers to U5 as well as leading it: U1 is above nobody's circle
        ("update ops.users set manager_id = 'U5' where user_id = 'U2'", ["U3", "U4", "U5"]),
    ],
)
def test_reports_are_the_people_below_the_caller_however_far_also_where_the_records_run_in_a_circle(
    people, login, circle, below
):
    if circle:
        people.execute(circle)
    with login("manager", user_id="U2") as conn:
        assert own(conn) == below


def test_who_is_a_member_of_several_roles_acts_in_one_of_them_at_a_time(login):
    with login("employee", "manager", user_id="U3") as conn:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as raised:
            conn.execute("select user_id from ops.users")
        assert (
            raised.value.diag.message_primary
            == "this session has the rights of several roles: employee, manager"
        )
        assert raised.value.diag.message_hint == "Act in one of them: set role employee."
        conn.execute("set role employee")
        assert own(conn) == ["U3"]
        conn.execute("set role manager")
        assert own(conn) == ["U4", "U5"]


def test_a_role_that_reads_marts_alone_is_one_of_several_too(people, login):
    people.execute("""
        create table marts.heads as select 1 as heads;
        alter table marts.heads enable row level security;
        create role caller_of_marts;
        grant usage on schema marts to caller_of_marts;
        grant select on marts.heads to caller_of_marts;
        create policy caller_of_marts_read on marts.heads for select to caller_of_marts
            using ((select daftari.acts_as('caller_of_marts')))
    """)
    try:
        with login("employee", "caller_of_marts", user_id="U3") as conn:
            for relation in ("marts.heads", "ops.users"):
                with pytest.raises(
                    psycopg.errors.InsufficientPrivilege, match="several roles: caller_of_marts"
                ):
                    conn.execute(f"select count(*) from {relation}")
            conn.execute("set role caller_of_marts")
            assert conn.execute("select heads from marts.heads").fetchall() == [(1,)]
    finally:
        people.execute("drop table marts.heads; drop owned by caller_of_marts; drop role caller_of_marts")


def test_who_took_on_a_role_that_is_a_member_of_another_has_the_rights_of_several(people, login):
    people.execute(
        "insert into ops.expenses (expense_id, spent_on, department_code, category, amount, currency, status, _run_id)"
        " values ('E1', '2026-03-01', 'FIN', 'travel', 10, 'KES', 'submitted', 1)"
    )
    people.execute("grant hr to finance")
    try:
        with login("finance", user_id="U3") as conn:
            conn.execute("set role finance")
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="rights of several roles"):
                conn.execute("select expense_id from ops.expenses")  # of which hr has nothing
    finally:
        people.execute("revoke hr from finance")


def test_a_department_is_that_of_the_people_s_records_or_of_the_login(people, login):
    people.execute("""
        insert into ops.incidents (incident_id, opened_at, severity, category, status, department_code, reported_by,
                                   title, _run_id)
        select 'I' || d, '2026-01-01', 'low', 'network', 'open', d, 'U1', 'Slow link', 1
        from unnest('{FIN,OPS}'::text[]) d
    """)
    query = "select incident_id from ops.incidents"
    with login("manager", user_id="U2") as conn:
        assert conn.execute(query).fetchall() == [("IFIN",)]
    with login("manager", department="OPS") as conn:
        assert conn.execute(query).fetchall() == [("IOPS",)]
    with login("manager") as conn:
        assert conn.execute(query).fetchall() == []


def test_a_partition_is_born_as_closed_as_its_table(people):
    people.execute("create table ops.incidents_far partition of ops.incidents "
                   "for values from ('2040-01-01 00:00+00') to ('2040-04-01 00:00+00')")  # fmt: skip
    people.execute("select daftari.close_partition('ops', 'incidents', 'incidents_far')")
    facts = people.execute("""
        select c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner)::text,
               array(select p.polname::text from pg_policy p where p.polrelid = c.oid)
        from pg_class c where c.oid = 'ops.incidents_far'::regclass
    """).fetchone()
    assert facts == (True, True, "daftari_owner", ["operator"])
