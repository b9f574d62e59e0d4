"""The API as its callers meet it: a real server, on a real database, over the wire."""

import io
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx2 as httpx
import jwt
import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.served_api import command, process
from tests.served_clinic import opened, visit

from daftari.io.access.tokens import TokenGrant
from daftari.operations.access.issue_token import issue_token
from daftari.operations.audit.signing_keys import make_signing_key
from daftari.settings import read_settings

from tests.clinic import NOW  # isort: skip

pytestmark = pytest.mark.system
ROLES = ("matron", "nurse", "porter", "kiosk")


class Served:
    def __init__(self, house, url):
        self.house = house
        self.url = url
        datasets = [it.dataset for it in house.clinic.workspace.contracts]
        self.tokens = {
            role: issue_token(
                house.conn, datasets, TokenGrant(name=f"{role} {url[-4:]}", role=role), now=NOW, days=366
            )
            for role in ROLES
        }

    def client(self, role="matron", **headers):
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.tokens[role]}", **headers}, timeout=60
        )

    def post(self, content, role="matron", **headers):
        with self.client(role, **{"Content-Type": "application/json", **headers}) as client:
            return client.post("/api/visits", content=content)

    def get(self, path, role="matron", **headers):
        with self.client(role, **headers) as client:
            return client.get(path)


def as_json(*records):
    return json.dumps(records[0] if len(records) == 1 else records, default=float)


@contextmanager
def serving(house, monkeypatch):
    root = place(house, monkeypatch)
    with process(root) as (url, server):
        served = Served(house, url)
        served.process, served.log = server, root / "serve.log"
        yield served


@contextmanager
def with_workers(house, monkeypatch, workers):
    with command(place(house, monkeypatch), "--workers", workers) as url:
        yield Served(house, url)


def place(house, monkeypatch):
    """The folder of a server of *house*."""
    root = house.clinic.folder
    (root / "daftari.toml").write_text(
        f'[workspace]\nname = "Clinic"\nrole_prefix = "{house.roles.prefix}"\n', "utf-8"
    )
    monkeypatch.setenv("DAFTARI_DATABASE_URL", house.clinic.url)
    monkeypatch.setenv("DAFTARI_LOG_FORMAT", "json")
    return root


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path) as made:
        yield made


@pytest.fixture
def served(house, monkeypatch):
    with serving(house, monkeypatch) as running:
        yield running


def test_a_caller_sends_and_reads_records_and_is_told_what_became_of_each(served):
    first = served.post(as_json(visit(1)))
    assert (first.status_code, first.json()["status"]) == (201, "inserted")
    assert served.post(as_json(visit(1))).json()["status"] == "unchanged"
    batch = served.post(as_json(visit(1, fee=2), visit(2, fee=-1), visit(3, ward="B")))
    assert batch.status_code == 200
    assert batch.json()["counts"] == {"updated": 1, "quarantined": 1, "inserted": 1}
    refused = served.post(as_json(visit(4, fee=5000)))
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert [(it["rule"], it["field"]) for it in refused.json()["errors"]] == [("fee.maximum", "fee")]
    lines = "\n".join(json.dumps(visit(at), default=float) for at in (5, 6)) + "\n{broken\n"
    of_lines = served.post(lines, **{"Content-Type": "application/x-ndjson"}).json()
    assert [it["status"] for it in of_lines["records"]] == ["inserted", "inserted", "quarantined"]

    page = served.get("/api/visits?fields=visit_id,fee&limit=2").json()
    assert page["rows"] == [{"visit_id": "V1", "fee": 2.0}, {"visit_id": "V3", "fee": 12.5}]
    rest = served.get(f"/api/visits?fields=visit_id,fee&after={page['next']}").json()
    assert [row["visit_id"] for row in rest["rows"]] == ["V5", "V6"]
    assert served.get("/api/visits/V1?fields=visit_id", **{"X-Purpose": "a test"}).json()["fee"] == 2.0
    csv = served.get("/api/visits?fields=visit_id", Accept="text/csv")
    assert csv.text.split() == ["visit_id", "V1", "V3", "V5", "V6"]


def test_a_server_signs_a_checkpoint_by_itself(house, monkeypatch):
    settings = read_settings(place(house, monkeypatch))
    make_signing_key(settings)
    with serving(house, monkeypatch):
        deadline = time.monotonic() + 20
        while not (found := list(settings.anchors_dir.rglob("*.json"))) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert len(found) == 1


def put(served, key, record, role="matron"):
    with served.client(role, **{"Content-Type": "application/json"}) as client:
        answer = client.put(f"/api/visits/{key}", content=as_json(record))
    return answer.status_code, answer.json().get("status")


def test_a_whole_record_is_put_under_the_key_of_its_address(served):
    whole = {name: value for name, value in visit(1).items() if name != "visit_id"}
    assert put(served, "V1", whole) == (201, "inserted")
    assert put(served, "V1", visit(1)) == (200, "unchanged")
    assert put(served, "V1", {"seen_on": "2026-03-02", "ward": "A"}) == (200, "updated")
    assert served.house.clinic.rows("visit_id", "patient", "fee") == [("V1", None, None)]
    assert put(served, "V2", visit(1)) == (422, 422)
    assert put(served, "V1", [whole, whole])[0] == 400
    assert put(served, "V1", {"ward": "A"})[0] == 422
    assert put(served, "V1", whole, role="porter")[0] == 403


def patch(served, key, changes, role="matron"):
    with served.client(role, **{"Content-Type": "application/json"}) as client:
        answer = client.patch(f"/api/visits/{key}", content=json.dumps(changes, default=float))
    return answer.status_code, answer.json().get("status")


def test_a_part_of_a_record_is_changed_and_the_rest_stays(served):
    served.post(as_json(visit(1, notes="asthma"), visit(2, ward="B")))
    assert patch(served, "V1", {"fee": 3}) == (200, "updated")
    assert patch(served, "V1", {"fee": 3.0}) == (200, "unchanged")
    assert patch(served, "V1", {"notes": None, "visit_id": "V1"}, role="nurse") == (200, "updated")
    rows = served.house.clinic.rows("visit_id", "patient", "fee", "notes")
    assert [[str(it) for it in row] for row in rows] == [
        ["V1", "Wanjiku", "3.00", "None"],
        ["V2", "Wanjiku", "12.50", "None"],
    ]


@pytest.mark.parametrize(
    ("key", "changes", "role", "status"),
    [
        ("V1", {"fee": -1}, "matron", 422),  # judged with the rest of its row
        ("V1", {"visit_id": "V9"}, "matron", 422),
        ("V1", {"_run_id": 1}, "matron", 422),
        ("V9", {"fee": 1}, "matron", 404),
        ("V2", {"fee": 1}, "nurse", 404),  # hidden, as if it were not there
        ("V1", {"ward": "B"}, "nurse", 422),  # out of what is hers
        ("V1", {"fee": 1}, "porter", 403),
        ("V1", {"fee": 1}, "kiosk", 403),
    ],
)
def test_a_part_that_may_not_be_changed_is_refused_and_the_row_stays(served, key, changes, role, status):
    served.post(as_json(visit(1), visit(2, ward="B")))
    before = served.house.clinic.rows("visit_id", "ward", "fee")
    assert patch(served, key, changes, role)[0] == status
    assert served.house.clinic.rows("visit_id", "ward", "fee") == before


def test_changes_of_one_row_that_come_at_once_are_all_there_in_the_end(served):
    served.post(as_json(visit(1)))
    changes = [{"fee": 7}, {"notes": "asthma"}, {"patient": "Otieno"}, {"seen_on": "2026-05-05"}] * 3
    threads = [threading.Thread(target=patch, args=[served, "V1", one]) for one in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (row,) = served.house.clinic.rows("fee::text", "notes", "patient", "seen_on::text")
    assert row == ("7.00", "asthma", "Otieno", "2026-05-05")


def test_a_change_for_a_row_that_is_another_by_now_changes_nothing(served):
    served.post(as_json(visit(1)))
    reading = {"X-Purpose": "a test"}
    first = served.get("/api/visits/V1", **reading).headers["etag"]
    assert served.get("/api/visits/V1", **reading).headers["etag"] == first

    def send(method, record, version):
        with served.client(**{"Content-Type": "application/json", "If-Match": version}) as client:
            return client.request(method, "/api/visits/V1", content=as_json(record)).status_code

    whole = visit(1, fee=9)
    assert send("PATCH", {"fee": 8}, '"bogus"') == 412
    assert send("PUT", whole, '"bogus"') == 412
    assert served.house.clinic.rows("fee::text") == [("12.50",)]
    assert send("PATCH", {"fee": 8}, f'"x", {first}') == 200
    assert send("PUT", whole, first) == 412
    assert send("PUT", whole, "*") == 200
    assert served.house.clinic.rows("fee::text") == [("9.00",)]
    with served.client(**{"Content-Type": "application/json", "If-Match": "*"}) as client:
        absent = client.put("/api/visits/V7", content=as_json(visit(7)))
    assert (absent.status_code, absent.json()["code"]) == (412, "row_changed")


def test_a_caller_sees_and_writes_what_its_role_may(served):
    served.post(as_json(visit(1), visit(2, ward="B")))
    shown = served.get("/api/visits?fields=visit_id", role="nurse").json()["rows"]
    assert shown == [{"visit_id": "V1"}]
    reading = {"X-Purpose": "a test"}
    hidden, absent = (served.get(f"/api/visits/{key}", role="nurse", **reading) for key in ("V2", "V9"))
    assert (hidden.status_code, hidden.json()) == (404, absent.json())
    taken = served.post(as_json(visit(2, ward="A")), role="nurse")
    foreign = served.post(as_json(visit(8, ward="B")), role="nurse")
    assert taken.json()["errors"] == foreign.json()["errors"]
    assert served.post(as_json(visit(9)), role="porter").status_code == 403
    assert served.get("/api/visits", role="kiosk").status_code == 403


@pytest.mark.parametrize(
    ("content", "headers", "status", "words"),
    [
        ("{", {}, 400, "not valid JSON (line 1, column 2)"),
        ('{"visit_id": NaN}', {}, 400, "not valid JSON"),
        ('{"fee": 1, "fee": 2}', {}, 400, "not valid JSON"),
        ("[" * 100_000, {}, 400, "not valid JSON"),
        ("5", {}, 400, "not a JSON object"),
        ("[]", {}, 422, "holds no record"),
        ("<a/>", {"Content-Type": "application/xml"}, 415, "expected application/json"),
        ('{"visit_id": "V1", "_run_id": 1}', {}, 422, "record: no field '_run_id'"),
        (json.dumps([{}] * 10_001), {}, 413, "expected 10,000 or fewer"),
        ("{}", {"Idempotency-Key": "k" * 201}, 400, "Idempotency-Key: expected 1 to 200"),
        ("{}", {"Authorization": "Bearer dft_x"}, 401, "unknown caller"),
        ("{}", {"Authorization": "Basic dft_x"}, 401, "unknown caller"),
        ("x" * (16 * 2**20 + 1), {}, 413, "larger than the limit of 16 MiB"),
    ],
)
def test_what_cannot_be_read_is_refused_as_a_problem_that_says_what_is_expected(
    served, content, headers, status, words
):
    answer = served.post(content, **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]
    assert served.house.clinic.rows() == []


def test_a_body_that_does_not_say_how_long_it_is_is_held_to_the_limit_too(served):
    def pieces():
        for _ in range(17):
            yield b"x" * 2**20

    assert served.post(pieces()).status_code == 413


def test_every_answer_has_an_id_and_headers_that_keep_it_where_it_belongs(served):
    for answer in (served.get("/api/visits?fields=visit_id"), served.get("/nothing"), served.get("/healthz")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
        assert len(answer.headers["x-request-id"]) == 32
    own = served.get("/healthz", **{"X-Request-Id": "my-own.1"})
    assert own.headers["x-request-id"] == "my-own.1"
    forged = served.get("/healthz", **{"X-Request-Id": "a b"})
    assert len(forged.headers["x-request-id"]) == 32


def test_a_revoked_token_is_nobodys_within_seconds(served):
    assert served.get("/api/visits?fields=visit_id", role="nurse").status_code == 200
    served.house.conn.execute("update daftari.api_token set revoked_at = now() where role = 'nurse'")
    for _ in range(100):
        if served.get("/api/visits?fields=visit_id", role="nurse").status_code == 401:
            return
        time.sleep(0.1)
    pytest.fail("the token still counts")


def test_it_is_not_ready_when_the_database_is_not_what_its_contracts_say(served):
    assert served.get("/readyz").json() == {"status": "ready"}
    served.house.conn.execute("update daftari.contract_marker set hash = 'x' where dataset = 'visits'")
    answer = served.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "drift")
    assert served.post(as_json(visit(1))).status_code == 409


def test_workers_tell_of_the_requests_of_all_of_them(house, monkeypatch):
    with with_workers(house, monkeypatch, "2") as served:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: served.get("/api/visits?fields=visit_id"), range(60)))
        line = 'daftari_http_requests_total{method="GET",route="/api/visits",status="200"} 60.0'
        with ThreadPoolExecutor(16) as pool:  # by one and by the other
            told = list(pool.map(lambda _: line in served.get("/metrics").text, range(30)))
    assert all(told)


def test_metrics_count_requests_by_route_and_never_by_key(served):
    served.get("/api/visits/V123", **{"X-Purpose": "a test"})
    text = served.get("/metrics").text
    assert 'daftari_http_requests_total{method="GET",route="/api/visits/{visit_id}",status="404"} 1.0' in text
    assert "V123" not in text


def test_neither_a_value_nor_a_key_nor_a_token_is_in_the_servers_log(served):
    served.post(as_json(visit(1, notes="asthma"), visit(2, patient="Otieno" * 9)))
    served.get("/api/visits/V1?patient=Wanjiku", **{"X-Purpose": "a test"})
    served.get("/api/visits?patient=Wanjiku&after=zzz")
    for _ in range(50):  # a line is written once its answer is sent
        log = served.log.read_text()
        if log.count('"event": "request"') == 3:
            break
        time.sleep(0.1)
    assert log.count('"event": "request"') == 3
    for secret in ("Wanjiku", "Otieno", "asthma", "V1", *served.tokens.values()):
        assert secret not in log


def test_the_documentation_is_served_by_the_server_alone(served):
    page = served.get("/docs").text
    assert "https://" not in page and "http://" not in page
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/static/docs/{name}" in page
        assert served.get(f"/static/docs/{name}").status_code == 200
    document = served.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]["/api/visits"]) == {"get", "post"}
    assert set(document["paths"]["/api/visits/{visit_id}"]) == {"get", "put", "patch"}


# --- files


def upload(served, content, name="visits.csv", role="matron", query="", **headers):
    with served.client(role, **headers) as client:
        return client.post(f"/api/visits/files?name={name}{query}", content=content)


CSV = "visit_id,seen_on,ward,patient,fee\nV1,2026-03-01,A,Wanjiku,1\nV2,2026-03-01,B,Otieno,-2\nV3,2026-03-02,B,,3\n"


def test_a_file_is_loaded_in_its_senders_role_and_its_rows_accounted_for(served):
    answer = upload(served, CSV, role="nurse").json()
    assert answer["counts"] == {
        "received": 3, "inserted": 1, "updated": 0, "unchanged": 0, "duplicate": 0, "superseded": 0, "quarantined": 2,
    }  # fmt: skip
    assert {(it["rule"], it["field"], it["rows"]) for it in answer["reasons"]} == {
        ("fee.minimum", "fee", 1),
        ("not_taken", "visit_id", 1),
    }
    assert upload(served, CSV, role="nurse").json()["known"] is True
    whole = upload(served, CSV + "\n", role="matron").json()["counts"]
    assert (whole["inserted"], whole["unchanged"], whole["quarantined"]) == (1, 1, 1)


def test_a_file_of_another_format_is_told_by_its_name_and_content(served):
    lines = "\n".join(json.dumps(visit(at), default=float) for at in (1, 2))
    assert upload(served, lines, name="visits.jsonl").json()["counts"]["inserted"] == 2


def test_a_sheet_of_a_workbook_is_named_or_numbered(served):
    book = openpyxl.Workbook()
    book.active.title = "March"
    for sheet, rows in ((book.active, CSV), (book.create_sheet("April"), CSV.replace("V", "W"))):
        for line in rows.split():
            sheet.append([cell or None for cell in line.split(",")])
    content = io.BytesIO()
    book.save(content)

    refused = upload(served, content.getvalue(), name="visits.xlsx").json()
    answers = [
        upload(served, content.getvalue(), name="visits.xlsx", query=f"&sheet={sheet}").json()
        for sheet in ("April", "1", "2")
    ]

    assert "has 2 sheets with rows (March, April)" in refused["detail"]
    assert [(it["known"], it["counts"]["inserted"]) for it in answers] == [(False, 2), (False, 2), (True, 0)]


def test_a_file_that_does_not_add_up_is_refused_with_both_figures(served):
    answer = upload(served, CSV, query="&rows=4&sum.fee=5")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_reconciled")
    for figure in ("4", "3", "fee"):
        assert figure in answer.json()["detail"]
    assert served.house.clinic.rows() == []


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [
        ("../../etc/passwd", "", 422),
        ("http://127.0.0.1:9/x.csv", "", 422),
        ("", "", 422),
        ("a.csv", "&rows=x", 422),
        ("a.csv", "&sum.fee=NaN", 422),
        ("a.csv", "&url=http://127.0.0.1:9/", 422),
        ("a.csv", "&sum.nothing=1", 422),
    ],
)
def test_a_file_is_what_is_sent_and_never_a_path_or_an_address(served, name, query, status):
    answer = upload(served, CSV, name=name, query=query)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert served.house.clinic.rows() == []


@pytest.mark.parametrize("content", [b"", b"\0\1\2" * 500, b"PK\3\4garbage", b"visit_id\nV1\n", b"{]"])
def test_a_file_that_cannot_be_read_is_refused_and_not_kept(served, content):
    answer = upload(served, content, name="visits.xlsx")
    assert answer.status_code == 422
    kept = [path for path in served.house.clinic.folder.glob(".daftari/uploads/**/*") if path.is_file()]
    assert kept == []


def test_who_may_not_insert_sends_no_file(served):
    assert upload(served, CSV, role="porter").status_code == 403


# --- the same again, and at once


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fifty_identical_posts_at_once_give_one_row_and_one_answer(house, monkeypatch, workers):
    answers = []
    with with_workers(house, monkeypatch, workers) as served:

        def send():
            answers.append(served.post(as_json(visit(1)), **{"Idempotency-Key": "one"}))

        threads = [threading.Thread(target=send) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answers.append(served.post(as_json(visit(1)), **{"Idempotency-Key": "one"}))
    told = Counter(it.status_code for it in answers)
    assert set(told) <= {201, 409}
    assert answers[-1].status_code == 201
    assert len({it.text for it in answers if it.status_code == 201}) == 1
    assert len(house.clinic.rows()) == len(house.clinic.runs()) == 1


def test_the_same_key_with_another_body_is_refused(served):
    assert served.post(as_json(visit(1)), **{"Idempotency-Key": "k"}).status_code == 201
    answer = served.post(as_json(visit(2)), **{"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")


def test_requests_about_one_row_that_come_at_once_are_each_told_the_truth_of_their_own(served):
    told = []

    def send(fee):
        told.append(served.post(as_json(visit(1, fee=fee))).json()["status"])

    threads = [threading.Thread(target=send, args=[fee]) for fee in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(told) == {"inserted": 1, "updated": 19}
    changes = served.house.conn.execute("select count(*) from daftari.audit_entry where operation = 'update'")
    assert changes.fetchone() == (19,)


def test_an_answer_is_forgotten_after_a_week(served):
    served.house.conn.execute(
        "with r as (insert into daftari.run (kind, dataset) values ('write', 'visits') returning run_id)"
        " insert into daftari.stored_answer (caller, key, fingerprint, run_id, answer, at)"
        " select 'x', days::text, 'f', run_id, '{}', now() - days * interval '1 day' from r, unnest(array[6, 8]) days"
    )
    served.post(as_json(visit(1)))
    for _ in range(50):
        kept = served.house.conn.execute("select key from daftari.stored_answer").fetchall()
        if kept == [("6",)]:
            return
        time.sleep(0.1)
    pytest.fail(f"kept: {kept}")


def test_posts_that_come_at_once_share_a_run(served):
    with served.client(**{"Content-Type": "application/json"}) as client:
        client.get("/healthz")

        def send(number):
            assert served.post(as_json(visit(number))).status_code == 201

        threads = [threading.Thread(target=send, args=[number]) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(served.house.clinic.rows()) == 40
    assert sum(received for (received,) in served.house.clinic.runs("received")) == 40


@pytest.mark.parametrize("after_ms", [60, 150, 300, 600])
def test_a_server_killed_amidst_a_batch_that_is_sent_again_has_each_record_once(house, monkeypatch, after_ms):
    body = as_json(*(visit(number) for number in range(10_000)))
    with serving(house, monkeypatch) as first:

        def send():
            with suppress(httpx.TransportError):
                first.post(body, **{"Idempotency-Key": "batch"})

        thread = threading.Thread(target=send)
        thread.start()
        time.sleep(after_ms / 1000)
        first.process.kill()
        thread.join()
    with serving(house, monkeypatch) as second:
        second.tokens = {**second.tokens, "matron": first.tokens["matron"]}
        for _ in range(50):  # the server may not know yet that the first one has died
            answer = second.post(body, **{"Idempotency-Key": "batch"})
            if answer.status_code != 409:
                break
            time.sleep(0.1)
        assert answer.status_code == 200
        assert answer.json()["counts"] == {"inserted": 10_000}
    assert len(house.clinic.rows()) == 10_000


def test_a_caller_authenticated_by_an_issuer_reads_as_the_role_of_its_token(house, monkeypatch, tmp_path):
    key = ed25519.Ed25519PrivateKey.generate()
    public = {**json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key())), "kid": "k1", "use": "sig"}
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [public]}))
    monkeypatch.setenv("DAFTARI_OIDC_ISSUER", "https://login.example.org/")
    monkeypatch.setenv("DAFTARI_OIDC_AUDIENCE", "daftari")
    monkeypatch.setenv("DAFTARI_OIDC_JWKS", str(jwks))

    def token(role, **other):
        said = {
            "iss": "https://login.example.org/",
            "aud": "daftari",
            "sub": "Akinyi",
            "exp": time.time() + 60,
        }
        return jwt.encode({**said, "daftari_role": role, **other}, key, "EdDSA", headers={"kid": "k1"})

    with serving(house, monkeypatch) as served:
        served.post(as_json(visit(1), visit(2, ward="B")))
        served.tokens |= {
            "nurse": token("nurse"),
            "matron": token("matron"),
            "other": token("matron", aud="payroll"),
        }
        answer = served.get("/api/visits?fields=visit_id", "nurse")
        assert answer.status_code == 200, answer.text
        assert [it["visit_id"] for it in answer.json()["rows"]] == ["V1"]
        assert len(served.get("/api/visits?fields=visit_id", "matron").json()["rows"]) == 2
        assert served.get("/api/visits", "other").status_code == 401
        served.post(as_json(visit(3)), "nurse")
    row = house.conn.execute(
        "select distinct actor from daftari.audit_entry where actor like 'oidc %'"
    ).fetchone()
    assert row == ("oidc Akinyi",)
