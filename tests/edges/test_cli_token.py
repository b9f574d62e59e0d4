"""daftari token at the terminal, and daftari serve where it cannot: what they say, and their exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.clinic import apply_workspace, write_workspace
from tests.served_api import free_port

from daftari.contract.access.caller import Caller
from daftari.errors import NotAuthenticated
from daftari.io.access import tokens, web_sessions

ACCESS = [{"role": "token_nurse", "operations": ["read"], "rows": "all"}]


@pytest.fixture
def ward(clinic):
    """The clinic with a role in its contract."""
    clinic.workspace = write_workspace(clinic.folder, access=ACCESS)
    apply_workspace(clinic.conn, clinic.workspace)
    yield clinic
    clinic.conn.execute("drop owned by token_nurse; drop role token_nurse")


def test_a_token_is_printed_once_and_listed_without_itself(daftari, ward):
    made = daftari("token", "create", "round", "--role", "token_nurse", "--read-only", "--days", "30")
    (token,) = made.lines
    assert token.startswith("dft_") and len(token) == 47
    assert "It is shown only once." in made.err
    assert tokens.caller_of_token(ward.conn, token, datetime.now(UTC)).role == "token_nurse"
    listed = daftari("token", "list")
    assert "round" in listed.out and "never" not in listed.out and token not in listed.out
    assert all(len(line) <= 80 for line in listed.lines)
    (known,) = daftari("token", "list", "--output", "json").json
    assert (known["name"], known["state"], known["writes"]) == ("round", "valid", False)
    assert token not in json.dumps(known)


@pytest.mark.usefixtures("ward")
def test_a_revoked_token_is_of_no_more_use_and_its_name_is_not_used_again(daftari):
    daftari("token", "create", "round", "--role", "token_nurse")
    assert daftari("token", "revoke", "round", "--dry-run").lines == ["Would revoke round."]
    assert daftari("token", "list", "--output", "json").json[0]["state"] == "valid"
    assert daftari("token", "revoke", "round").exit_code == 0
    assert daftari("token", "list", "--output", "json").json[0]["state"] == "revoked"
    again = daftari("token", "revoke", "round")
    assert (again.exit_code, again.err.splitlines()[0]) == (
        65,
        "error: round: no valid token of that name; there is none",
    )
    assert daftari("token", "create", "round", "--role", "token_nurse").exit_code == 65


@pytest.mark.usefixtures("ward")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--role", "token_nurs"], "no role 'token_nurs'; known: token_nurse"),
        (["--role", "token_nurse", "--dataset", "visit"], "--dataset: no dataset 'visit'"),
        (["--role", "token_nurse", "--days", "400"], "--days 400: expected 1 to 366"),
    ],
)
def test_a_token_for_nobody_is_refused_with_who_there_is(daftari, words, said):
    refused = daftari("token", "create", "round", *words)
    assert refused.exit_code != 0
    assert said in refused.err
    assert daftari("token", "list").lines == ["No tokens. `daftari token create` makes one."]


def test_a_database_that_is_not_what_the_contracts_say_is_not_served(daftari, clinic):
    clinic.conn.execute("update daftari.contract_marker set hash = 'x' where dataset = 'visits'")
    refused = daftari("serve", "--port", str(free_port()))
    assert refused.exit_code == 32
    assert refused.err.startswith("error: visits: the database has contract x")


def test_who_is_signed_in_is_listed_and_can_be_signed_out(daftari, ward):
    assert daftari("token", "sessions").lines == ["Nobody is signed in to the control room."]
    assert daftari("token", "sessions", "--output", "json").json == []
    (token,) = daftari("token", "create", "round", "--role", "token_nurse").lines
    at = datetime.now(UTC)
    person = Caller(name="oidc U2", role="token_nurse", user_id="U2")
    kept = [web_sessions.insert_session_for(ward.conn, person, at, timedelta(hours=4)) for _ in range(2)]
    web_sessions.insert_session(ward.conn, token, at)
    listed = daftari("token", "sessions")
    assert "oidc U2" in listed.out and "token:round" in listed.out
    assert all(len(line) <= 80 for line in listed.lines)
    found = daftari("token", "sessions", "--output", "json").json
    assert [(it["who"], it["role"]) for it in found] == [
        ("oidc U2", "token_nurse"),
        ("oidc U2", "token_nurse"),
        ("token:round", "token_nurse"),
    ]

    unknown = daftari("token", "sign-out", "U2")
    assert (unknown.exit_code, unknown.err.splitlines()[0]) == (
        65,
        "error: U2: is not signed in; there is oidc U2, token:round",
    )
    assert daftari("token", "sign-out", "oidc U2", "--dry-run").lines == ["Would end 2 sessions of oidc U2."]
    assert web_sessions.session_caller(ward.conn, kept[0], at).name == "oidc U2"
    assert daftari("token", "sign-out", "oidc U2").lines == ["Ended 2 sessions of oidc U2."]
    for session in kept:
        with pytest.raises(NotAuthenticated):
            web_sessions.session_caller(ward.conn, session, at)
    assert [it["who"] for it in daftari("token", "sessions", "--output", "json").json] == ["token:round"]
