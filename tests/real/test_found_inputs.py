"""
Small inputs that came out wrong once, or that must stay right: each gives what is right.

The inputs are not in the repository. `CASES.csv` beside them says what to run for each; what is right is a function
in `found_inputs/<folder>.py`, named after the case: `totals_1` of totals-1. It looks at what the commands answered
(`ran.last`, `ran.steps`) and at the tables (`ran.query`). The cases of a folder run one after another, in the order of
the list, in a workspace of their own: each has keys of its own, and some follow another.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from importlib import import_module

import pytest
from tests.real.found_inputs.running import Ran, fill
from tests.real_files import real_files

INPUTS = real_files(in_module=True) / "found_inputs"
if not (INPUTS / "CASES.csv").is_file():
    pytest.skip(f"no found inputs in {INPUTS}", allow_module_level=True)
with (INPUTS / "CASES.csv").open(encoding="utf-8", newline="") as listed:
    CASES = list(csv.DictReader(listed))
FOLDERS = sorted({re.match(r"\w+", case["case"])[0] for case in CASES})


def _name(case):
    return re.match(r"\w+-\d+", case["case"])[0]


@pytest.fixture(scope="module")
def opened(filled, tmp_path_factory):
    """Open a folder's workspace when its first case asks for it."""
    files = tmp_path_factory.mktemp("found") / "inputs"
    shutil.copytree(INPUTS, files)
    for path in (files, *files.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)  # they may be read-only where they come from
    subprocess.run([sys.executable, "make_late_evidence.py"], cwd=files / "dates", check=True)
    workspaces, ends = {}, []

    def of(folder):
        if folder not in workspaces:
            root = tmp_path_factory.mktemp("found") / "try"
            copy = filled(fill, root, files=files)
            conn, url = copy.__enter__()
            workspaces[folder] = Ran(conn, url, root, files)
            ends.append((workspaces[folder], copy))
        return workspaces[folder]

    yield of
    for ran, copy in ends:
        ran.close()
        copy.__exit__(None, None, None)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_each_input_gives_what_is_right(case, opened, capsys, monkeypatch):
    name = _name(case)
    folder, number = name.rsplit("-", 1)
    is_right = getattr(import_module(f"tests.real.found_inputs.{folder}"), f"{folder}_{number}")
    ran = opened(folder)

    ran.run(case["command"], capsys, monkeypatch)

    is_right(ran)
