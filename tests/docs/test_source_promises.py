"""What the code promises never to do, read off the code."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/daftari"
MODULES = {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")}
#: Texts of ours that are formats: module, and what they are called there.
OUR_FORMATS = {
    ("io/catalogue/pgaudit.py", "statement"),
    ("contract/reader/odcs_versions.py", "template"),
    ("cli/contract_views.py", "words"),
    ("io/database/workspace_migrations.py", "_TEMPLATE"),
    ("io/embedded/binaries.py", "pattern"),
    ("io/embedded/binaries.py", "_FOLDERS[0]"),
}


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def where(found):
    return [f"{name}:{node.lineno}" for name, node in found]


def test_there_is_code_to_look_at():
    assert len(MODULES) > 150


def test_no_command_goes_through_a_shell():
    found = [
        (name, node)
        for name, tree in MODULES.items()
        for node in calls(tree)
        if any(one.arg == "shell" for one in node.keywords)
        or ast.unparse(node.func) in ("os.system", "os.popen", "subprocess.getoutput")
    ]
    assert not found, where(found)


def test_nothing_evaluates_text_as_code():
    found = [
        (name, node)
        for name, tree in MODULES.items()
        for node in calls(tree)
        if ast.unparse(node.func) in ("eval", "exec", "compile", "__import__")
    ]
    assert not found, where(found)


def test_no_text_of_a_user_is_a_format():
    found = [
        (name, node)
        for name, tree in MODULES.items()
        if not name.startswith("demo/")
        for node in calls(tree)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "format_map")
        if not is_ours(name, node.func.value)
    ]
    assert not found, where(found)


def is_ours(name, receiver):
    said = ast.unparse(receiver)
    return (
        isinstance(receiver, ast.Constant)
        or said.startswith(("sql.SQL(", "psycopg.sql.SQL("))
        or (name, said) in OUR_FORMATS
    )


@pytest.mark.parametrize("parser", ["xml", "lxml", "defusedxml"])
def test_xml_is_parsed_by_nothing_of_ours(parser):
    found = [
        name for name, tree in MODULES.items() if any(it.split(".")[0] == parser for it in imports(tree))
    ]
    assert not found


def test_pickles_come_from_our_own_child_alone():
    found = {
        name
        for name, tree in MODULES.items()
        if any(it.split(".")[0] in ("pickle", "marshal", "shelve", "dill") for it in imports(tree))
    }
    assert found == {"operations/load/judge_process.py", "operations/load/judge_process_child.py"}
