"""Tokens of the API: nothing is kept by which one could be made again, and none says why it is refused."""

from datetime import timedelta

import psycopg
import pytest
from tests.clinic import NOW
from tests.contracts import contract_of

from daftari.contract.access.caller import Caller
from daftari.errors import NotAuthenticated, TokenRefused, UnknownName
from daftari.io.access import tokens
from daftari.io.access.tokens import TokenGrant
from daftari.operations.access.issue_token import issue_token

DATASETS = [
    contract_of(custom={"access": [{"role": "nurse", "operations": ["read"], "rows": "all"}]}).dataset
]


def issue(db, name="round", role="nurse", days=30, **said):
    return issue_token(db, DATASETS, TokenGrant(name=name, role=role, **said), now=NOW, days=days)


def test_a_token_speaks_for_whom_it_was_made(undone):
    token = issue(undone, user_id="U1", datasets=("visits",), writes=False)
    assert tokens.caller_of_token(undone, token, NOW) == Caller(
        name="token:round", role="nurse", user_id="U1", datasets=("visits",), writes=False
    )


def test_a_token_that_is_unknown_expired_or_revoked_is_nobodys_and_which_of_these_is_not_told(undone):
    expired, revoked = issue(undone, name="a", days=1), issue(undone, name="b")
    assert tokens.mark_revoked(undone, "b", NOW)
    said = set()
    later = NOW + timedelta(days=1)
    for token in (expired, revoked, tokens.new_token(), ""):
        with pytest.raises(NotAuthenticated) as refused:
            tokens.caller_of_token(undone, token, later)
        said.add(str(refused.value))
    assert len(said) == 1


def test_the_token_itself_is_kept_nowhere(undone):
    token = issue(undone)
    (row,) = undone.execute("select t::text from daftari.api_token t").fetchone()
    assert token not in row
    assert token.encode().hex() not in row


def test_no_role_of_a_contract_reads_or_writes_tokens(undone):
    undone.execute("create role nobody_much; grant usage on schema daftari to nobody_much")
    undone.execute("set local role nobody_much")
    for statement in ("select * from daftari.api_token", "update daftari.api_token set role = 'x'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), undone.transaction():
            undone.execute(statement)


def test_a_use_is_noted_to_the_minute(undone):
    token = issue(undone)
    for seconds in (0, 30, 61):
        tokens.caller_of_token(undone, token, NOW + timedelta(seconds=seconds))
        (found,) = tokens.all_tokens(undone)
        expected = 0 if seconds < 60 else seconds
        assert found.last_used_at == NOW + timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"role": "nurs"}, UnknownName, "no role 'nurs'; known: nurse"),
        ({"datasets": ("visit",)}, UnknownName, "no dataset 'visit'"),
        ({"days": 0}, TokenRefused, "expected 1 to 366"),
        ({"days": 367}, TokenRefused, "expected 1 to 366"),
        ({"name": "taken"}, TokenRefused, "a token has that name"),
    ],
)
def test_a_token_for_nobody_or_for_ever_is_refused(undone, said, error, words):
    issue(undone, name="taken")
    with pytest.raises(error, match=words):
        issue(undone, **said)


def test_a_token_for_somebody_who_is_not_known_is_refused(governed):
    with pytest.raises(TokenRefused, match="no such person"):
        issue(governed, user_id="U9999")
