"""
The README's tour, run as it stands in a fresh folder, and what it prints.

A block of the language `console` is part of the tour: a line that starts with `$ ` is run, with the lines of
its here-document, and the lines after it are what it prints. There, `…`
stands for whatever differs from run to run; a line of `…` alone for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from daftari.io.embedded import server
from daftari.io.embedded.home import home_of

README = Path(__file__).parents[2] / "README.md"
COMMAND_SECONDS = 300
STEP = re.compile(
    r"^\$ (?P<command>.*<<(?P<end>\w+)\n(?:.*\n)*?(?P=end)\n|.*\n)(?P<printed>(?:(?!\$ ).*\n)*)", re.MULTILINE
)


@dataclass(frozen=True)
class Step:
    line: int  #: in the README
    command: str
    expected: tuple[str, ...]


def steps(text: str) -> list[Step]:
    """The commands of the tour, each with the lines that it is to print."""
    found = []
    for block in re.finditer(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        start = text.count("\n", 0, block.start(1)) + 1
        for part in STEP.finditer(block[1]):
            line = start + block[1].count("\n", 0, part.start())
            found.append(Step(line, part["command"], tuple(part["printed"].rstrip("\n").splitlines())))
    return found


def as_pattern(expected: tuple[str, ...]) -> str:
    """Spaces at the end of a line do not count, nor empty lines at the end."""
    lines = [
        r"(?:.*\n)*?"
        if line.strip() == "…"
        else ".*".join(map(re.escape, line.rstrip().split("…"))) + r"[ ]*\n"
        for line in expected
    ]
    return "".join(lines) + r"\s*"


def run(command: str, folder: Path) -> tuple[str, Path]:
    """Run a command in a shell; return what it printed and the folder it leaves the shell in."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DAFTARI_")}
    done = subprocess.run(
        ["bash", "-c", f"{command}\necho; echo @$PWD"],
        cwd=folder,
        env={**environment, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=COMMAND_SECONDS,
        check=False,
        text=True,
    )
    printed, _, left_in = done.stdout.rpartition("\n@")
    return printed.rstrip() + "\n", Path(left_in.strip())


def stop_servers(folder: Path) -> None:
    """Stop the PostgreSQL of every workspace under *folder*."""
    for workspace in folder.rglob("daftari.toml"):
        server.stop_postgres(home_of(workspace.parent / ".daftari"))


TOUR = steps(README.read_text("utf-8"))


def test_the_tour_has_steps():
    assert len(TOUR) >= 5


@pytest.mark.system
def test_the_tour_prints_what_the_readme_says(tmp_path):
    folder = tmp_path
    try:
        for step in TOUR:
            printed, folder = run(step.command, folder)
            told = f"README.md:{step.line}: {step.command}{printed}"
            assert re.fullmatch(as_pattern(step.expected), printed), told
    finally:
        stop_servers(tmp_path)


EXAMPLE = """\
```console
$ cd there
$ cat > note <<END
one
END
$ wc -l note
1 …
```
"""


def test_a_step_is_a_command_with_its_input_and_what_it_prints():
    assert steps(EXAMPLE) == [
        Step(2, "cd there\n", ()),
        Step(3, "cat > note <<END\none\nEND\n", ()),
        Step(6, "wc -l note\n", ("1 …",)),
    ]


@pytest.mark.parametrize(
    ("expected", "printed", "fits"),
    [
        (("loaded 3 rows in … s",), "loaded 3 rows in 0.12 s\n", True),
        (("loaded 3 rows in … s",), "loaded 4 rows in 0.12 s\n", False),
        (("first", "…", "last"), "first\nsecond\nthird\nlast\n", True),
        (("first", "…", "last"), "first\nlast\n", True),
        (("first", "last"), "first\nsecond\nlast\n", False),
        ((), "\n", True),
        ((), "error: no such file\n", False),
    ],
)
def test_only_what_an_ellipsis_stands_for_may_differ(expected, printed, fits):
    assert (re.fullmatch(as_pattern(expected), printed) is not None) is fits


def test_the_shell_goes_on_in_the_folder_where_a_step_left_it(tmp_path):
    printed, folder = run("mkdir here && cd here && echo hello", tmp_path)
    assert (printed, folder) == ("hello\n", tmp_path / "here")
