r"""
The API beside what people write for themselves, in one run and on one database:

- single posts (validated, idempotent, audited, under policies) beside a plain FastAPI + asyncpg endpoint of one insert;
- batches of 1,000 beside FastAPI with a list of pydantic models and one insert from `unnest`;
- a list page under policies at many rows beside the bare query on a connection of its own.

    .venv/bin/python benchmarks/api.py --seconds 10 --rounds 5 --rows 1000000

asyncpg is the rival's, and is installed into the rivals' environment first. Servers and client share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psycopg

from cluster import Cluster, find_binaries
from load import RESULTS, machine, say
from variants import CACHE

CONNECTIONS = 32
BATCH = 1000
AIMS = {"single": 1.5, "batch": 2.0, "page": 2.0}
DAFTARI = Path(sys.executable).with_name("daftari")
_DATABASE = "bench_api"
_RIVALS = ".cache/bench-venv"


@dataclass(frozen=True, kw_only=True)
class Rate:
    requests: float  #: a second
    p50: float  #: milliseconds
    p99: float

    def line(self) -> str:
        return f"{self.requests:,.0f}/s, p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms"


Ask = Callable[[int, int], bytes]  #: the request that a connection makes the how-manieth time


async def load(port: int, ask: Ask, *, seconds: float, connections: int, expected: tuple[int, ...]) -> Rate:
    """Make requests over *connections* for *seconds*; each waits for its answer before the next."""
    taken: list[float] = []
    until = time.perf_counter() + seconds

    async def one(connection: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = 0
        while (began := time.perf_counter()) < until:
            writer.write(ask(connection, number))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(it for it in head.lower().split(b"\r\n") if it.startswith(b"content-length:"))
            body = await reader.readexactly(int(length.split(b":")[1]))
            if int(head[9:12]) not in expected:
                raise SystemExit(f"api: {head[:15]!r}: {body[:400]!r}")
            taken.append(time.perf_counter() - began)
            number += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*map(one, range(connections)))
    return rate(taken, time.perf_counter() - began)


def rate(taken: list[float], seconds: float) -> Rate:
    taken.sort()
    return Rate(
        requests=len(taken) / seconds,
        p50=taken[len(taken) // 2] * 1000,
        p99=taken[int(len(taken) * 0.99)] * 1000,
    )


def post(path: str, body: bytes, token: str = "", key: str = "") -> bytes:
    headers = [
        f"POST {path} HTTP/1.1",
        "Host: bench",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    headers += [f"Authorization: Bearer {token}"] if token else []
    headers += [f"Idempotency-Key: {key}"] if key else []
    return "\r\n".join([*headers, "", ""]).encode() + body


def expense(name: str) -> dict[str, object]:
    return {
        "expense_id": name,
        "spent_on": "2026-03-01",
        "department_code": "FIN",
        "category": "travel",
        "supplier": "Safari Rides",
        "description": "Taxi to a meeting",
        "amount": 12.5,
        "currency": "KES",
        "status": "submitted",
    }


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(argv: list[str], port: int, folder: Path, **env: str) -> Iterator[None]:
    log = CACHE / f"api-{port}.log"
    with log.open("wb") as out:
        server = subprocess.Popen(argv, stdout=out, stderr=out, cwd=folder, env={**os.environ, **env})
        try:
            for _ in range(1200):  # two minutes: the machine may be busy
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if server.poll() is not None:
                    raise SystemExit(log.read_text())
                time.sleep(0.1)
            else:
                raise SystemExit(f"api: nothing answers on port {port}; {log} may say why")
            yield
        finally:
            server.terminate()
            server.wait(20)


@dataclass(frozen=True, kw_only=True)
class Place:
    cluster: Cluster
    url: str
    workspace: Path
    token: str


def prepare(cluster: Cluster) -> Place:
    """A governed workspace with one department, and the rival's table of the same columns."""
    workspace = CACHE / "api-workspace"
    shutil.rmtree(workspace, ignore_errors=True)
    cluster.fresh(_DATABASE)
    url = cluster.url(_DATABASE)
    env = {**os.environ, "DAFTARI_DATABASE_URL": url, "DAFTARI_RATE_LIMIT_PER_SECOND": "0"}

    def daftari(*words: str) -> str:
        argv = [str(DAFTARI), *words, "-w", str(workspace)]
        return subprocess.run(argv, env=env, check=True, capture_output=True, text=True).stdout

    subprocess.run([str(DAFTARI), "init", str(workspace)], env=env, check=True, capture_output=True)
    daftari("apply")
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "insert into ops.departments (department_code, name, city, cost_centre, is_active, _run_id)"
            " values ('FIN', 'Finance', 'Nairobi', '4100', true, 1)"
        )
        conn.execute("insert into daftari.assignment (login, is_service) values (session_user, true)")
        conn.execute(
            "create table public.expenses (expense_id text primary key, spent_on date not null,"
            " department_code text not null references ops.departments, category text not null, supplier text,"
            " description text, amount numeric(14,2) not null, currency text not null, status text not null,"
            " created_at timestamptz not null default now())"
        )
        conn.execute("create index on public.expenses (department_code)")
    token = daftari("token", "create", "bench", "--role", "finance").strip()
    return Place(cluster=cluster, url=url, workspace=workspace, token=token)


def compare(place: Place, *, seconds: float, rounds: int) -> dict[str, dict[str, list[Rate]]]:
    """Both servers run through all rounds; they are asked one after the other, in turns."""
    ours, rival = free_port(), free_port()
    sides: dict[str, dict[str, list[Rate]]] = {
        kind: {"daftari": [], "rival": []} for kind in ("single", "batch")
    }
    env = {
        "DAFTARI_DATABASE_URL": place.url,
        "DAFTARI_RATE_LIMIT_PER_SECOND": "0",
        "DAFTARI_LOG_LEVEL": "warning",
        "BENCH_URL": place.url,
    }
    serve = [str(DAFTARI), "serve", "-w", str(place.workspace), "--port", str(ours)]
    plain = [
        str(CACHE.parent / _RIVALS / "bin/python"),
        "-m",
        "uvicorn",
        "rival_api:app",
        "--port",
        str(rival),
        "--no-access-log",
    ]
    folder = Path(__file__).parent
    with serving(serve, ours, place.workspace, **env), serving(plain, rival, folder, **env):
        for round_ in range(-1, rounds):  # the first warms up
            for kind, connections in (("single", CONNECTIONS), ("batch", 4)):
                for name, port in (("daftari", ours), ("rival", rival)):
                    ask = asking(kind, name, place.token, round_)
                    length = seconds if round_ >= 0 else 2
                    rate_ = asyncio.run(
                        load(port, ask, seconds=length, connections=connections, expected=(200, 201))
                    )
                    if round_ >= 0:
                        sides[kind][name].append(rate_)
                        say(f"  {kind} {name}: {rate_.line()}")
    return sides


def asking(kind: str, name: str, token: str, round_: int) -> Ask:
    path = "/api/expenses" if name == "daftari" else f"/{kind}"
    shown = token if name == "daftari" else ""

    def ask(connection: int, number: int) -> bytes:
        mark = f"{round_}-{connection}-{number}"
        key = f"{kind}-{mark}" if name == "daftari" else ""
        if kind == "single":
            return post(path, json.dumps(expense(f"S{mark}")).encode(), shown, key)
        return post(path, json.dumps([expense(f"B{mark}-{at}") for at in range(BATCH)]).encode(), shown, key)

    return ask


def pages(place: Place, *, rows: int, seconds: float, rounds: int) -> dict[str, list[Rate]]:
    """A page of 50 in the middle of the table: by the API over one connection, and the bare query beside it."""
    with psycopg.connect(place.url, autocommit=True) as conn:
        conn.execute("truncate ops.expenses")
        conn.execute(
            "insert into ops.expenses (expense_id, spent_on, department_code, category, amount, currency, status,"
            " _run_id) select 'P' || lpad(n::text, 9, '0'), date '2024-01-01' + (n %% 900)::int, 'FIN', 'travel',"
            " 10, 'KES', 'submitted', 1 from generate_series(1, %s) n",
            [rows],
        )
        conn.execute("vacuum analyze ops.expenses")
    port = free_port()
    found: dict[str, list[Rate]] = {"daftari": [], "bare": []}
    env = {
        "DAFTARI_DATABASE_URL": place.url,
        "DAFTARI_RATE_LIMIT_PER_SECOND": "0",
        "DAFTARI_LOG_LEVEL": "warning",
    }

    def ask(_connection: int, number: int) -> bytes:
        after = f"P{(number * 7919) % rows:09d}"
        head = f"GET /api/expenses?expense_id.gt={after}&limit=50 HTTP/1.1\r\nHost: bench\r\n"
        return f"{head}Authorization: Bearer {place.token}\r\n\r\n".encode()

    serve = [str(DAFTARI), "serve", "-w", str(place.workspace), "--port", str(port)]
    with serving(serve, port, place.workspace, **env):
        for round_ in range(-1, rounds):
            ours = asyncio.run(load(port, ask, seconds=seconds, connections=1, expected=(200,)))
            bare = bare_pages(place.url, rows, seconds)
            if round_ >= 0:
                found["daftari"].append(ours)
                found["bare"].append(bare)
                say(f"  page daftari: {ours.line()}; bare query: {bare.line()}")
    return found


def bare_pages(url: str, rows: int, seconds: float) -> Rate:
    taken = []
    began = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as conn:
        number = 0
        while (start := time.perf_counter()) < began + seconds:
            conn.execute(
                "select row_to_json(e)::text from ops.expenses e where e.expense_id > %s order by e.expense_id"
                " limit 51",
                [f"P{(number * 7919) % rows:09d}"],
            ).fetchall()
            taken.append(time.perf_counter() - start)
            number += 1
    return rate(taken, time.perf_counter() - began)


def install_rival() -> None:
    """Make the rivals' environment, unless it is there: minutes, and a gigabyte."""
    made = subprocess.run(["make", "--silent", f"{_RIVALS}/.ready"], cwd=CACHE.parent)
    if made.returncode:
        raise SystemExit(f"api: the rival was not installed; expected `make {_RIVALS}/.ready` to succeed")


def ratio(ours: list[Rate], rival: list[Rate]) -> float:
    return median(a.requests / b.requests for a, b in zip(ours, rival, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    install_rival()
    with Cluster(find_binaries()) as cluster:
        place = prepare(cluster)
        posts = compare(place, seconds=asked.seconds, rounds=asked.rounds)
        shown = pages(place, rows=asked.rows, seconds=asked.seconds, rounds=asked.rounds)
    for kind, sides in posts.items():
        say(
            f"{kind}: {ratio(sides['daftari'], sides['rival']):.2f} times the rival's rate (aim {AIMS[kind]})"
        )
    of_pages = median(a.p99 / b.p99 for a, b in zip(shown["daftari"], shown["bare"], strict=True))
    say(f"page: p99 {of_pages:.2f} times the bare query's (aim {AIMS['page']})")
    result = {
        "machine": machine(asked),
        "posts": {k: {n: [asdict(r) for r in rs] for n, rs in v.items()} for k, v in posts.items()},
        "pages": {n: [asdict(r) for r in rs] for n, rs in shown.items()},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "api.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
