"""Whole runs through the real commands: synthetic files in staging, and a new pipeline as it is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daftari.cli import app
from daftari.demo.files.expected import truth_of
from daftari.demo.files.write_files import demo_files, write_demo_files

pytestmark = pytest.mark.system

#: A file of each layout, and all that its rows refer to.
FILES = {
    "departments.csv",
    "roles.csv",
    "2024-11_staff.csv",
    "2026-10_staff.csv",
    "2024-11_ledger.csv",
    "2025-04_expenses.xlsx",
    "2025-09_claims.csv",
    "2026-02_expenses.csv",
    "2026-07_expenses.csv.gz",
    "2024-12_leave.csv",
    "2025-03_leave.csv",
    "2025-06_leave.csv",  # what July overlaps
    "2025-07_leave.jsonl",
    "2025-05_payroll.xlsx",
    "2026-04_payroll.csv",
    "2025-Q1_incidents.csv",
    "2026-Q1_incidents.ndjson",
}


def daftari(workspace: Path, *arguments: str) -> str:
    """Run a command in staging, expect it to go well, and return what it printed."""
    result = CliRunner().invoke(app, [*arguments, "-w", str(workspace), "--env", "staging"])
    assert result.exit_code == 0, f"{arguments}: {result.exception!r}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture
def workspace(tmp_path, database_url, monkeypatch) -> Path:
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    assert CliRunner().invoke(app, ["init", str(tmp_path / "registry")]).exit_code == 0
    return tmp_path / "registry"


def test_all_pipelines_run_on_synthetic_files_in_staging(workspace):
    files = [file for file in demo_files(2026) if file.name in FILES]
    write_demo_files(files, workspace / "inbox")
    truth = truth_of(files)

    daftari(workspace, "apply")
    runs = json.loads(daftari(workspace, "run", "--output", "json"))

    assert {run["pipeline"] for run in runs} == {
        "organisation",
        "expense-tracking",
        "leave",
        "payroll",
        "incidents",
    }
    found = {loaded["source"]: loaded["counts"] for run in runs for loaded in run["loaded"]}
    assert {
        name: (it["inserted"], it["duplicate"], it["superseded"], it["quarantined"])
        for name, it in found.items()
    } == {
        name: (it.inserted, it.duplicate, it.superseded, sum(it.quarantined.values()))
        for name, it in truth.by_file.items()
    }
    assert "all match the contracts" in " ".join(daftari(workspace, "verify").split())


def test_a_new_pipeline_is_applied_loaded_transformed_and_checked_as_it_is(workspace):
    made = CliRunner().invoke(
        app, ["new", "pipeline", "fleet-costs", "--dataset", "trips", "-w", str(workspace)]
    )
    assert made.exit_code == 0, made.stderr
    sample = workspace / "pipelines" / "fleet-costs" / "tests" / "trips.sample.csv"

    daftari(workspace, "apply")
    [loaded] = json.loads(daftari(workspace, "load", "trips", str(sample), "--output", "json"))
    transformed = json.loads(daftari(workspace, "transform", "fleet-costs", "--output", "json"))
    [checked] = json.loads(daftari(workspace, "quality", "run", "trips", "--output", "json"))

    assert loaded["counts"]["inserted"] == loaded["counts"]["received"] == 3
    assert [mart["name"] for mart in transformed["published"]] == ["trips_by_month"]
    assert checked["verdict"] == "passed"
