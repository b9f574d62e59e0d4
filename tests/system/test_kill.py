"""
Killed at any moment, a load has done nothing or all of it, and may simply be run again.

The loader is the real command in a process of its own; it, the process that judges for it, or its session on the
server is killed at moments spread over the measured duration of a load. DAFTARI_KILL_SEED repeats the moments of a
run that failed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import pytest
from tests.clinic import COUNTS, NOW

from daftari.operations.load.load_path import LoadRequest, load_path

SOURCES = Path(__file__).parents[2] / "src"
SEED = int(os.environ.get("DAFTARI_KILL_SEED") or random.SystemRandom().randrange(10**6))
MOMENTS = 21
ROWS = 30_000
FILLER = "x" * 620  # of a column that no field takes: the file has several blocks, and counts as a large one
EVERYTHING = """
    select
        (select md5(string_agg(v::text, ';' order by visit_id)) from
            (select visit_id, seen_on, ward, patient, fee, notes from ops.visits) v),
        (select count(*) from ops.visits),
        (select md5(string_agg(q::text, ';' order by line)) from
            (select line, reasons, preview, key from daftari.quarantine) q),
        (select string_agg(name || sha256, ';') from daftari.source_file),
        (select string_agg(indexdef, ';' order by indexname) from pg_indexes where schemaname = 'ops')
"""


def row(at):
    """One row of the large file: one in a hundred is refused, one in two hundred comes twice."""
    number = at - 1 if at % 200 == 199 else at
    ward = "X" if number % 100 == 7 else "ABC"[number % 3]
    return f"V{number},2026-03-{number % 28 + 1:02},{ward},Wanjiku,{number % 1000}.50,a note,{FILLER}"


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.csv"
    lines = ["visit_id,seen_on,ward,patient,fee,notes,remark", *map(row, range(ROWS))]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def before(clinic, how):
    """What a load finds: an empty table, or one that has a part of the rows, some of other content."""
    if how == "merge":
        rows = [
            row(at).rsplit(",", 1)[0].replace(".50", ".75" if at % 2 else ".50") for at in range(0, ROWS, 10)
        ]
        clinic.load(*rows, name="earlier.csv")
    return clinic.conn.execute(EVERYTHING, prepare=False).fetchone()


def loader(clinic, path):
    environment = {**os.environ, "DAFTARI_DATABASE_URL": clinic.url, "PYTHONPATH": str(SOURCES)}
    environment.pop("DAFTARI_ENV", None)
    command = [sys.executable, "-m", "daftari", "load", "visits", str(path), "-w", str(clinic.folder)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_until(condition, *, seconds=30):
    end = monotonic() + seconds
    while not (found := condition()):
        assert monotonic() < end, "it did not happen in time"
        sleep(0.002)
    return found


def sessions(clinic):
    """The loader's sessions on the server."""
    return clinic.conn.execute("""
        select pid from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
    """).fetchall()


def begun(clinic, earlier):
    return clinic.conn.execute("select run_id from daftari.run where run_id > %s", [earlier]).fetchone()


def last_run(clinic):
    return clinic.conn.execute("select coalesce(max(run_id), 0) from daftari.run").fetchone()[0]


def conserves(clinic):
    """Whether each run accounts for its rows by what is really there."""
    return clinic.conn.execute("""
        select bool_and(
            r.received = r.inserted + r.updated + r.unchanged + r.duplicate + r.quarantined
            and r.quarantined = (select count(*) from daftari.quarantine q where q.run_id = r.run_id)
            and (r.status = 'succeeded' or r.received = 0)
            and (r.status = 'succeeded' or not exists (select from ops.visits v where v._run_id = r.run_id))
        ) from daftari.run r
    """).fetchone()[0]


@dataclass(frozen=True)
class Whole:
    """A load that nobody disturbs: how long its session works, and what it leaves."""

    seconds: float
    state: tuple
    counts: tuple


@pytest.fixture(scope="module")
def whole(new_clinic, large_file):
    """Undisturbed loads, by what they find."""
    found = {}
    for how in ("insert", "merge"):
        with new_clinic() as clinic:
            before(clinic, how)
            process = loader(clinic, large_file)
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said
            run = f"select extract(epoch from finished_at - started_at)::float, {', '.join(COUNTS)} from daftari.run"
            seconds, *counts = clinic.conn.execute(f"{run} order by run_id desc limit 1").fetchone()
            state = clinic.conn.execute(EVERYTHING, prepare=False).fetchone()
            found[how] = Whole(seconds=seconds, state=state, counts=tuple(counts))
    return found


def moment(at):
    """The share of a load's duration after which kill *at* comes: random, and spread over the whole of it."""
    return (at + random.Random(f"{SEED} {at}").random()) / MOMENTS * 1.1


@pytest.mark.system
@pytest.mark.parametrize("at", range(MOMENTS))
def test_a_load_killed_at_a_random_moment_leaves_nothing_and_run_again_leaves_what_it_should(
    new_clinic, whole, large_file, at
):
    how = ("insert", "merge")[at % 2]
    whom = ("loader", "judge", "session")[at // 2 % 3]
    print(
        f"DAFTARI_KILL_SEED={SEED}: {how}, {whom} killed after {moment(at):.3f} of {whole[how].seconds:.3f} s"
    )
    with new_clinic() as clinic:
        found, earlier = before(clinic, how), last_run(clinic)
        process = loader(clinic, large_file)
        wait_until(lambda: begun(clinic, earlier) or process.poll() is not None)
        sleep(moment(at) * whole[how].seconds)
        said = kill(clinic, process, whom)
        wait_until(lambda: not sessions(clinic))

        state = clinic.conn.execute(EVERYTHING, prepare=False).fetchone()
        status = clinic.conn.execute(
            "select status from daftari.run where run_id = %s", [earlier + 1]
        ).fetchone()[0]
        assert state == (whole[how].state if status == "succeeded" else found)
        assert conserves(clinic)
        assert status in (("refused", "succeeded") if whom == "judge" else ("running", "succeeded"))
        assert "fault in daftari" not in said

        again = load_path(
            clinic.conn, clinic.workspace, LoadRequest(dataset="visits", path=large_file), now=NOW
        )

        assert clinic.conn.execute(EVERYTHING, prepare=False).fetchone() == whole[how].state
        assert conserves(clinic)
        if status == "succeeded":
            assert again.known
        else:
            assert tuple(vars(again.counts).values()) == whole[how].counts
            ended = clinic.conn.execute(
                "select status, error_code from daftari.run where run_id = %s", [earlier + 1]
            )
            assert ended.fetchone() == (
                ("refused", "judge_lost") if whom == "judge" else ("abandoned", "session_lost")
            )


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def kill(clinic, process, whom):
    """Kill the loader, its judge, or its session on the server; return what the loader then said."""
    judges = children(process.pid) if process.poll() is None else []
    match whom:
        case "loader":
            process.send_signal(signal.SIGKILL)
        case "judge":
            for pid in judges:
                os.kill(pid, signal.SIGKILL)
        case "session":
            for (pid,) in sessions(clinic):
                clinic.conn.execute("select pg_terminate_backend(%s)", [pid])
    _, said = process.communicate(timeout=30)
    wait_until(lambda: all(map(is_gone, judges)))
    if whom == "judge" and process.returncode != 0:
        assert process.returncode == 24, said
    if whom == "session" and process.returncode != 0:
        assert process.returncode == 30, said
        assert said.startswith("error: database: the connection was lost: "), said
    return said
