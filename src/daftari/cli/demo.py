"""`daftari demo`: a whole run on invented data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from daftari.cli.demo_page import show_demo_page
from daftari.cli.options import Output, OutputOption, err, out, print_json
from daftari.cli.session import now, open_session
from daftari.errors import ChecksFailed

if TYPE_CHECKING:
    from daftari.cli.session import CommandSession
    from daftari.operations.demo.run_demo import Watch

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new folder, or one of an earlier demo.")
    ] = Path("demo"),
    output: OutputOption = Output.TEXT,
    port: Annotated[int, typer.Option(help="The port of the control room.", min=1, max=65535)] = 8000,
    serve: Annotated[
        bool | None,
        typer.Option(
            "--serve/--no-serve", help="Serve the control room at the end. Default: only on a terminal."
        ),
    ] = None,
) -> None:
    """Load, check and report two years of an invented organisation's files; show the result on a page.

    A second run finds nothing new to load. On a terminal it then prints a token for each demo user and serves the
    control room until Ctrl-C.

    Example: daftari demo
    """
    from daftari.operations.demo.run_demo import prepare_demo, run_demo  # dbt and GX take seconds to import

    with _watch() as watch:
        prepare_demo(directory, watch)
        session = open_session(directory, "dev")
        with session.connection() as conn:
            report = run_demo(conn, session.settings, now=now(), watch=watch)
    if output is Output.JSON:
        print_json(report)
    else:
        show_demo_page(report, out)
    if report.checks.failed:
        raise ChecksFailed(
            f"demo: {len(report.checks.failed)} checks failed; no mart was published",
            hint="See the failed checks above.",
        )
    is_watched = out.is_terminal and output is Output.TEXT
    if serve if serve is not None else is_watched:
        _serve(session, port)


def _serve(session: CommandSession, port: int) -> None:
    from daftari.cli.serve import serve_session
    from daftari.operations.demo.demo_tokens import make_demo_tokens

    with session.connection() as conn:
        people = make_demo_tokens(conn, session.workspace, now=now())
    out.print(f"\n[bold]The control room[/bold]: http://127.0.0.1:{port}   (Ctrl-C stops it)")
    out.print("Sign in with one of these tokens; they are valid for one day.", markup=False)
    for one in people:
        out.print(f"  {one.role:<14} {one.user_id or '':<6} {one.token}", markup=False, soft_wrap=True)
    serve_session(session, port=port, is_quiet=True)


@contextmanager
def _watch() -> Iterator[Watch]:
    """Show one changing line on a terminal; elsewhere print a line for each step."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<40}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=None)
        shown: list[str] = []

        def watch(what: str, done: int, total: int) -> None:
            progress.update(task, description=what[:40], completed=done, total=total)
            verb = what.split()[0]
            if not err.is_terminal and shown[-1:] != [verb]:
                shown.append(verb)
                err.print(f"{what} …", markup=False)

        yield watch
