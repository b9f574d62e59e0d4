"""`daftari transform`: build, test and publish marts; `daftari env`: the same connection for your own dbt runs."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, err, out, print_json
from daftari.cli.session import open_session
from daftari.errors import counted
from daftari.operations.marts.build_marts import (
    Failure,
    Transformed,
    TransformOptions,
    build_marts,
    require_published,
)
from daftari.operations.marts.dbt_environment import dbt_environment

app = typer.Typer(add_completion=False)


@app.command()
def transform(
    pipelines: Annotated[
        list[str] | None, typer.Argument(help="Only the marts that depend on these pipelines. Default: all.")
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild incremental marts from scratch.")
    ] = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Build the marts in a separate schema, test them, and publish them if every test passes.

    Example: daftari transform expense-tracking
    """
    session = open_session(workspace, env)
    options = TransformOptions.of(session.settings, pipelines=pipelines or (), full_refresh=full_refresh)
    with session.connection() as conn, _progress_bar() as bar:
        task = bar.add_task("Starting dbt", total=None)
        transformed = build_marts(
            conn,
            session.workspace,
            options,
            lambda begun, total, name: bar.update(task, completed=begun, total=total, description=name[:40]),
        )
    _show(transformed, output)
    require_published(transformed)


@app.command("env")
def print_environment(workspace: WorkspaceOption = None, env: EnvOption = None) -> None:
    """
    Print shell export lines with which your own dbt runs reach the workspace's database.

    The lines hold the database's password, if it has one.

    Example: eval "$(daftari env)" && dbt build
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        variables = dbt_environment(conn, str(session.settings.environment))
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description:<40}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )


def _show(transformed: Transformed, output: Output) -> None:
    if output is Output.JSON:
        print_json(transformed)
        return
    if transformed.published:
        out.print(_published_table(transformed))
    for failure in transformed.failures:
        out.print(_sentence(failure), style="red", markup=False, soft_wrap=True)
    for warning in transformed.warnings:
        out.print(_sentence(warning), style="yellow", markup=False, soft_wrap=True)
    if transformed.unbuilt:
        out.print(f"No model builds these published marts any more: {', '.join(transformed.unbuilt)}.")
    state = "published" if transformed.is_published else "nothing published"
    skipped = f", {transformed.skipped} skipped" if transformed.skipped else ""
    out.print(
        f"{counted(len(transformed.models), 'model')} built, {counted(transformed.tests_passed, 'test')} passed, "
        f"{len(transformed.failures)} failed{skipped}; {state} in {transformed.seconds:.1f} s."
    )


def _published_table(transformed: Transformed) -> Table:
    table = Table("mart", box=None, pad_edge=False, header_style="bold")
    for heading in ("rows", "added", "removed"):
        table.add_column(heading, justify="right")
    for mart in transformed.published:
        table.add_row(mart.name, f"{mart.rows:,}", f"{mart.added:,}", f"{mart.removed:,}")
    return table


def _sentence(failure: Failure) -> str:
    rows = f": {counted(failure.rows, 'row')}" if failure.rows else ""
    return f"failed {failure.kind} {failure.name}{rows}. {failure.message}"
