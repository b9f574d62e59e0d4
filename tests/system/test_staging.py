"""A whole run on invented data in the staging environment, by the commands a person would type."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from daftari.demo.files import demo_files, write_files

SEED = 7
#: Enough of each dataset to go through every step, and little enough to take seconds.
FILES = {"expenses": 2, "leave_requests": 1, "salaries": 2, "incidents": 2}


def daftari(root, *arguments):
    """Run a command in the workspace; return its result. The environment names staging, as a server's would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAFTARI_")}
    return subprocess.run(
        [sys.executable, "-m", "daftari", *arguments],
        cwd=root,
        env={**environment, "DAFTARI_ENV": "staging", "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A new workspace with some months of an invented organisation's files in its inbox, and its own server."""
    root = tmp_path_factory.mktemp("staging") / "mto"
    made = daftari(root.parent, "init", str(root))
    assert made.returncode == 0, made.stderr
    for path in write_files(demo_files(SEED), root / "inbox"):
        few = FILES.get(path.parent.name)
        if few is not None and path not in sorted(path.parent.glob("[!m]*"))[:few]:
            path.unlink()
    yield root
    assert daftari(root, "server", "stop").returncode == 0


@pytest.fixture(scope="module")
def ran(workspace):
    applied = daftari(workspace, "apply")
    assert applied.returncode == 0, applied.stderr
    return daftari(workspace, "run", "--output", "json")


@pytest.mark.system
def test_every_step_of_every_pipeline_succeeds_in_staging(ran):
    assert ran.returncode == 0, ran.stderr
    runs = json.loads(ran.stdout)
    assert {run["pipeline"] for run in runs} == {
        "organisation",
        "expense-tracking",
        "leave",
        "payroll",
        "incidents",
    }
    assert all(set(run["steps"].values()) == {"succeeded"} for run in runs)
    assert all(run["counts"]["received"] > 0 for run in runs)


@pytest.mark.system
def test_each_step_is_one_line_of_json_where_nobody_watches_a_terminal(ran):
    steps = [line for line in map(json.loads, ran.stderr.splitlines()) if line["event"] == "step"]
    assert len(steps) == 5 * 4
    assert {"pipeline", "run_id", "step", "outcome", "seconds", "timestamp"} <= set(steps[0])


@pytest.mark.system
@pytest.mark.usefixtures("ran")
def test_a_second_run_finds_nothing_new(workspace):
    again = daftari(workspace, "run", "organisation", "--output", "json")
    assert again.returncode == 0, again.stderr
    (run,) = json.loads(again.stdout)
    assert run["counts"]["received"] == 0
    assert all(loaded["known"] for loaded in run["loaded"])


@pytest.mark.system
@pytest.mark.usefixtures("ran")
def test_the_database_of_staging_is_what_the_contracts_say_and_dev_has_none(workspace):
    assert daftari(workspace, "verify").returncode == 0
    assert daftari(workspace, "verify", "--env", "dev").returncode != 0
