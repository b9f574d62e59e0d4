"""What no tracked file may hold: another machine's paths, a registry's host, more than fits in a head."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_BYTES = 1_000_000
MAX_MODULE_LINES = 500
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8

#: Put together from halves, so that this file does not hold what it looks for.
REGISTRY_HOSTS = tuple(
    "".join(halves)
    for halves in [
        ("py", "pi.org"),
        ("pythonhosted", ".org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("deb.", "debian.org"),
        ("archive.", "ubuntu.com"),
        ("proxy.", "golang.org"),
        ("crates", ".io"),
        ("conda.", "anaconda.org"),
    ]
)
#: Absolute paths that only one person's machine has.
MACHINE_PATHS = re.compile(
    "|".join(["/ro" + r"ot/[\w.]", "/ho" + r"me/\w", "/Us" + r"ers/\w", r"(?<![\w.}])/wo" + r"rk/\w"])
)


def tracked() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files", allow_module_level=True)
    return tuple(
        ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()
    )


FILES = tracked()
MODULES = [path for path in FILES if path.suffix == ".py" and path.is_relative_to(ROOT / "src")]
TEXTS = [(path, text) for path in FILES if (text := path.read_bytes()) and b"\0" not in text]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        place(path, number)
        for path, text in TEXTS
        for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    return len(
        [a for a in (*given.posonlyargs, *given.args, *given.kwonlyargs) if a.arg not in ("self", "cls")]
    )


def test_there_are_files_to_look_at():
    assert len(MODULES) > 5


def test_no_file_names_the_host_of_a_package_registry():
    assert lines_with(re.compile("|".join(map(re.escape, REGISTRY_HOSTS)))) == []


def test_no_file_holds_a_path_of_somebodys_machine():
    assert lines_with(MACHINE_PATHS) == []


def test_no_file_is_larger_than_a_megabyte():
    assert [str(path.relative_to(ROOT)) for path in FILES if path.stat().st_size > MAX_BYTES] == []


def test_no_module_is_longer_than_500_lines():
    assert [
        place(p, n) for p in MODULES if (n := len(p.read_text("utf-8").splitlines())) > MAX_MODULE_LINES
    ] == []


def test_no_function_is_longer_than_60_lines():
    assert [
        place(path, f.lineno)
        for path in MODULES
        for f in functions(path)
        if (f.end_lineno or f.lineno) - f.lineno + 1 > MAX_FUNCTION_LINES
    ] == []


def test_no_function_takes_more_than_8_parameters():
    """A command's options are its parameters: the command line is left out."""
    inner = [path for path in MODULES if not path.is_relative_to(ROOT / "src/daftari/cli")]
    assert [place(p, f.lineno) for p in inner for f in functions(p) if parameters(f) > MAX_PARAMETERS] == []
