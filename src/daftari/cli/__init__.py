"""The terminal: parse, call one operation, show. It decides nothing."""

from __future__ import annotations

import sys
import traceback
import uuid
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from daftari import __version__
from daftari.errors import DaftariError

#: Command -> module that defines it. A module is imported when its command is asked for: starting stays quick.
COMMANDS: dict[str, str] = {
    "init": "daftari.cli.init",
    "plan": "daftari.cli.schema",
    "apply": "daftari.cli.schema",
    "verify": "daftari.cli.schema",
    "load": "daftari.cli.load",
    "transform": "daftari.cli.transform",
    "run": "daftari.cli.run",
    "demo": "daftari.cli.demo",
    "doctor": "daftari.cli.schema",
    "env": "daftari.cli.transform",
}
#: Nouns, whose verbs are the commands of their module.
GROUPS: dict[str, str] = {
    "contract": "daftari.cli.contract",
    "quarantine": "daftari.cli.quarantine",
    "quality": "daftari.cli.quality",
    "new": "daftari.cli.new",
    "server": "daftari.cli.server",
}


class _LazyGroup(TyperGroup):
    """Imports the module of a command only when that command, or help for it, is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- click's signature
        return [*COMMANDS, *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- as above
        if cmd_name in GROUPS:
            group = typer.main.get_group(import_module(GROUPS[cmd_name]).app)
            group.name = cmd_name
            return group
        if cmd_name in COMMANDS:
            found: Any = typer.main.get_command(import_module(COMMANDS[cmd_name]).app)
            return found.commands[cmd_name] if isinstance(found, TyperGroup) else found
        return None


app = typer.Typer(
    name="daftari",
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"daftari {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """One contract per dataset; everything else is derived from it and enforced.

    Example: daftari load expenses march.csv
    """


def main() -> None:
    """Run a command. What a user did wrong is one line and a hint; what we did wrong has a reference."""
    try:
        app()
    except DaftariError as error:
        typer.echo(f"error: {error}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        sys.exit(141)
    except Exception:
        reference = uuid.uuid4().hex[:12]
        _report(reference)
        sys.exit(1)


def _report(reference: str) -> None:
    """Say that the fault is ours; the traceback goes to a file that a person can send on."""
    from tempfile import gettempdir

    path = f"{gettempdir()}/daftari-{reference}.log"
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        traceback.print_exc(file=file)
    typer.echo(f"error: this is a fault in daftari, not in what you did (reference {reference})", err=True)
    typer.echo(f"hint: please report it with {path}; look through it first for data of yours", err=True)
