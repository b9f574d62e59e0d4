"""The lock files hold what pyproject.toml asks for, at one version, by hash, and name no place."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUN = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["embedded"]]
BUILD = [*PROJECT["build-system"]["requires"], *PROJECT["dependency-groups"]["build"]]
DEV = PROJECT["dependency-groups"]["dev"]


def normal(requirement: str) -> str:
    """The name of a requirement as the registries compare it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def locked(name: str) -> dict[str, str]:
    """The entries of a lock file, by package and marker."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    return {line.partition(" --hash")[0].strip(): line for line in text.splitlines() if line.strip()}


@pytest.mark.parametrize(
    ("file", "asked"), [("requirements.lock", RUN + BUILD), ("requirements-dev.lock", RUN + BUILD + DEV)]
)
def test_every_package_that_is_asked_for_is_locked(file, asked):
    held = {normal(entry) for entry in locked(file)}
    assert {normal(requirement) for requirement in asked} - held == set(), "run `make lock`"


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_one_version_and_a_hash(file):
    entries = locked(file)
    assert entries
    assert [e for e in entries if not re.match(r"[a-z0-9-]+==[^ ]+( ; .+)?$", e)] == []
    assert [e for e, line in entries.items() if "--hash=sha256:" not in line] == []


def test_what_is_locked_for_tests_is_what_is_locked_to_run_and_more():
    assert set(locked("requirements.lock")) <= set(locked("requirements-dev.lock"))


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_no_lock_file_says_where_to_fetch_from(file):
    assert "://" not in (ROOT / file).read_text("utf-8")
