"""Many who write at once: each change has its entry, and the chain no gap and no fork.

DAFTARI_WRITERS_SECONDS says for how long they write; 5 seconds by default.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.conftest import NOW
from tests.small_contracts import TEAMS, contracts

from daftari.operations.audit.checkpoint_audit import checkpoint_audit
from daftari.operations.audit.verify_audit import verify_audit
from daftari.operations.schema.apply_contracts import apply_contracts

pytestmark = pytest.mark.system
WRITERS = 50
SECONDS = float(os.environ.get("DAFTARI_WRITERS_SECONDS", "5"))


@pytest.fixture
def teams(db, tmp_path):
    apply_contracts(db, contracts(TEAMS), migrations_dir=tmp_path, now=NOW)
    db.execute(
        "insert into ops.teams (team, budget, _run_id) select 'T' || n, 0, 1 from generate_series(1, %s) n",
        [WRITERS],
    )
    return db


def write(conn, team, until):
    """Change one team again and again; every third time in a transaction that is rolled back."""
    done = 0
    while time.monotonic() < until:
        undone = done % 3 == 2
        with conn.transaction(force_rollback=undone):
            conn.execute("update ops.teams set budget = budget + 1 where team = %s", [team])
        done += 1
    return done - done // 3


def checkpoints(conn, key, folder, stop):
    """Chain and anchor all the while, as often as it goes."""
    signed = 0
    while not stop.wait(0.2):
        now = NOW + timedelta(seconds=signed)
        signed += checkpoint_audit(conn, key, folder=folder, now=now).anchor is not None
    return signed


def test_the_chain_has_no_gap_and_no_fork(teams, tmp_path):
    key, stop = Ed25519PrivateKey.generate(), threading.Event()
    folder = tmp_path / "anchors"
    with ExitStack() as opened, ThreadPoolExecutor(WRITERS + 2) as pool:
        connections = [
            opened.enter_context(psycopg.connect(teams.info.dsn, autocommit=True)) for _ in range(WRITERS + 2)
        ]
        # two who chain: they must not chain the same entry twice
        signers = [pool.submit(checkpoints, conn, key, folder, stop) for conn in connections[WRITERS:]]
        until = time.monotonic() + SECONDS
        writers = [
            pool.submit(write, conn, f"T{n}", until) for n, conn in enumerate(connections[:WRITERS], start=1)
        ]
        written = sum(writer.result() for writer in writers)
        stop.set()
        signed = sum(signer.result() for signer in signers)
    checkpoint_audit(teams, key, folder=folder, now=NOW)

    verdict = verify_audit(teams, key.public_key(), folder=folder)
    assert (verdict.name, verdict.findings, verdict.waiting) == ("whole", (), 0)
    count, last, budget, entries = teams.execute("""
        select count(*), max(position), (select sum(budget) from ops.teams),
               (select count(*) from daftari.audit_entry where operation = 'update')
        from daftari.audit_link
    """).fetchone()
    assert (count, verdict.anchored) == (last, last)
    assert (entries, budget) == (written, written)
    assert signed >= 2
    print(f"{written} changes in {SECONDS:g} s by {WRITERS} writers, {signed} checkpoints")
