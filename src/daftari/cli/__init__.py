"""The terminal: parse, call one operation, show. It decides nothing."""

from __future__ import annotations

import sys
import traceback
import uuid
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from daftari import __version__
from daftari.errors import DaftariError, disk_full

#: Command -> module that defines it. A module is imported only for its own command, so that starting stays quick.
COMMANDS: dict[str, str] = {
    "init": "daftari.cli.init",
    "plan": "daftari.cli.schema",
    "apply": "daftari.cli.schema",
    "verify": "daftari.cli.schema",
    "load": "daftari.cli.load",
    "transform": "daftari.cli.transform",
    "run": "daftari.cli.run",
    "undo": "daftari.cli.undo",
    "reveal": "daftari.cli.reveal",
    "serve": "daftari.cli.serve",
    "demo": "daftari.cli.demo",
    "doctor": "daftari.cli.schema",
    "env": "daftari.cli.transform",
}
#: Noun -> module that defines its verbs.
GROUPS: dict[str, str] = {
    "contract": "daftari.cli.contract",
    "quarantine": "daftari.cli.quarantine",
    "quality": "daftari.cli.quality",
    "runs": "daftari.cli.runs",
    "audit": "daftari.cli.audit",
    "keys": "daftari.cli.keys",
    "review": "daftari.cli.review",
    "token": "daftari.cli.token",
    "new": "daftari.cli.new",
    "server": "daftari.cli.server",
}


class _LazyGroup(TyperGroup):
    """A group that imports the module of a command only to run that command or show its help."""

    _is_listing = False

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._is_listing = True
        super().format_help(ctx, formatter)
        self._is_listing = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- click's signature
        return [*COMMANDS, *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- as above
        if self._is_listing:
            from daftari.cli.summaries import summary

            is_group = cmd_name in GROUPS
            module = (GROUPS if is_group else COMMANDS)[cmd_name]
            return TyperCommand(name=cmd_name, help=summary(module, cmd_name, is_group=is_group))
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
    """Run a command. Report a user's error in one line with a hint, and an internal error with a reference."""
    try:
        app()
    except DaftariError as error:
        _tell(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader closed the pipe, as `head` does
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        full = disk_full(error)
        if full is None:
            _report(error, uuid.uuid4().hex[:12])
            sys.exit(1)
        _tell(full)
        sys.exit(full.exit_code)


def _tell(error: DaftariError) -> None:
    typer.echo(f"error: {error}", err=True)
    if error.hint:
        typer.echo(f"hint: {error.hint}", err=True)


def _report(error: BaseException, reference: str) -> None:
    """Report an internal error; write its traceback to a file that the user can send."""
    from tempfile import gettempdir

    path = Path(gettempdir()) / f"daftari-{reference}.log"
    typer.echo(f"error: this is a fault in daftari, not in what you did (reference {reference})", err=True)
    try:
        path.write_text("".join(_without_values(error)), "utf-8")
    except OSError:  # the disk may be full
        typer.echo(f"hint: please report it; {path} could not be written", err=True)
        return
    typer.echo(f"hint: please report it with {path}, which holds places in the code and no data", err=True)


def _without_values(error: BaseException) -> Iterator[str]:
    """Yield the traceback without the errors' messages: a database error quotes the row that caused it."""
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _without_values(cause)
        yield "\nthen:\n"
    yield from getattr(error, "frames", ())  # of an error in a child process
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__name__} {getattr(error, 'sqlstate', None) or ''}\n"
