"""The house can be read from its folder and module names: few modules a room, one meaning a name."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2] / "src/daftari"
MOST_MODULES = 12
#: Floors that are one room each: a module of theirs is a noun of the terminal or a page.
ONE_ROOM_FLOORS = {"cli", "web"}
#: The same idea wherever it is: what starts a program.
SAME_IDEA = {"main"}


def folders():
    return sorted(
        {path.parent for path in HOUSE.rglob("*.py")}, key=lambda folder: folder.relative_to(HOUSE).parts
    )


def modules(folder):
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("__"))


def name_of(folder):
    return str(folder.relative_to(HOUSE)) or "daftari"


@pytest.mark.parametrize("folder", folders(), ids=name_of)
def test_a_room_has_at_most_a_dozen_modules(folder):
    if name_of(folder) not in ONE_ROOM_FLOORS:
        assert len(modules(folder)) <= MOST_MODULES, modules(folder)


@pytest.mark.parametrize("folder", folders(), ids=name_of)
def test_a_room_says_in_its_first_line_what_it_is_for(folder):
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    first = docstring.partition("\n")[0]
    assert first.endswith("."), f"{name_of(folder)}/__init__.py says {first!r}"
    assert 15 <= len(first) <= 120


def is_command(node):
    """Whether it is a command of the terminal: its name is what people type, after its module's noun."""
    return any(ast.unparse(decorator).startswith("app.command") for decorator in node.decorator_list)


def public_names():
    """Where each public class and function is defined, commands of the terminal left out."""
    found = defaultdict(list)
    for path in HOUSE.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if not node.name.startswith("_") and not is_command(node):
                found[node.name].append(str(path.relative_to(HOUSE)))
    return found


def test_no_public_name_means_two_things():
    names = public_names()
    assert len(names) > 500, "the search finds names"
    assert {name: places for name, places in names.items() if len(places) > 1 and name not in SAME_IDEA} == {}


def test_no_module_name_stands_twice_in_a_floor():
    """`from daftari.io import …` of one word never leaves open which module is meant."""
    for floor in (folder for folder in HOUSE.iterdir() if (folder / "__init__.py").exists()):
        found = defaultdict(list)
        for path in floor.rglob("*.py"):
            if not path.stem.startswith("__"):
                found[path.stem].append(str(path.relative_to(HOUSE)))
        assert {name: places for name, places in found.items() if len(places) > 1} == {}
