from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daftari.cli import app
from daftari.errors import SettingError
from daftari.io.workspace.files import read_workspace
from daftari.operations.workspace.init_workspace import init_workspace

ROOT = Path(__file__).parents[2]


def test_a_new_workspace_has_seven_contracts_that_can_be_enforced(tmp_path):
    made = tmp_path / "registry"

    result = CliRunner().invoke(app, ["init", str(made), "--name", 'Mto "M" Trust'])

    assert result.exit_code == 0, result.stderr
    workspace = read_workspace(made)
    assert workspace.name == 'Mto "M" Trust'
    assert [contract.dataset.name for contract in workspace.contracts][-1] == "salaries"
    assert len(workspace.contracts) == 7
    assert {".env.example", ".gitignore", "README.md"} < {path.name for path in made.iterdir()}
    assert f"Next: cd {made} && daftari apply" in result.stderr


def test_the_name_is_the_folders_unless_told(tmp_path):
    CliRunner().invoke(app, ["init", str(tmp_path / "registry")])

    document = tomllib.loads((tmp_path / "registry" / "daftari.toml").read_text("utf-8"))
    assert document["workspace"]["name"] == "registry"


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(SettingError) as raised:
        init_workspace(tmp_path, name="registry")

    assert str(raised.value) == f"{tmp_path}: holds 1 files or folders; expected none"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(SettingError, match="found a file; expected an empty or new folder"):
        init_workspace(tmp_path / "notes.txt", name="registry")


def test_a_dry_run_lists_the_files_and_writes_none(tmp_path):
    result = CliRunner().invoke(app, ["init", str(tmp_path / "registry"), "--dry-run"])

    assert f"{tmp_path}/registry/pipelines/payroll/salaries.odcs.yaml" in result.stdout.splitlines()
    assert not (tmp_path / "registry").exists()


def test_an_installed_wheel_makes_the_same_workspace_as_a_checkout(tmp_path):
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed here")
    [built] = wheel.WheelBuilder(str(ROOT)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    zipfile.ZipFile(built).extractall(tmp_path / "installed")
    from_checkout = {str(path) for path in init_workspace(tmp_path / "checkout", name="registry")}

    init = "from daftari.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", init, "init", str(tmp_path / "wheel"), "--name", "registry"],
        env={"PYTHONPATH": str(tmp_path / "installed")},
        check=True,
    )

    made = tmp_path / "wheel"
    assert {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()} == from_checkout
