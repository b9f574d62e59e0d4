"""What a run says at its end, and how it ends, when tests were skipped; shown on small runs of pytest's own."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SKIPPED_WHOLE = """
import pytest

pytest.skip("no real files in /data: set DAFTARI_REAL_DATA", allow_module_level=True)
"""
SKIPPED_ONE_BY_ONE = """
import pytest

needs_files = pytest.mark.skipif(True, reason="no real files in /data: set DAFTARI_REAL_DATA")


@needs_files
def test_one():
    pass


@needs_files
@pytest.mark.parametrize("number", range(11))
def test_each(number):
    pass


@pytest.fixture
def folder():
    pytest.skip("only root can make a folder of another user, and this run is one of an ordinary user; run it as root")


def test_of_a_fixture(folder):
    pass


def test_that_passes():
    pass
"""
PASSED = "def test_that_passes():\n    pass\n"
FAILED = "def test_that_fails():\n    assert False\n"


@dataclass(frozen=True)
class Ended:
    exit_code: int
    lines: list[str]

    @property
    def closing(self):
        """The lines between the dots, or the failures, and pytest's last line."""
        at = self.lines.index("skipped:") if "skipped:" in self.lines else len(self.lines) - 1
        return self.lines[at:-1]


@pytest.fixture
def ended(tmp_path):
    """Run pytest in a folder with the modules that are given; return how it ended."""

    def run(*modules, workers=0):
        for number, text in enumerate(modules):
            (tmp_path / f"test_{number}.py").write_text(text)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        path = os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "src")))
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "tests.closing_lines",
                "-p",
                "xdist",
                "-n",
                str(workers),
            ],
            cwd=tmp_path,
            env={**ours, "PYTHONPATH": path, "COLUMNS": "80", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout.splitlines())

    return run


@pytest.mark.parametrize("workers", [0, 2])
def test_a_module_that_is_skipped_whole_is_counted_and_the_run_ends_well(ended, workers):
    run = ended(SKIPPED_WHOLE, PASSED, workers=workers)
    assert run.closing == ["skipped:", "  1 module: no real files in /data: set DAFTARI_REAL_DATA"]
    assert re.fullmatch(r"1 passed, 1 skipped in .*s", run.lines[-1])
    assert run.exit_code == 0


def test_skips_are_counted_by_reason_the_most_frequent_first_within_80_columns(ended):
    run = ended(SKIPPED_WHOLE, SKIPPED_ONE_BY_ONE)
    assert run.closing == [
        "skipped:",
        "  12 tests and 1 module: no real files in /data: set DAFTARI_REAL_DATA",
        "  1 test: only root can make a folder of another user, and this run is one of an",
        "    ordinary user; run it as root",
    ]
    assert run.exit_code == 0


def test_a_run_without_skips_says_nothing_of_them(ended):
    assert ended(PASSED).closing == []


def test_a_failure_still_fails_the_run(ended):
    run = ended(SKIPPED_WHOLE, FAILED)
    assert run.closing[:2] == ["skipped:", "  1 module: no real files in /data: set DAFTARI_REAL_DATA"]
    assert run.exit_code == 1
