"""An export is proved with nothing but the one file of the verifier, the anchors and the public key."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys

import pytest
from tests.conftest import NOW
from tests.small_contracts import READINGS, TEAMS, contracts

from daftari.io.audit import signing_key
from daftari.operations.audit.checkpoint_audit import checkpoint_audit
from daftari.operations.audit.export_audit import export_audit
from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.protect import verify_chain


def fill(db, root):
    apply_contracts(db, contracts(TEAMS, READINGS), migrations_dir=root / "versions", now=NOW)
    db.execute(
        "insert into ops.readings (reading, read_at, litres, _run_id) "
        "select n, timestamptz '2026-10-01' + n * interval '1 hour', n / 7.0, 1 from generate_series(1, 2500) n"
    )
    db.execute("insert into ops.teams (team, _run_id) values ('Ñandú \"x\" \\ {}', 1)")
    db.execute(
        "update ops.readings set litres = litres / 3; update ops.teams set budget = 1; delete from ops.teams"
    )
    private = root / "key.pem"
    signing_key.generate_signing_key(private)
    checkpoint_audit(db, signing_key.read_signing_key(private), folder=root / "anchors", now=NOW)
    export_audit(db, root / "audit.jsonl")
    shutil.copy(verify_chain.__file__, root / "verify_chain.py")


@pytest.fixture
def audited(filled, tmp_path):
    with filled(fill, tmp_path) as (conn, _):
        yield conn, tmp_path


@pytest.fixture
def proof(audited):
    """A folder with the export of an audit of 2,500 rows, its anchors, the public key, and the verifier alone."""
    return audited[1]


def prove(folder):
    (anchors,) = (folder / "anchors").iterdir()
    return subprocess.run(
        # -I: no path of ours is looked at
        [sys.executable, "-I", "verify_chain.py", "audit.jsonl", str(anchors), "key.pub.pem"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_an_export_is_proved_by_the_verifier_alone(proof):
    done = prove(proof)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("whole: ")
    source = (proof / "verify_chain.py").read_text("utf-8")
    assert "import daftari" not in source and "from daftari" not in source


def test_an_export_that_was_edited_is_not(proof):
    path = proof / "audit.jsonl"
    lines = path.read_text("utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if json.loads(line)["record"] == "row")
    record = json.loads(lines[at])
    lines[at] = json.dumps({**record, "new": record["new"].replace("litres", "LITRES")})
    path.write_text("\n".join(lines) + "\n", "utf-8")
    done = prove(proof)
    assert done.returncode == 1
    assert re.search(r"edited +entry \d+ \(update of ops\.readings by daftari\): its rows", done.stdout)


def test_an_export_is_for_its_owner_alone_and_replaces_the_last_one(audited):
    db, proof = audited
    again = export_audit(db, proof / "audit.jsonl")
    assert stat.S_IMODE(again.path.stat().st_mode) == 0o600
    assert again.entries == len([it for it in again.path.open() if json.loads(it)["record"] == "entry"])
