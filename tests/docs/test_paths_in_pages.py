"""Every Python and SQL file, and every test, that a page names exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/daftari"
TESTS = ROOT / "tests"
PAGES = sorted(
    [
        ROOT / "DEVELOPERS.md",
        ROOT / "README.md",
        ROOT / "benchmarks/README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
#: A page writes a path from one of these, or the file's name alone.
FOLDERS = (ROOT, SOURCE, TESTS)
FILE_NAMES = {
    path.name
    for folder in (SOURCE, TESTS, ROOT / "benchmarks")
    for path in folder.rglob("*")
    if path.suffix in (".py", ".sql")
}
TEST_NAMES = {
    node.name
    for path in TESTS.rglob("test_*.py")
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
    if isinstance(node, ast.FunctionDef)
}
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"(?<![\w./<>{}*-])[\w.-]+(?:/[\w.-]+)*\.(?:py|sql)(?![\w/])")
#: With … after it, the beginning of a name.
_TEST = re.compile(r"(?<![\w/])(test_\w+)(?![\w.])(…?)")


def missing(text):
    """Return the files and tests that *text* names and that do not exist."""
    codes = _CODE.findall(text)
    files = [path for code in codes for path in _FILE.findall(code) if not is_file(path)]
    tests = [name for code in codes for name, cut in _TEST.findall(code) if not is_test(name, cut)]
    return files, tests


def is_file(path):
    return path in FILE_NAMES if "/" not in path else any((folder / path).is_file() for folder in FOLDERS)


def is_test(name, cut):
    return any(known.startswith(name) for known in TEST_NAMES) if cut else name in TEST_NAMES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_and_test_that_a_page_names_exists(page):
    assert missing(page.read_text("utf-8")) == ([], [])


@pytest.mark.parametrize(
    ("text", "files", "tests"),
    [
        ("`contract/model.py`, `tests/db/test_schema.py`, `benchmarks/load.py`", [], []),
        ("`model.py`, `0006_sealing.sql`", [], []),
        ("`contract/nothing.py`", ["contract/nothing.py"], []),
        ("`python benchmarks/nothing.py --rows 3`", ["benchmarks/nothing.py"], []),
        ("`nothing.py`, `9999_nothing.sql`", ["nothing.py", "9999_nothing.sql"], []),
        ("contract/nothing.py, which is not code", [], []),
        ("`test_managers_never_see_payroll`, `test_managers_never_…`", [], []),
        ("`test_audit.py::test_no_such`, `test_no_such_…`", [], ["test_no_such", "test_no_such_"]),
    ],
)
def test_a_file_or_test_that_does_not_exist_is_found(text, files, tests):
    assert missing(text) == (files, tests)
