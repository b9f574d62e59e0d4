"""One-line summaries of commands, read from their source, so that listing them imports none of them."""

from __future__ import annotations

import ast
import inspect
from importlib.util import find_spec
from pathlib import Path


def summary(module: str, command: str, *, is_group: bool) -> str:
    """Return the first paragraph of a command's docstring, or the help of a group, in *module*."""
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None, "commands are defined in our own files"
    tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    return _of_group(tree) if is_group else _of_command(tree, command)


def _of_command(tree: ast.Module, command: str) -> str:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and command in (node.name, _name_given(node)):
            return inspect.cleandoc(ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    return ""


def _name_given(function: ast.FunctionDef) -> str | None:
    """The name in `@app.command("env")`."""
    for one in function.decorator_list:
        if isinstance(one, ast.Call) and one.args and isinstance(one.args[0], ast.Constant):
            return str(one.args[0].value)
    return None


def _of_group(tree: ast.Module) -> str:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for one in node.value.keywords:
                if one.arg == "help" and isinstance(one.value, ast.Constant):
                    return str(one.value.value)
    return ""
