"""Sessions of the control room: they live as long as their token at the most, and nothing of them can be used again."""

from datetime import timedelta

import psycopg
import pytest
from tests.clinic import NOW
from tests.contracts import contract_of

from daftari.contract.access.caller import Caller
from daftari.errors import NotAuthenticated
from daftari.io.access import tokens, web_sessions
from daftari.io.access.tokens import TokenGrant
from daftari.operations.access.issue_token import issue_token

DATASETS = [
    contract_of(custom={"access": [{"role": "nurse", "operations": ["read"], "rows": "all"}]}).dataset
]


def issue(db, name="round", days=30):
    grant = TokenGrant(name=name, role="nurse", user_id="U1", writes=False)
    return issue_token(db, DATASETS, grant, now=NOW, days=days)


def test_a_session_speaks_for_whom_its_token_does(undone):
    token = issue(undone)
    session = web_sessions.insert_session(undone, token, NOW)
    assert web_sessions.session_caller(undone, session, NOW) == tokens.caller_of_token(undone, token, NOW)


def test_a_session_lives_no_longer_than_its_token(undone):
    token = issue(undone, days=1)
    late = NOW + timedelta(hours=23)
    session = web_sessions.insert_session(undone, token, late)
    web_sessions.session_caller(undone, session, late)
    with pytest.raises(NotAuthenticated):
        web_sessions.session_caller(undone, session, NOW + timedelta(days=1))


def test_a_session_ends_with_its_token_in_the_evening_and_by_leaving(undone):
    token = issue(undone)
    first, second = (web_sessions.insert_session(undone, token, NOW) for _ in range(2))
    web_sessions.delete_session(undone, first)
    with pytest.raises(NotAuthenticated):
        web_sessions.session_caller(undone, first, NOW)
    with pytest.raises(NotAuthenticated):
        web_sessions.session_caller(undone, second, NOW + web_sessions.LASTS)
    tokens.mark_revoked(undone, "round", NOW)
    with pytest.raises(NotAuthenticated):
        web_sessions.session_caller(undone, second, NOW)


@pytest.mark.parametrize("token", ["", "dft_nothing", "x" * 100])
def test_a_token_that_is_nobodys_begins_no_session(undone, token):
    with pytest.raises(NotAuthenticated):
        web_sessions.insert_session(undone, token, NOW)


def test_a_session_that_ended_is_forgotten_when_another_begins(undone):
    token = issue(undone)
    web_sessions.insert_session(undone, token, NOW)
    web_sessions.insert_session(undone, token, NOW + timedelta(days=1))
    assert undone.execute("select count(*) from daftari.web_session").fetchone() == (1,)


def test_what_the_browser_keeps_is_kept_nowhere_else(undone):
    session = web_sessions.insert_session(undone, issue(undone), NOW)
    (row,) = undone.execute("select s::text from daftari.web_session s").fetchone()
    assert session not in row
    assert session.encode().hex() not in row


def test_no_role_of_a_contract_reads_sessions(undone):
    undone.execute("create role nobody_much; grant usage on schema daftari to nobody_much")
    undone.execute("set local role nobody_much")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        undone.execute("select * from daftari.web_session")


PERSON = Caller(name="oidc U2", role="nurse", user_id="U2")


def test_a_session_of_whom_an_issuer_vouched_for_speaks_for_them_until_its_end(undone):
    session = web_sessions.insert_session_for(undone, PERSON, NOW, timedelta(hours=4))
    assert web_sessions.session_caller(undone, session, NOW + timedelta(hours=3)) == PERSON
    with pytest.raises(NotAuthenticated):
        web_sessions.session_caller(undone, session, NOW + timedelta(hours=4))


@pytest.mark.parametrize(
    "said",
    [
        "actor = 'oidc U2', role = 'nurse'",
        "actor = 'oidc U2', role = 'nurse', user_id = 'U2'",
        "user_id = 'U2'",
        "token = null",
        "token = null, actor = 'oidc U2'",
        "token = null, role = 'nurse'",
    ],
)
def test_a_session_is_of_a_token_or_of_whom_an_issuer_vouched_for_and_never_of_both(undone, said):
    web_sessions.insert_session(undone, issue(undone), NOW)
    with pytest.raises(psycopg.errors.CheckViolation):
        undone.execute(f"update daftari.web_session set {said}")
