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


def test_xml_is_parsed_by_one_module_of_ours():
    parsers = {"xml", "lxml", "defusedxml"}
    found = {
        name for name, tree in MODULES.items() if any(it.split(".")[0] in parsers for it in imports(tree))
    }
    assert found == {"io/workbooks/xml_stream.py"}


def test_pickles_come_from_our_own_child_alone():
    found = {
        name
        for name, tree in MODULES.items()
        if any(it.split(".")[0] in ("pickle", "marshal", "shelve", "dill") for it in imports(tree))
    }
    assert found == {
        "operations/load/judge_process.py",
        "operations/load/judge_process_child.py",
        "io/reader_process/read_workbook.py",
        "io/reader_process/reader_child.py",
    }


def spells(node, word):
    """Whether a text is *word*; or, in front of a value, a schema's name with its dot."""
    match node:
        case ast.Constant(value=value):
            return value == word
        case ast.JoinedStr(values=[*parts]):
            texts = [one.value for one in parts if isinstance(one, ast.Constant)]
            return any(text.split()[-1:] == [f"{word}."] for text in texts)
    return False


@pytest.mark.parametrize(
    ("word", "homes"),
    [
        ("ops", {"contract/platform.py"}),
        ("_run_id", {"contract/platform.py"}),
        ("updated_at", {"contract/platform.py"}),
        ("created_at", {"contract/platform.py", "io/access/tokens.py"}),  # there, of a token
        ("***", {"protect/mask.py"}),
        ("Africa/Nairobi", {"contract/model.py", "settings.py"}),  # the default; a test holds the two alike
    ],
)
def test_a_word_that_means_one_thing_everywhere_is_spelled_once(word, homes):
    found = {
        name
        for name, tree in MODULES.items()
        if not name.startswith("demo/") and any(spells(node, word) for node in ast.walk(tree))
    }
    assert found == homes


def test_no_schema_of_the_platform_is_spelled_where_sql_is_composed():
    schemas = {"ops", "staging", "marts", "views", "daftari"}
    found = [
        (name, node)
        for name, tree in MODULES.items()
        for node in calls(tree)
        if ast.unparse(node.func).endswith("Identifier")
        if len(node.args) > 1 and any(spells(node.args[0], schema) for schema in schemas)
    ]
    assert not found, where(found)
