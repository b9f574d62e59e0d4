"""The page about OWASP ASVS has every requirement of levels 1 and 2 once, and the tests that it names are there."""

import ast
import importlib.util
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("generate_asvs", ROOT / "docs/generate_asvs.py")
generate_asvs = importlib.util.module_from_spec(_spec)
sys.modules["generate_asvs"] = generate_asvs  # where a dataclass looks for its module
_spec.loader.exec_module(generate_asvs)

FOUND = generate_asvs.requirements()
#: Requirements of levels 1 and 2 in each chapter, V1 to V17, counted in the standard's own CSV of version 5.0.0.
PUBLISHED = (27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7)


def test_every_requirement_of_levels_1_and_2_is_there_once():
    counted = Counter(one.chapter for one in FOUND)
    assert tuple(counted[number] for number in range(1, 18)) == PUBLISHED
    assert len({one.id for one in FOUND}) == len(FOUND) == 253
    assert Counter(one.level for one in FOUND) == {1: 70, 2: 183}


def test_each_has_one_verdict_and_what_it_rests_on():
    for one in FOUND:
        assert one.verdict in generate_asvs.VERDICTS, one.id
        assert one.asked and one.why, one.id


def test_every_test_that_is_named_is_there():
    named = {test for one in FOUND for test in one.tests}
    assert len(named) > 60
    assert not [test for test in named if not is_there(test)]


def is_there(test):
    path, _, name = test.partition("::")
    file = ROOT / "tests" / path
    return file.is_file() and any(
        isinstance(node, ast.FunctionDef) and node.name == name for node in ast.parse(file.read_text()).body
    )


def test_the_page_is_what_is_written_of_it():
    assert (ROOT / "docs/asvs.md").read_text("utf-8") == generate_asvs.page(), "run `make docs`"
