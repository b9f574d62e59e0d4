"""People come into the control room by an issuer that vouches for them, and by nothing that looks like it."""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from starlette.testclient import TestClient
from tests import issuer as issuers

from daftari.api.app import application
from daftari.io.access.callers import make_service
from daftari.settings import read_settings
from daftari.web import routes

pytestmark = pytest.mark.system
HERE = "http://127.0.0.1:8000"


@pytest.fixture
def issuer():
    with issuers.issuing() as made:
        yield made


@pytest.fixture
def client(governed, issuer, monkeypatch):
    conn, root = governed
    make_service(conn)
    where = f"host={conn.info.host}&port={conn.info.port}"
    monkeypatch.setenv("DAFTARI_DATABASE_URL", f"postgresql://{conn.info.user}@/{conn.info.dbname}?{where}")
    for name, value in issuers.settings_of(issuer, HERE).items():
        monkeypatch.setenv(name, value)
    with TestClient(
        application(read_settings(root), extensions=[routes.add_control_room]),
        base_url=HERE,
        follow_redirects=False,
        raise_server_exceptions=False,
    ) as made:
        yield made


@pytest.fixture
def conn(governed):
    return governed[0]


def sent_to(client, **params):
    """The address of the issuer's to which a browser is sent."""
    answer = client.get("/sign-in/issuer", params=params)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def sent_back(address):
    """The address of ours to which the issuer sends a browser back."""
    back = requests.get(address, allow_redirects=False, timeout=5).headers["location"]
    assert back.startswith(f"{HERE}/sign-in/issuer/back?")
    return back.removeprefix(HERE)


def sign_in(client, **params):
    return client.get(sent_back(sent_to(client, **params)))


def test_a_person_signed_in_by_the_issuer_reaches_the_requested_page_with_their_role(client, conn):
    door = client.get("/records/expenses?status=paid", follow_redirects=True).text
    assert "Sign in with 127.0.0.1" in door
    assert 'href="/sign-in/issuer?next=%2Frecords%2Fexpenses%3Fstatus%3Dpaid"' in door

    answer = sign_in(client, next="/records/expenses?status=paid")
    assert (answer.status_code, answer.headers["location"]) == (303, "/records/expenses?status=paid")
    own = client.get("/records/expenses").text
    assert "E2" in own and "E1" not in own
    assert client.get("/review").status_code == 403
    session = conn.execute("select actor, role, user_id, token from daftari.web_session").fetchall()
    assert session == [("oidc U2", "employee", "U2", None)]


def test_what_the_browser_keeps_on_the_way_is_gone_when_it_is_back(client):
    address = sent_to(client)
    assert "daftari_away" in client.cookies
    client.get(sent_back(address))
    assert "daftari_away" not in client.cookies


def test_the_cookies_are_for_no_script_and_no_other_site(client):
    said = [client.get("/sign-in/issuer").headers["set-cookie"]]
    said.append(client.get(sent_back(sent_to(client))).headers.get_list("set-cookie")[0])
    for one in said:
        assert {"httponly", "samesite=lax", "path=/"} <= {part.strip() for part in one.lower().split(";")}


def test_nothing_of_the_secrets_stands_in_an_address(client):
    address = sent_to(client)
    secret = client.cookies["daftari_away"].split(".")[0]
    asked = parse_qs(urlsplit(address).query)
    assert set(asked) == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
        "code_challenge_method",
    }  # fmt: skip
    assert secret not in address and issuers.CLIENT_SECRET not in address
    assert asked["redirect_uri"] == [f"{HERE}/sign-in/issuer/back"]


def test_a_session_by_an_issuer_ends_and_sign_in_starts_again(client, conn):
    sign_in(client)
    (lasts,) = conn.execute("select ends_at - began_at from daftari.web_session").fetchone()
    assert lasts == timedelta(minutes=240)
    conn.execute("update daftari.web_session set began_at = %(at)s - interval '1 h', ends_at = %(at)s", {
        "at": datetime.now(UTC) - timedelta(seconds=1)
    })  # fmt: skip
    assert client.get("/").headers["location"] == "/sign-in?next=/"


def test_who_signs_out_is_nobody(client):
    sign_in(client)
    csrf = client.get("/").text.split('name="_csrf" value="')[1].split('"')[0]
    client.post("/sign-out", data={"_csrf": csrf})
    assert client.get("/").status_code == 303


def refused(client, answer):
    assert answer.status_code == 401, answer.text
    assert "did not confirm you" in answer.text
    assert "daftari_session" not in client.cookies
    assert client.get("/").status_code == 303


WRONG_TOKENS = {
    "for another application": {"aud": "payroll"},
    "for the API": {"aud": issuers.AUDIENCE},
    "for another party": {"aud": [issuers.CLIENT_ID, "payroll"], "azp": "payroll"},
    "of another issuer": {"iss": "https://login.example.org"},
    "of another way": {"nonce": "another"},
    "of no way": {"nonce": None},
    "that has expired": {"exp": int(time.time()) - 120},
    "without an end": {"exp": None},
    "of nobody": {"sub": None},
    "for no role": {"daftari_role": None},
    "for a role that no contract names": {"daftari_role": "postgres"},
    "for two roles": {"daftari_role": ["employee", "hr"]},
}


@pytest.mark.parametrize("what", WRONG_TOKENS)
def test_nobody_is_let_in_by_a_token(client, issuer, what):
    issuer.claims |= WRONG_TOKENS[what]
    refused(client, sign_in(client))


def test_nobody_is_let_in_by_a_token_that_another_key_signed(client, issuer):
    issuer.sign_with_another_key()
    refused(client, sign_in(client))


@pytest.mark.parametrize("answered", [{"id_token": None}, {"id_token": 7}, {"error": "server_error"}])
def test_nobody_is_let_in_by_an_answer_without_a_token(client, issuer, answered):
    issuer.answered = answered
    refused(client, sign_in(client))


@pytest.mark.parametrize(
    "back", [{"state": "another"}, {"iss": "https://login.example.org"}, {"code": "another"}]
)
def test_nobody_is_let_in_by_an_answer_that_is_not_to_what_was_asked(client, issuer, back):
    issuer.back = back
    refused(client, sign_in(client))


def test_who_was_turned_away_by_the_issuer_is_told_so_and_not_in_its_words(client):
    state = parse_qs(urlsplit(sent_to(client)).query)["state"][0]
    answer = client.get(
        "/sign-in/issuer/back",
        params={"error": "access_denied", "error_description": "Wanjiku", "state": state},
    )
    refused(client, answer)
    assert "Wanjiku" not in answer.text


def test_a_way_that_began_in_another_browser_ends_in_none(client):
    back = sent_back(sent_to(client))
    client.cookies.clear()
    refused(client, client.get(back))
    sent_to(client)  # a way of one's own, and another's answer to theirs
    refused(client, client.get(back))


def test_an_answer_lets_in_once(client):
    address = sent_to(client)
    kept = client.cookies["daftari_away"]
    back = sent_back(address)
    assert client.get(back).status_code == 303
    client.cookies.clear()
    client.cookies.set("daftari_away", kept, domain="127.0.0.1")
    refused(client, client.get(back))


def test_a_page_of_another_site_signs_nobody_in(client):
    answer = client.get("/sign-in/issuer", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert "daftari_away" not in client.cookies


@pytest.mark.parametrize("elsewhere", ["https://example.org", "//example.org", "/\\example.org"])
def test_the_way_back_leads_to_no_other_site(client, elsewhere):
    assert sign_in(client, next=elsewhere).headers["location"] == "/"


def test_what_says_who_signed_in_does_not_open_the_api(client, issuer):
    sign_in(client)
    (token,) = issuer.tokens
    answer = client.get("/api/expenses", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://login.example.org"},
        {"token_endpoint": "http://login.example.org/token"},
        {"authorization_endpoint": None},
    ],
)
def test_an_issuer_that_is_described_otherwise_is_not_asked(client, issuer, said):
    issuer.said = said
    answer = client.get("/sign-in/issuer")
    assert answer.status_code == 502
    assert "cannot be reached now" in answer.text
    assert "daftari_away" not in client.cookies


def test_an_issuer_that_is_not_there_leaves_the_way_by_a_token(client, issuer):
    issuer.server.shutdown()
    issuer.server.server_close()
    answer = client.get("/sign-in/issuer")
    assert answer.status_code == 502
    assert 'name="token"' in answer.text


def test_who_comes_back_again_and_again_without_being_vouched_for_is_held_off(client):
    found = {client.get("/sign-in/issuer/back?code=a&state=b").status_code for _ in range(15)}
    assert found == {401, 429}
