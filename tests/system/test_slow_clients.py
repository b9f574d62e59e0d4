"""Clients that send or read slowly, or lie about who they are, cost others nothing."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from tests.served_api import process
from tests.served_clinic import opened
from tests.system.test_api import Served, place

pytestmark = pytest.mark.system
ROWS = 60_000


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path) as made:
        yield made


@pytest.fixture
def served(house, monkeypatch):
    with process(place(house, monkeypatch)) as (url, _):
        yield Served(house, url)


def connected(served, stack):
    address = urlsplit(served.url)
    found = stack.enter_context(socket.create_connection((address.hostname, address.port)))
    found.settimeout(30)
    return found


def times_of(served, requests=100):
    """The seconds that each of some requests of a caller took, sorted."""
    seconds = []
    with served.client() as client:
        for _ in range(requests):
            began = time.perf_counter()
            assert client.get("/api/visits?limit=1&fields=visit_id").status_code == 200
            seconds.append(time.perf_counter() - began)
    return sorted(seconds)


def test_800_half_sent_requests_hold_up_nobody_and_are_ended(served):
    token = served.tokens["nurse"]  # who asks too often is another caller
    with ExitStack() as stack:
        half = [connected(served, stack) for _ in range(800)]
        for at, one in enumerate(half):
            head = f"POST /api/visits HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
            one.sendall(head.encode() + (b"content-length: 100000\r\n\r\nx" if at % 2 else b""))
        seconds = times_of(served)
        print(f"p99 {seconds[98]:.3f} s")
        assert seconds[98] < 1
        began = time.monotonic()
        ends = {one.recv(2000)[:12] for one in half}
        assert time.monotonic() - began < 30
    assert ends == {b"HTTP/1.1 408"}


def test_nine_slow_readers_of_exports_hold_no_connection_to_the_database(house, served):
    house.conn.execute(
        "insert into ops.visits (visit_id, seen_on, ward, patient, fee, _run_id) "
        "select 'W' || n, '2026-03-01', 'A', 'Wanjiku', 1, 0 from generate_series(1, %s) n",
        [ROWS],
    )
    token = served.tokens["matron"]
    with ExitStack() as stack:
        for _ in range(9):
            reader = connected(served, stack)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            path = "/api/visits?format=csv&fields=visit_id,seen_on,ward,patient"
            ask = f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}"
            reader.sendall(f"{ask}\r\n\r\n".encode())
            assert reader.recv(100).startswith(b"HTTP/1.1 200")
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: served.get("/api/visits?limit=1&fields=visit_id"), range(16)))
        assert {answer.status_code for answer in answers} == {200}
        busy = "select count(*) from pg_stat_activity where application_name like 'daftari serve%%' and state <> 'idle'"
        assert house.conn.execute(busy).fetchone() == (0,)


def test_an_address_that_the_client_writes_escapes_no_limit(served):
    with httpx.Client(base_url=served.url) as client:
        statuses = [
            client.get(
                "/api/visits", headers={"Authorization": "Bearer wrong", "X-Forwarded-For": f"10.0.0.{at}"}
            ).status_code
            for at in range(14)
        ]
    assert statuses == [401] * 10 + [429] * 4


def test_a_host_that_the_client_writes_is_in_no_answer(served):
    with served.client(Host="evil.example") as client:
        for path in (
            "/api/visits/",
            "/",
            "/docs",
            "/openapi.json",
            "/sign-in/",
            "/api/visits?limit=1",
            "/nothing",
        ):
            answer = client.get(path, follow_redirects=False)
            assert "evil.example" not in f"{answer.headers} {answer.text}", path


def test_a_purpose_is_short(served):
    answer = served.get("/api/visits?limit=1", **{"X-Purpose": "x" * 1001})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "purpose: found 1,001 characters; expected 1,000 or fewer"
