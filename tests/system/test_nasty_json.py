"""JSON that spoils readers, sent to a real server: no fault, no wait, and no memory that stays."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.nasty_json import record_text
from tests.served_clinic import opened, visit
from tests.system.test_api import serving

pytestmark = pytest.mark.system
EXAMPLES = int(os.environ.get("DAFTARI_JSON_EXAMPLES", "60"))
MOST_MIB, SLOWEST_SECONDS = 100, 1.0
GOOD = {name: json.dumps(value, default=str) for name, value in visit(1).items()}
#: Each is as large as a body may be, or nearly, and would be much larger when built.
HEAVY = [
    '{"visit_id": "V1", "notes": [' + "0," * 8_000_000 + "0]}",
    "[" * 16_000_000,
    "[" + "[]," * 5_000_000 + "[]]",
    "[" + "{}," * 5_000_000 + "{}]",
    '{"a":' * 3_000_000 + "1" + "}" * 100,
    '{"visit_id": "' + "x" * 16_000_000 + '"}',
    '[{"visit_id": "\U0001f600' + "x" * 16_000_000 + '"}]',
    '{"visit_id": "V1", "fee": ' + "9" * 16_000_000 + "}",
    '[{"visit_id": "V1" ' + " " * 16_000_000 + "}]",
    "{" + ",".join(f'"k{n}": 1' for n in range(1_000_000)) + "}",
    "[" + ",".join('{"visit_id": "V1", "a": 1, "b": 2, "c": 3}' for _ in range(300_000)) + "]",
    '{"visit_id": "V1", "fee": 1e999999999}',
]


@pytest.fixture
def served(filled, tmp_path, monkeypatch):
    with opened(filled, tmp_path) as house, serving(house, monkeypatch) as running:
        yield running


def resident(server, name="VmRSS"):
    """Memory of the server in MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_no_body_makes_the_server_fail_wait_or_grow(served):
    seconds, statuses = [], set()
    with served.client() as client:

        def send(path, content, kind):
            began = time.perf_counter()
            answer = client.post(path, content=content, headers={"Content-Type": kind})
            seconds.append(time.perf_counter() - began)
            statuses.add(answer.status_code)
            assert answer.status_code < 500, (path, answer.status_code, content[:200])
            return answer

        # Each way imports what it needs when it is first gone.
        assert send("/api/visits", GOOD_BODY, "application/json").status_code in (200, 201)
        for path, kind in (
            ("/api/visits", "application/x-ndjson"),
            ("/api/visits/files?name=g.jsonl", "application/octet-stream"),
        ):
            assert send(path, GOOD_BODY, kind).status_code == 200
        idle = resident(served)
        for text in HEAVY:
            body = text.encode()[: 16 * 2**20]
            for kind in ("application/json", "application/x-ndjson"):
                send("/api/visits", body, kind)
            if not text.startswith('[{"visit_id": "V1", "a"'):  # those are rows, each with its own verdict
                send("/api/visits/files?name=h.json", body, "application/octet-stream")
        most = resident(served, "VmHWM")

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(texts=st.lists(record_text(GOOD), min_size=1, max_size=3))
        def stands(texts):
            send("/api/visits", texts[0].encode(), "application/json")
            send("/api/visits", f"[{','.join(texts)}]".encode(), "application/json")
            send("/api/visits", "\n".join(texts).encode(), "application/x-ndjson")
            send("/api/visits/files?name=f.jsonl", "\n".join(texts).encode(), "application/octet-stream")

        stands()
        resident_after = resident(served)
        assert client.get("/readyz").json() == {"status": "ready"}
    seconds.sort()
    print(f"p99 {seconds[int(len(seconds) * 0.99)]:.3f} s, idle {idle:.0f} MiB, most {most:.0f} MiB")
    assert {200, 400, 422} <= statuses
    assert "fault" not in served.log.read_text()
    assert resident_after - idle < MOST_MIB
    assert most - idle < MOST_MIB
    assert seconds[int(len(seconds) * 0.99)] < SLOWEST_SECONDS


GOOD_BODY = json.dumps(visit(1), default=str).encode()
