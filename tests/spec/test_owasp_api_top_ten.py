"""
The OWASP API Security Top 10 of 2023, risk by risk, asked of the application as an attacker would.

The clinic: a nurse sees and writes the visits of ward A alone, a porter sees no patient's name, a kiosk only adds, a
clerk reads and adds, a matron does everything.
"""

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from tests.clinic import VISITS
from tests.served_clinic import opened, visit

from daftari.api.app import application
from daftari.io.access import tokens
from daftari.io.access.tokens import TokenGrant
from daftari.operations.access.issue_token import issue_token
from daftari.settings import read_settings
from daftari.web import routes

NAME = "Wanjiku"
#: With room in a text for whatever somebody tries.
ROOMY = [it | {"logicalTypeOptions": {"maxLength": 60}} if it["name"] == "patient" else it for it in VISITS]


class Attacker:
    """Somebody with a token, and what the application answers them."""

    def __init__(self, house, client):
        self.house = house
        self.client = client
        self._tokens = {}

    def token(self, role, **grant):
        datasets = [it.dataset for it in self.house.clinic.workspace.contracts]
        said = TokenGrant(name=f"{role} {len(self._tokens)} {grant}", role=role, **grant)
        return issue_token(self.house.conn, datasets, said, now=datetime.now(UTC), days=1)

    def ask(self, method, path, role="nurse", *, token=None, **said):
        if token is None:
            token = self._tokens.setdefault(role, None) or self.token(role)
            self._tokens[role] = token
        headers = {"Authorization": f"Bearer {token}", "X-Purpose": "a test", **said.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **said)

    def fees(self):
        return self.house.fees()


@pytest.fixture
def attacker(filled, tmp_path, monkeypatch):
    with opened(filled, tmp_path, visits=ROOMY) as house:
        (tmp_path / "daftari.toml").write_text(
            f'[workspace]\nname = "Clinic"\nrole_prefix = "{house.roles.prefix}"\n', "utf-8"
        )
        monkeypatch.setenv("DAFTARI_DATABASE_URL", house.clinic.url)
        first = house.post(visit(1, patient="Achieng"), visit(2, ward="B", patient=NAME))
        assert first == ["inserted", "inserted"]
        with TestClient(
            application(read_settings(tmp_path), extensions=[routes.add_control_room]),
            raise_server_exceptions=False,
        ) as client:
            yield Attacker(house, client)


def as_sent(**said):
    return json.loads(json.dumps(visit(**said) if "number" in said else said, default=float))


# --- API1: broken object level authorisation


@pytest.mark.parametrize("path", ["/api/visits/V2", "/api/visits/V2/history"])
def test_another_wards_row_is_answered_as_one_that_is_not_there(attacker, path):
    hidden, absent = attacker.ask("GET", path), attacker.ask("GET", path.replace("V2", "V9"))
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.json() | {"detail": ""} == absent.json() | {"detail": ""}


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("visit_id=V2", []),
        ("visit_id.in=V1,V2", ["V1"]),
        ("ward=B", []),
        ("visit_id.gt=V1", []),
        ("sort=-visit_id", ["V1"]),
        ("limit=1000", ["V1"]),
        ("ward.ne=A", []),
    ],
)
def test_no_filter_order_or_page_brings_another_wards_row(attacker, query, keys):
    answer = attacker.ask("GET", f"/api/visits?{query}")
    assert [row["visit_id"] for row in answer.json()["rows"]] == keys


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_no_export_brings_another_wards_row(attacker, form):
    text = attacker.ask("GET", f"/api/visits?format={form}").text
    assert ("V1" in text, "V2" in text) == (True, False)


def test_a_cursor_of_somebody_who_sees_more_leads_to_no_more(attacker):
    page = attacker.ask("GET", "/api/visits?limit=1", "matron").json()
    rest = attacker.ask("GET", f"/api/visits?limit=5&after={page['next']}").json()
    assert rest["rows"] == []


@pytest.mark.parametrize(("method", "status"), [("PUT", 422), ("PATCH", 404)])
def test_another_wards_row_is_not_written_and_not_told_from_one_that_is_not_there(attacker, method, status):
    whole = as_sent(number=2, fee=9, ward="B")
    del whole["visit_id"]
    body = whole if method == "PUT" else {"fee": 9}
    hidden, absent = (attacker.ask(method, f"/api/visits/{it}", json=body) for it in ("V2", "V9"))
    assert (hidden.status_code, absent.status_code) == (status, status)
    assert NAME not in hidden.text
    assert ("V2", 12.5) in [(key, float(fee)) for key, fee in attacker.fees()]


# --- API2: broken authentication


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer dft_",
        "Bearer dft_" + "A" * 43,
        "Basic dXNlcjpwYXNz",
        "Bearer null",
        "dft_" + "A" * 43,
    ],
)
def test_a_caller_without_a_valid_token_is_unknown(attacker, shown):
    answer = attacker.client.get("/api/visits", headers={"Authorization": shown} if shown else {})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_revoked_and_an_expired_token_are_nobodys_in_the_same_words(attacker):
    revoked = attacker.token("matron")
    attacker.house.conn.execute("update daftari.api_token set revoked_at = now()")
    expired = issue_token(
        attacker.house.conn,
        [it.dataset for it in attacker.house.clinic.workspace.contracts],
        TokenGrant(name="old", role="matron"),
        now=datetime.now(UTC) - timedelta(days=3),
        days=1,
    )
    answers = [attacker.ask("GET", "/api/visits", token=it) for it in (revoked, expired, tokens.new_token())]
    assert {it.status_code for it in answers} == {401}
    assert len({it.text for it in answers}) == 1


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "authorization"])
def test_a_token_in_an_address_is_none(attacker, name):
    token = attacker.token("matron")
    assert attacker.client.get(f"/api/visits?{name}={token}").status_code == 401


def test_a_session_of_the_pages_is_no_token_of_the_api(attacker):
    attacker.client.post("/sign-in", data={"token": attacker.token("matron")})
    assert attacker.client.get("/api/visits").status_code == 401


# --- API3: broken object property level authorisation


def test_a_masked_field_is_shown_masked_by_every_way_and_is_asked_for_by_none(attacker):
    for query in ("", "?fields=patient", "?format=csv", "?format=ndjson"):
        answer = attacker.ask("GET", f"/api/visits{query}", "porter")
        assert answer.status_code == 200
        assert NAME not in answer.text and "Achieng" not in answer.text
    for query in (
        f"patient={NAME}",
        "patient.starts=W",
        "sort=patient",
        "sort=-patient",
        f"patient.in={NAME},x",
    ):
        assert attacker.ask("GET", f"/api/visits?{query}", "porter").status_code == 422, query


@pytest.mark.parametrize(
    "more",
    [
        {"_run_id": 1},
        {"created_at": "2020-01-01T00:00:00Z"},
        {"updated_at": "2020-01-01T00:00:00Z"},
        {"role": "matron"},
        {"is_admin": True},
        {"__proto__": {"role": "matron"}},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_is_no_field_of_the_contract_is_not_assigned(attacker, method, more):
    before = attacker.house.conn.execute("select v::text from ops.visits v order by 1").fetchall()
    path, body = ("/api/visits", as_sent(number=7)) if method == "POST" else ("/api/visits/V1", {"fee": 5})
    answer = attacker.ask(method, path, "matron", json={**body, **more})
    assert answer.status_code == 422
    assert attacker.house.conn.execute("select v::text from ops.visits v order by 1").fetchall() == before


def test_a_key_in_the_body_that_is_not_the_addresss_moves_no_row(attacker):
    answer = attacker.ask("PATCH", "/api/visits/V1", "matron", json={"visit_id": "V5", "fee": 5})
    assert answer.status_code == 422
    assert [key for key, _ in attacker.fees()] == ["V1", "V2"]


def test_a_refusal_names_field_and_rule_and_no_value(attacker):
    answer = attacker.ask(
        "POST", "/api/visits", "matron", json=as_sent(number=8, fee=98765.43, patient="Kanaria")
    )
    assert answer.status_code == 422
    assert "98765" not in answer.text
    assert "Kanaria" not in answer.text


# --- API4: unrestricted resource consumption


def test_token_after_token_that_lets_nobody_in_is_slowed_down_and_good_ones_are_not(attacker):
    found = [attacker.ask("GET", "/api/visits", token=f"dft_{number}") for number in range(14)]
    assert [it.status_code for it in found[:10]] == [401] * 10
    assert found[-1].status_code == 429
    assert int(found[-1].headers["retry-after"]) >= 1
    assert attacker.ask("GET", "/api/visits").status_code == 200
    signing = [attacker.client.post("/sign-in", data={"token": "dft_x"}).status_code for _ in range(3)]
    assert set(signing) == {429}


def test_who_asks_more_often_than_is_allowed_is_told_to_wait_and_others_are_not(attacker, monkeypatch):
    monkeypatch.setenv("DAFTARI_RATE_LIMIT_PER_SECOND", "1")
    limited = application(read_settings(attacker.house.clinic.folder), extensions=[routes.add_control_room])
    with TestClient(limited, raise_server_exceptions=False) as client:
        others = Attacker(attacker.house, client)
        others._tokens = {"nurse": attacker.token("nurse"), "matron": attacker.token("matron")}
        found = [others.ask("GET", "/api/visits").status_code for _ in range(6)]
        assert found[:2] == [200, 200]
        assert 429 in found
        assert others.ask("GET", "/api/visits", "matron").status_code == 200


def test_more_records_than_a_request_may_have_are_refused(attacker):
    lines = "\n".join(json.dumps(as_sent(number=at)) for at in range(10, 10_011))
    answer = attacker.ask(
        "POST", "/api/visits", "matron", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    assert answer.status_code == 413
    assert len(attacker.fees()) == 2


def test_a_body_that_is_too_large_is_refused_also_where_nobody_says_how_large_it_is(attacker):
    said = attacker.ask("POST", "/api/visits", "matron", content=b" " * (16 * 2**20 + 1))
    assert said.status_code == 413

    def pieces():
        for _ in range(17):
            yield b" " * 2**20

    unsaid = attacker.ask("POST", "/api/visits", "matron", content=pieces())
    assert unsaid.status_code == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[" * 100_000, 400),
        ('{"a":' * 50_000, 400),
        ('{"fee": 1e999999}', 422),  # JSON, and no fee
        ('{"fee": ' + "9" * 100_000 + "}", 422),
    ],
    ids=["lists", "objects", "exponent", "digits"],
)
def test_a_body_that_is_deep_or_endless_is_refused_quickly(attacker, body, status):
    answer = attacker.ask(
        "POST", "/api/visits", "matron", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    "query",
    [
        "limit=1001",
        "limit=0",
        "limit=-1",
        "limit=99999999999999999999",
        "visit_id.in=" + ",".join(f"V{at}" for at in range(1001)),
        "after=" + "A" * 50_000,
    ],
    ids=["more", "none", "negative", "endless", "values", "cursor"],
)
def test_a_page_is_never_larger_than_it_may_be(attacker, query):
    assert attacker.ask("GET", f"/api/visits?{query}").status_code == 422


def test_an_idempotency_key_is_no_longer_than_it_may_be(attacker):
    answer = attacker.ask(
        "POST", "/api/visits", "matron", json=as_sent(number=3), headers={"Idempotency-Key": "k" * 5000}
    )
    assert answer.status_code == 400


# --- API5: broken function level authorisation


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("porter", "POST", "/api/visits", 403),
        ("porter", "PUT", "/api/visits/V1", 403),
        ("porter", "PATCH", "/api/visits/V1", 403),
        ("clerk", "PATCH", "/api/visits/V1", 403),
        ("kiosk", "GET", "/api/visits", 403),
        ("kiosk", "GET", "/api/visits/V1", 403),
        ("kiosk", "GET", "/api/visits/V1/history", 403),
        ("nurse", "GET", "/api/wards", 403),
        ("nurse", "POST", "/api/wards", 403),
        ("porter", "POST", "/api/visits/files?name=a.csv", 403),
    ],
)
def test_what_a_role_may_not_do_it_may_not_do_by_any_method(attacker, role, method, path, status):
    body = as_sent(number=9)
    if method in ("PUT", "PATCH"):
        body = {"fee": 9}
    before = attacker.fees()
    answer = attacker.ask(method, path, role, **({} if method == "GET" else {"json": body}))
    assert answer.status_code == status, answer.text
    assert attacker.fees() == before


def test_a_token_that_only_reads_writes_nothing_and_one_for_another_dataset_does_neither(attacker):
    reads = attacker.token("matron", writes=False)
    assert attacker.ask("POST", "/api/visits", token=reads, json=as_sent(number=3)).status_code == 403
    elsewhere = attacker.token("matron", datasets=("wards",))
    assert attacker.ask("GET", "/api/visits", token=elsewhere).status_code == 403
    assert attacker.ask("POST", "/api/visits", token=elsewhere, json=as_sent(number=3)).status_code == 403


@pytest.mark.parametrize("method", ["DELETE", "TRACE", "CONNECT", "PROPFIND"])
def test_a_method_that_is_not_offered_does_nothing(attacker, method):
    assert attacker.ask(method, "/api/visits/V1", "matron").status_code == 405
    assert len(attacker.fees()) == 2


@pytest.mark.parametrize(
    "header", ["X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-User"]
)
def test_a_header_changes_neither_the_method_nor_the_caller(attacker, header):
    answer = attacker.ask("GET", "/api/visits/V2", headers={header: "matron" if "User" in header else "PUT"})
    assert answer.status_code == 404


# --- API6: unrestricted access to sensitive business flows


def test_a_key_of_another_callers_request_gives_nothing_of_its_answer(attacker):
    sent = {"json": as_sent(number=3, fee=7), "headers": {"Idempotency-Key": "claim"}}
    first = attacker.ask("POST", "/api/visits", "matron", **sent)
    sent = {"json": as_sent(number=3, fee=7), "headers": {"Idempotency-Key": "claim"}}
    second = attacker.ask("POST", "/api/visits", "nurse", **sent)
    assert first.json()["status"] == "inserted"
    assert "Idempotent-Replayed" not in second.headers
    assert second.json().get("run_id") != first.json()["run_id"]


def test_the_same_claim_is_paid_once_however_often_it_is_sent(attacker):
    for _ in range(5):
        attacker.ask("POST", "/api/visits", "matron", json=as_sent(number=3, fee=7))
    assert [key for key, _ in attacker.fees()] == ["V1", "V2", "V3"]


# --- API7: server side request forgery


@pytest.fixture
def listener():
    """An address of this machine, and how often somebody came to it."""
    met = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        done = threading.Event()

        def wait():
            while not done.is_set():
                try:
                    server.accept()[0].close()
                    met.append(1)
                except TimeoutError:
                    pass

        thread = threading.Thread(target=wait)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", met
        done.set()
        thread.join()


@pytest.mark.parametrize(
    "name",
    ["http://{}/a.csv", "https://{}/a.csv", "s3://{}/a.csv", "//{}/a.csv", "file:///etc/passwd", "../../etc/passwd",
     "/etc/passwd", "..%2f..%2fetc%2fpasswd", "a/../b.csv", "\\\\{}\\a.csv", "a\x00.csv", ""],
)  # fmt: skip
def test_the_name_of_a_file_is_neither_an_address_nor_a_path(attacker, listener, name):
    address, met = listener
    answer = attacker.ask(
        "POST", "/api/visits/files", "matron", params={"name": name.format(address)}, content=b"x"
    )
    assert answer.status_code == 422
    assert met == []


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.csv", "visit_id,seen_on,ward,patient,fee\nV7,2026-03-01,A,http://{0}/x,1\n", 200),
        ("a.json", '[{{"visit_id": "http://{0}/x", "$ref": "http://{0}/y"}}]', 422),
        ("a.csv", "http://{0}/a.csv\n", 422),
    ],
)
def test_an_address_within_a_file_is_text_and_nobody_goes_there(attacker, listener, name, content, status):
    address, met = listener
    answer = attacker.ask(
        "POST", f"/api/visits/files?name={name}", "matron", content=content.format(address).encode()
    )
    assert answer.status_code == status
    assert met == []
    if status == 200:
        found = attacker.ask("GET", "/api/visits/V7", "matron").json()
        assert found["patient"] == f"http://{address}/x"


# --- API8: security misconfiguration


@pytest.mark.parametrize(
    "path",
    ["/api/visits", "/api/nothing", "/api/visits/V9", "/healthz", "/docs", "/sign-in", "/openapi.json"],
)
def test_every_answer_bears_the_headers_that_browsers_heed(attacker, path):
    for answer in (attacker.ask("GET", path), attacker.client.get(path)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "no-store" in answer.headers["cache-control"]
        assert "server" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_another_origin_is_allowed_nothing(attacker, method):
    headers = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    answer = attacker.ask(method, "/api/visits", headers=headers)
    assert [name for name in answer.headers if name.startswith("access-control")] == []


def test_a_fault_tells_its_reference_and_nothing_of_itself(attacker):
    attacker.house.conn.execute("alter table ops.visits rename to gone")
    try:
        answer = attacker.ask("GET", "/api/visits", "matron")
    finally:
        attacker.house.conn.execute("alter table ops.gone rename to visits")
    assert answer.status_code == 503
    for word in ("Traceback", "psycopg", "select", ".py"):
        assert word not in answer.text


@pytest.mark.parametrize(
    "kind", ["text/xml", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
)
def test_a_body_of_another_kind_is_not_guessed_at(attacker, kind):
    answer = attacker.ask(
        "POST", "/api/visits", "matron", content=json.dumps(as_sent(number=3)), headers={"Content-Type": kind}
    )
    assert answer.status_code == 415
    assert len(attacker.fees()) == 2


# --- API9: improper inventory management

#: What is served and not in the document: about the service itself, and the pages of the control room.
BESIDE = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/docs",
    "/openapi.json",
    "/sign-in",
    "/static/docs",
    "/static/room",
}


def test_every_address_of_the_api_is_in_its_document(attacker):
    document = attacker.client.get("/openapi.json").json()["paths"]
    pages = {path for path, *_ in routes.PAGES} | {path for path, _ in routes.RECEIVERS}
    app = attacker.client.app._app
    served = {getattr(route, "path", "") for route in app.routes}
    assert served - pages - BESIDE == set(document)


@pytest.mark.parametrize(
    "path",
    [
        "/redoc",
        "/debug",
        "/admin",
        "/api",
        "/api/v1/visits",
        "/.env",
        "/.git/config",
        "/static/room/../../room.py",
    ],
)
def test_nothing_is_served_that_nobody_meant_to_serve(attacker, path):
    assert attacker.ask("GET", path, "matron").status_code == 404


# --- API10: unsafe consumption of what others send


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", b"PK\x03\x04 not a workbook"),
        ("a.parquet", b"PAR1 nothing PAR1"),
        ("a.csv.gz", b"\x1f\x8b broken"),
        ("a.json", b'{"visit_id": '),
        ("a.csv", b"visit_id,seen_on\nV7,2026-03-01\n\x00\x00"),
        ("a.csv", b""),
        ("a.exe", b"MZ\x90"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_by_name_and_without_a_fault(attacker, name, content):
    answer = attacker.ask("POST", f"/api/visits/files?name={name}", "matron", content=content)
    assert answer.status_code == 422, answer.text
    assert len(attacker.fees()) == 2
    assert "Traceback" not in answer.text


def test_a_cell_that_a_spreadsheet_would_run_stays_text(attacker):
    formula = "=1+cmd|'/C'"
    attacker.ask("POST", "/api/visits", "matron", json=as_sent(number=7, patient=formula))
    found = attacker.ask("GET", "/api/visits/V7", "matron").json()
    assert found["patient"] == formula


# --- injection, which runs through all of them

PAYLOADS = [
    "' or '1'='1",
    "'; drop table ops.visits; --",
    '"; drop table ops.visits; --',
    "1 union select sha256 from daftari.api_token",
    "$$; select pg_sleep(5); $$",
    "\\'; select 1; --",
    "%27%20or%201=1--",
    "{{7*7}}",
    "${7*7}",
    "\u0000",
    "‮",
]


#: What no text of PostgreSQL holds.
NOTHING = "\u0000"
#: A control of the direction of text, which no text keeps: alone it is an empty one.
UNSEEN = "\u202e"


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("value", 200),  # a text like any other, which no row has
        ("key", 404),
        ("dataset", 404),
        ("field", 422),
        ("operator", 422),
        ("sort", 422),
        ("fields", 422),
        ("after", 422),
        ("limit", 422),
    ],
)
def test_no_part_of_an_address_is_taken_for_sql(attacker, place, status, payload):
    before = attacker.house.conn.execute("select v::text from ops.visits v order by 1").fetchall()
    params = {
        "value": {"visit_id": payload},
        "field": {payload: "1"},
        "operator": {f"visit_id.{payload}": "1"},
    }.get(place, {place: payload} if place in ("sort", "fields", "after", "limit") else {})
    sent = quote(payload, safe="")
    path = {"key": f"/api/visits/{sent}", "dataset": f"/api/{sent}"}.get(place, "/api/visits")
    answer = attacker.ask("GET", path, "matron", params=params)
    if payload == NOTHING and place in ("value", "key"):
        status = 422
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json()["rows"] == []
    assert attacker.house.conn.execute("select v::text from ops.visits v order by 1").fetchall() == before


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_value_of_a_record_is_taken_for_sql(attacker, payload):
    answer = attacker.ask("POST", "/api/visits", "matron", json=as_sent(number=3, patient=payload))
    assert answer.status_code == (422 if payload == NOTHING else 201), answer.text
    if payload != NOTHING:
        stored = attacker.ask("GET", "/api/visits/V3", "matron").json()["patient"]
        assert stored == (None if payload == UNSEEN else payload)
    assert [key for key, _ in attacker.fees()] == ["V1", "V2"] + ["V3"] * (payload != NOTHING)
