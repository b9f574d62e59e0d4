"""A review finds every way to governed rows, counts what is really seen, and takes away what nobody keeps."""

import uuid
from dataclasses import replace
from datetime import date, timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import NOW
from tests.small_contracts import READINGS, TEAMS, contracts

from daftari.compile.access import roles
from daftari.compile.access.access_policies import Rights
from daftari.compile.access.roles import Roles
from daftari.contract.access.mart_readers import Readers
from daftari.contract.model import Access, Condition, Operation, RowScope
from daftari.errors import ReviewRefused
from daftari.io.audit.audit_entries import AuditFilter, audit_entries
from daftari.operations.review.close_review import close_review
from daftari.operations.review.decide_review import Chosen, Decision, decide_review
from daftari.operations.review.show_review import show_review
from daftari.operations.review.start_review import ReviewPeriod, start_review
from daftari.operations.schema.apply_contracts import apply_contracts

PERIOD = ReviewPeriod(quarter="2026q1", deadline=date(2026, 12, 1))
DEADLINE = NOW.replace(year=2026, month=12, day=1)
BEFORE = DEADLINE - timedelta(days=1)
KEEP = Decision(keep=True, reason="still needed")
REVOKE = Decision(keep=False, reason="left the team")


#: The names are of this server alone.
RIGHTS = Rights(roles=Roles(prefix="review_"), readers=Readers())
LINES = (
    Access(role="reader", operations=(Operation.READ,), rows=RowScope.ALL, fields=("team",)),
    Access(role="small", operations=(Operation.READ,), rows=Condition("budget < 10")),
)
CONTRACTS = contracts(replace(TEAMS, access=LINES), READINGS)


def fill(conn, folder):
    apply_contracts(conn, CONTRACTS, migrations_dir=folder, now=NOW, rights=RIGHTS)
    conn.execute(
        "insert into ops.teams (team, budget, _run_id) values ('blue', 5, 0), ('green', 7, 0), ('red', 50, 0)"
    )


class House:
    """A database with two small datasets, and people who come and go with the test."""

    def __init__(self, conn, url):
        self.conn, self.url, self.run = conn, url, uuid.uuid4().hex[:6]
        self.rights, self.contracts = RIGHTS, CONTRACTS
        datasets = [it.dataset for it in self.contracts]
        self.watched = roles.watched(datasets, (), self.rights.roles)
        self.made = []

    def role(self, name, *options, member_of=()):
        made = f"{name}_{self.run}"
        self.conn.execute(f"create role {made} {' '.join(options)}")
        self.made.append(made)
        for group in member_of:
            self.conn.execute(f"grant {group} to {made}")
        return made

    def login(self, name, *options, member_of=()):
        return self.role(name, "login", *options, member_of=member_of)

    def of(self, role):
        return self.rights.roles.of(role)

    def start(self):
        return start_review(self.conn, self.watched, PERIOD, now=NOW)

    def decide(self, decision, *numbers, **chosen):
        return decide_review(self.conn, Chosen(numbers=numbers, **chosen), decision, now=NOW)

    def close(self, now=BEFORE, time_zone="Africa/Nairobi", **said):
        return close_review(self.conn, self.watched, now=now, time_zone=time_zone, **said)

    def seen_by(self, login, query, role=None):
        with psycopg.connect(make_conninfo(self.url, user=login), autocommit=True) as conn:
            if role:
                conn.execute(f"set role {role}")
            return conn.execute(query).fetchone()[0]

    def remove(self):
        for name in reversed(self.made):
            self.conn.execute(f"drop owned by {name} cascade")
        for name in reversed(self.made):
            self.conn.execute(f"drop role {name}")


@pytest.fixture
def house(filled, tmp_path):
    with filled(fill, tmp_path) as (conn, url):
        made = House(conn, url)
        yield made
        made.remove()


def only(review, grantee, kind=None):
    """The entry of a grantee; all others of the server's logins are somebody else's tests."""
    found = [it for it in review.entries if it.access.grantee == grantee and kind in (None, it.access.kind)]
    assert len(found) == 1, [it.access for it in found]
    return found[0]


def reached(entry):
    return {it.relation: it.rows for it in entry.access.reach}


# --- what is found


def test_a_membership_leads_to_the_rows_that_this_login_really_sees(house):
    amina = house.login("amina", member_of=[house.of("small")])

    entry = only(house.start(), amina)

    assert (entry.access.kind, entry.access.object) == ("membership", house.of("small"))
    assert reached(entry) == {"ops.teams": 2}
    assert house.seen_by(amina, "select count(*) from ops.teams") == 2


def test_columns_that_may_be_read_are_named(house):
    amina = house.login("amina", member_of=[house.of("reader")])

    [reach] = only(house.start(), amina).access.reach

    assert (reach.privileges, reach.columns, reach.rows) == (("select",), ("team",), 3)


def test_a_role_behind_two_others_is_found_with_the_way_to_it(house):
    finance = house.role("finance", member_of=[house.of("reader")])
    head = house.role("head", member_of=[finance])
    amina = house.login("amina", member_of=[head])

    entry = only(house.start(), amina)

    assert entry.access.object == head
    assert entry.access.through == (f"{head} > {finance} > {house.of('reader')}",)
    assert reached(entry) == {"ops.teams": 3}


def test_what_a_login_only_gets_by_set_role_is_found_too(house):
    amina = house.login("amina", "noinherit", member_of=[house.of("reader")])

    entry = only(house.start(), amina)

    assert entry.access.through == (f"{house.of('reader')} (by set role)",)
    assert reached(entry) == {"ops.teams": 3}
    assert house.seen_by(amina, "select count(team) from ops.teams", role=house.of("reader")) == 3


def test_a_grant_past_the_contracts_is_found_whether_of_a_table_or_of_a_column(house):
    amina, otieno = house.login("amina"), house.login("otieno")
    house.conn.execute(f"grant usage on schema ops to {amina}, {otieno}")
    house.conn.execute(f"grant select on ops.teams to {amina}; grant select (team) on ops.teams to {otieno}")

    review = house.start()

    assert only(review, amina).access.object == "ops.teams"
    assert only(review, otieno).access.means == ("select",)
    assert reached(only(review, amina)) == {"ops.teams": 0}, "the policies hold whoever has no role"


def test_an_owner_is_found(house):
    amina = house.login("amina")
    house.conn.execute(f"alter table ops.teams owner to {amina}")

    entry = only(house.start(), amina)

    assert (entry.access.kind, entry.access.object) == ("owner", "ops.teams")


@pytest.mark.parametrize("attribute", ["superuser", "bypassrls", "createrole", "replication"])
def test_what_stands_above_policies_is_found(house, attribute):
    amina = house.login("amina", attribute)

    entry = only(house.start(), amina)

    assert (entry.access.kind, entry.access.object) == ("attribute", attribute)


def test_whom_no_policy_holds_is_counted_with_every_row(house):
    amina = house.login("amina", "superuser")
    assert reached(only(house.start(), amina))["ops.teams"] == 3


def test_what_later_tables_would_be_granted_is_found(house):
    amina = house.login("amina")
    maker = house.role("maker")
    house.conn.execute(
        f"alter default privileges for role {maker} in schema ops grant select on tables to {amina}"
    )

    entry = only(house.start(), amina)

    assert (entry.access.kind, entry.access.object) == ("default", "ops")
    assert entry.access.means == (maker, "select")


def test_a_function_that_reads_as_its_maker_is_found(house):
    amina = house.login("amina")
    house.conn.execute(
        "create function public.peek() returns bigint language sql security definer"
        " as 'select count(*) from ops.teams'"
    )
    house.conn.execute("revoke execute on function public.peek() from public")
    house.conn.execute(f"grant execute on function public.peek() to {amina}")

    entry = only(house.start(), amina)

    assert (entry.access.kind, entry.access.object) == ("function", "public.peek()")
    assert house.seen_by(amina, "select public.peek()") == 3


def test_a_view_upon_a_view_is_found_with_the_chain_to_the_table(house):
    amina = house.login("amina")
    house.conn.execute("create schema side; create view side.one as select * from ops.teams")
    house.conn.execute("create view side.two with (security_invoker = true) as select * from side.one")
    house.conn.execute(f"grant usage on schema side to {amina}; grant select on side.two to {amina}")
    house.conn.execute(f"grant select on side.one to {amina}")

    review = house.start()

    found = {it.access.object: it for it in review.entries if it.access.grantee == amina}
    assert found["side.two"].access.through == ("side.one > ops.teams",)
    assert found["side.two"].rows == found["side.one"].rows == 3
    assert house.seen_by(amina, "select count(*) from side.two") == 3


def test_a_view_with_its_readers_rights_is_no_way_of_its_own(house):
    amina = house.login("amina")
    house.conn.execute("create schema side")
    house.conn.execute("create view side.own with (security_invoker = true) as select * from ops.teams")
    house.conn.execute(f"grant usage on schema side to {amina}; grant select on side.own to {amina}")

    assert amina not in {it.access.grantee for it in house.start().entries}


def test_a_copy_of_rows_is_found(house):
    amina = house.login("amina")
    house.conn.execute("create schema side; create materialized view side.copy as select * from ops.teams")
    house.conn.execute(f"grant usage on schema side to {amina}; grant select on side.copy to {amina}")

    entry = only(house.start(), amina)

    assert entry.access.means == ("copy",)
    assert entry.rows == 3


def test_the_last_use_is_that_which_the_audit_knows_of(house):
    amina = house.login("amina", member_of=[house.rights.roles.operator])
    otieno = house.login("otieno", member_of=[house.of("reader")])
    with psycopg.connect(make_conninfo(house.url, user=amina), autocommit=True) as conn:
        conn.execute("update ops.teams set budget = 8 where team = 'green'")

    review = house.start()

    assert only(review, amina).access.last_use is not None
    assert only(review, otieno).access.last_use is None


# --- what is decided


def test_one_review_is_open_at_a_time(house):
    review = house.start()
    with pytest.raises(ReviewRefused, match=rf"review {review.review_id}: is open"):
        house.start()


def test_nobody_decides_on_their_own_access(house):
    amina = house.login("amina", "superuser")
    number = only(house.start(), amina).entry_no
    with psycopg.connect(make_conninfo(house.url, user=amina), autocommit=True) as conn:
        with pytest.raises(ReviewRefused, match=f"entry {number} is your own access"):
            decide_review(conn, Chosen(numbers=(number,)), KEEP, now=NOW)
        with pytest.raises(psycopg.errors.CheckViolation):
            conn.execute(
                "update daftari.access_review_entry set decision = 'keep', decided_by = %s, decided_at = now(),"
                " reason = 'mine' where grantee = %s",
                [amina, amina],
            )


def test_a_decision_has_a_reason_and_an_entry(house):
    house.start()
    with pytest.raises(ReviewRefused, match="has no reason"):
        house.decide(Decision(keep=True, reason=" "), 1)
    with pytest.raises(ReviewRefused, match="entry 9999; expected numbers from 1 to"):
        house.decide(KEEP, 9999)


def test_all_undecided_entries_of_a_grantee_are_decided_at_once(house):
    amina = house.login("amina", member_of=[house.of("reader"), house.of("small")])
    review = house.start()

    decided = house.decide(REVOKE, grantee=amina)

    assert len(decided) == 2
    after = show_review(house.conn).review
    assert len(after.undecided) == len(review.entries) - 2


def test_a_decision_the_beginning_and_the_end_of_a_review_are_in_the_audit(house):
    amina = house.login("amina", member_of=[house.of("reader")])
    house.start()
    house.decide(REVOKE, grantee=amina)
    closed = house.close(DEADLINE)

    told = [it.detail for it in audit_entries(house.conn, AuditFilter(relation="daftari.access_review"))]

    assert [it["event"] for it in told] == ["close", "decide", "start"]
    assert told[0]["digest"] == closed.review.digest


# --- what comes of it


def decide_all_but(house, review, *grantees):
    """Other logins of the server are kept: other tests run on it."""
    numbers = [
        it.entry_no for it in review.entries if it.access.grantee not in (*grantees, house.conn.info.user)
    ]
    if numbers:
        house.decide(KEEP, *numbers)


def test_a_revoked_membership_is_gone_and_its_login_sees_nothing(house):
    amina = house.login("amina", member_of=[house.of("reader")])
    review = house.start()
    decide_all_but(house, review, amina)
    house.decide(REVOKE, grantee=amina)

    closed = house.close(DEADLINE)

    assert only(closed.review, amina).outcome == "revoked"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        house.seen_by(amina, "select count(team) from ops.teams")


def test_before_its_deadline_a_review_with_undecided_entries_stays_open(house):
    house.login("amina", member_of=[house.of("reader")])
    house.start()
    with pytest.raises(ReviewRefused, match=r"entries are undecided, and its deadline is 2026-12-01"):
        house.close(BEFORE)
    assert show_review(house.conn).review.closed_at is None


def test_the_day_of_the_deadline_begins_in_the_workspaces_zone(house):
    house.start()
    night = DEADLINE.replace(hour=2)  # 1 December, 05:00 in Nairobi; 30 November, 21:00 in Lima
    with pytest.raises(ReviewRefused, match="its deadline is 2026-12-01"):
        house.close(night, time_zone="America/Lima")
    assert house.close(night, time_zone="Africa/Nairobi").is_done


def test_what_is_undecided_at_the_deadline_is_revoked(house):
    amina = house.login("amina", member_of=[house.of("reader")])
    decide_all_but(house, house.start(), amina)

    closed = house.close(DEADLINE)

    entry = only(closed.review, amina)
    assert (entry.decision, entry.outcome) == (None, "revoked")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        house.seen_by(amina, "select count(team) from ops.teams")


def test_every_kind_of_access_is_taken_away(house):
    amina = house.login("amina", "bypassrls", member_of=[house.of("reader")])
    maker = house.role("maker")
    house.conn.execute(
        "create schema side; create view side.one as select * from ops.teams;"
        "create function side.peek() returns bigint language sql security definer"
        " as 'select count(*) from ops.teams'"
    )
    house.conn.execute(
        f"revoke execute on function side.peek() from public;"
        f"grant execute on function side.peek() to {amina}; grant select on side.one to {amina};"
        f"grant select (team), update on ops.teams to {amina}; alter table ops.readings owner to {amina};"
        f"alter default privileges for role {maker} in schema ops grant select on tables to {amina}"
    )
    review = house.start()
    kinds = {it.access.kind for it in review.entries if it.access.grantee == amina}
    assert kinds == {"membership", "grant", "owner", "attribute", "default", "function", "view"}
    decide_all_but(house, review, amina)

    closed = house.close(DEADLINE)

    assert {it.outcome for it in closed.review.entries if it.access.grantee == amina} == {"revoked"}
    assert amina not in {it.access.grantee for it in house.start().entries}


def test_what_the_login_that_closes_has_is_left_to_another(house):
    review = house.start()
    decide_all_but(house, review)

    closed = house.close(DEADLINE)

    own = [it for it in closed.review.entries if it.access.grantee == house.conn.info.user]
    assert own and all(it.outcome.startswith("left: ") for it in own)
    assert closed.review.outstanding == tuple(own)


def test_what_somebody_else_granted_and_stays_is_said_to_be_left(house):
    amina, otieno = house.login("amina"), house.login("otieno")
    house.conn.execute(f"grant select on ops.teams to {amina} with grant option")
    house.conn.execute(f"grant usage on schema ops to {amina}, {otieno}")
    with psycopg.connect(make_conninfo(house.url, user=amina), autocommit=True) as conn:
        conn.execute(f"grant select on ops.teams to {otieno}")
    review = house.start()
    decide_all_but(house, review, otieno)

    closed = house.close(DEADLINE)

    assert only(closed.review, otieno).outcome == (
        "left: it still exists; let the role that granted it revoke it"
    )


def test_a_dry_run_changes_nothing_and_names_each_statement(house):
    amina = house.login("amina", member_of=[house.of("reader")])
    decide_all_but(house, house.start(), amina)

    tried = house.close(DEADLINE, dry_run=True)

    assert any(it.startswith(f'revoke "{house.of("reader")}" from "{amina}"') for it in tried.statements)
    assert show_review(house.conn).review.closed_at is None
    assert house.seen_by(amina, "select count(team) from ops.teams") == 3


def test_a_review_is_not_changed_once_it_is_closed(house):
    decide_all_but(house, house.start())
    closed = house.close(DEADLINE).review
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="is closed"):
        house.conn.execute("update daftari.access_review_entry set reason = 'another'")
    assert show_review(house.conn, closed.review_id).is_as_attested is True


def test_a_review_that_was_changed_all_the_same_is_told_from_what_the_audit_attests(house):
    decide_all_but(house, house.start())
    house.close(DEADLINE)
    house.conn.execute("alter table daftari.access_review_entry disable trigger all")
    house.conn.execute("update daftari.access_review_entry set last_use = now() where entry_no = 1")

    assert show_review(house.conn).is_as_attested is False


def test_what_the_review_before_did_not_have_is_marked(house):
    amina = house.login("amina", member_of=[house.of("reader")])
    decide_all_but(house, house.start())
    house.close(DEADLINE)
    otieno = house.login("otieno", member_of=[house.of("reader")])

    review = house.start()

    assert not only(review, amina).is_new
    assert only(review, otieno).is_new
