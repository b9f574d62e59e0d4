"""Workbooks made to cost much, sent to a real server: answered with words, while others are answered as before."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx2 as httpx
import pytest
from tests.hostile_workbooks import CORPUS, MAPPING
from tests.served_clinic import opened
from tests.system.test_api import serving, upload
from tests.system.test_nasty_json import resident

pytestmark = pytest.mark.system
MOST_MIB, MOST_SECONDS, SLOWEST_SECONDS = 200, 60, 1.0


@pytest.fixture
def served(filled, tmp_path, monkeypatch):
    with opened(filled, tmp_path) as house:
        (house.clinic.folder / "pipelines/clinic/ingest/visits.yaml").write_text(MAPPING, "utf-8")
        with serving(house, monkeypatch) as running:
            yield running


@pytest.fixture
def others(served):
    """How long somebody else waits for a page of rows, time after time."""
    seconds, ended = [], threading.Event()

    def ask():
        with served.client() as client:
            while not ended.wait(0.2):
                began = time.perf_counter()
                assert client.get("/api/visits?fields=visit_id&limit=1").status_code == 200
                seconds.append(time.perf_counter() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    yield seconds
    ended.set()
    thread.join()


def through_the_api(served, path):
    answer = upload(served, path.read_bytes(), name=path.name)
    return answer.status_code, answer.text


def through_a_page(served, path):
    with httpx.Client(base_url=served.url, timeout=120) as client:
        client.post("/sign-in", data={"token": served.tokens["matron"]})
        csrf = client.get("/load/visits").text.split('data-csrf="')[1].split('"')[0]
        sent = client.post(
            f"/load/visits/file?name={path.name}",
            content=path.read_bytes(),
            headers={"X-CSRF-Token": csrf},
        )
        if sent.status_code != 200:
            return sent.status_code, sent.text
        shown = client.get(sent.json()["page"])
        return shown.status_code, shown.text


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("way", [through_the_api, through_a_page], ids=lambda it: it.__name__)
def test_no_workbook_takes_the_server_down(served, others, tmp_path, way):
    time.sleep(5)  # how long others wait while nothing else happens
    usual, idle, peaks, slow = max(others), resident(served), {}, {}
    for hostile in CORPUS:
        path = hostile.write(tmp_path)
        began = time.perf_counter()
        status, text = way(served, path)
        slow[hostile.name] = time.perf_counter() - began
        peaks[hostile.name] = resident(served) - idle
        assert status < 500, (hostile.name, status, text[:300])
        if way is through_a_page and "sheets with rows" in (hostile.said or ""):
            assert "sheets of this workbook have rows. Choose the one to load." in text
        elif hostile.said is not None:
            assert hostile.said.replace("'", "&#39;") in text or hostile.said in text, (
                hostile.name,
                text[-2000:],
            )
    assert {name: seconds for name, seconds in slow.items() if seconds > MOST_SECONDS} == {}
    assert {name: mib for name, mib in peaks.items() if mib > MOST_MIB} == {}
    assert sorted(others)[int(len(others) * 0.99)] < max(SLOWEST_SECONDS, 3 * usual)
    assert "Traceback" not in served.log.read_text("utf-8")
