"""
Write docs/reference/cli.md from the commands themselves. `make docs` runs it; a test compares.

Whatever a command's help says, the page says, and nothing else.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from daftari.cli import app

PAGE = Path(__file__).parent / "reference/cli.md"
INTRODUCTION = """\
# Commands

Written by `make docs` from the commands themselves: `daftari COMMAND --help` says the same.
Results go to standard output; progress, warnings and errors go to standard error. The exit code is 0 on
success, 2 for wrong arguments or options, otherwise that of the error ([errors](errors.md)).
"""
#: On every command; said once.
_EVERYWHERE = ("--help",)


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command that can be called, by its full name, in the order of the help."""
    command = command or typer.main.get_command(app)
    if not hasattr(command, "list_commands"):
        yield " ".join(path), command
        return
    for name in command.list_commands(None):
        yield from commands(command.get_command(None, name), (*path, name))


def page() -> str:
    return "\n".join([INTRODUCTION, *(_section(name, command) for name, command in commands())])


def _section(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.opts[0] not in _EVERYWHERE]
    usage = " ".join(["daftari", name, *(["[OPTIONS]"] if options else []), *map(_metavar, arguments)])
    described = [(f"`{_metavar(p)}`", p) for p in arguments]
    described += [(f"`{', '.join([*p.opts, *p.secondary_opts])}`", p) for p in options]
    parts = [f"## `{name}`", inspect.cleandoc(command.help or ""), f"```\n{usage}\n```"]
    if described:
        rows = [f"| {title} | {_meaning(p)} |" for title, p in described]
        parts.append("\n".join(["| | |", "| --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def _metavar(argument: Any) -> str:
    name = (argument.metavar or argument.name).upper()
    name = f"{name}..." if argument.nargs == -1 else name
    return name if argument.required else f"[{name}]"


def _meaning(parameter: Any) -> str:
    said = " ".join((getattr(parameter, "help", None) or "").split())
    variable = getattr(parameter, "envvar", None)
    return (f"{said} Variable: `{variable}`." if variable else said).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
