r"""
What memory the server takes for a file that is sent to the API, above what it takes when nobody asks anything.

    .venv/bin/python benchmarks/upload.py --mib 1024

The file is of expenses with long descriptions, written as it is sent: it lies nowhere before the server has it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from api import DAFTARI, free_port, prepare
from cluster import Cluster, find_binaries
from load import RESULTS, machine, say

AIMED_MIB = 400
_HEADER = "expense_id,spent_on,department_code,category,supplier,description,amount,currency,status\n"


def pieces(size: int) -> Iterator[bytes]:
    """CSV of about *size* bytes; nine of ten bytes are descriptions."""
    text = ("Fare and per diem of a field visit with the partners of the programme by bus and on foot. " * 5)[
        :450
    ]
    yield _HEADER.encode()
    sent, number = len(_HEADER), 0
    while sent < size:
        rows = [
            f"U{number + at:09d},2026-03-01,FIN,travel,Safari Rides,{text}{at},12.50,KES,submitted\n"
            for at in range(2000)
        ]
        number += 2000
        piece = "".join(rows).encode()
        sent += len(piece)
        yield piece


def kib(pid: int, name: str) -> int:
    """A figure of a process by the kernel: VmRSS is what it takes now, VmHWM the most that it ever took."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


def ask(
    port: int, method: str, path: str, token: str, body: Iterator[bytes] | None = None
) -> dict[str, object]:
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=3600)
    conn.request(method, path, body, {"Authorization": f"Bearer {token}"}, encode_chunked=body is not None)
    answer = conn.getresponse()
    told = json.loads(answer.read())
    if answer.status != 200:
        raise SystemExit(f"upload: {answer.status}: {told}")
    return dict(told)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rows", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=1, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with Cluster(find_binaries()) as cluster:
        place = prepare(cluster)
        port = free_port()
        os.environ |= {"DAFTARI_DATABASE_URL": place.url, "DAFTARI_LOG_LEVEL": "warning"}
        pid = os.posix_spawn(
            DAFTARI, [DAFTARI, "serve", "-w", place.workspace, "--port", str(port)], os.environ
        )
        try:
            for _ in range(300):
                try:
                    ask(port, "GET", "/api/expenses?limit=1", place.token)
                    break
                except OSError:
                    time.sleep(0.1)
            ask(port, "POST", "/api/expenses/files?name=small.csv", place.token, pieces(1))
            idle = kib(pid, "VmRSS")
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the most is counted from here on
            began = time.perf_counter()
            told = ask(
                port, "POST", "/api/expenses/files?name=large.csv", place.token, pieces(asked.mib * 2**20)
            )
            seconds = time.perf_counter() - began
            most = kib(pid, "VmHWM")
        finally:
            os.kill(pid, 15)
            os.waitpid(pid, 0)
    above = (most - idle) / 1024
    say(f"{asked.mib:,} MiB sent and loaded in {seconds:.0f} s: {told['counts']} {told['reasons'] or ''}")
    say(
        f"idle {idle / 1024:.0f} MiB, at the most {most / 1024:.0f} MiB: {above:.0f} MiB above (aim under {AIMED_MIB})"
    )
    result = {
        "machine": machine(asked),
        "mib": asked.mib,
        "idle_kib": idle,
        "most_kib": most,
        "seconds": seconds,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "upload.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
