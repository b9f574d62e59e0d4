"""`daftari server`: the workspace's own PostgreSQL server."""

from __future__ import annotations

import typer

from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, err, out, print_json
from daftari.operations.workspace.embedded_server import find_server, start_server, stop_server
from daftari.settings import read_settings

app = typer.Typer(
    no_args_is_help=True, help="Start and stop the workspace's own PostgreSQL; show its status."
)


@app.command()
def start(workspace: WorkspaceOption = None, env: EnvOption = None) -> None:
    """
    Start the workspace's PostgreSQL, if it is not running. Commands that need it start it too.

    Example: daftari server start
    """
    settings = read_settings(workspace, environment=env)
    with err.status("Starting PostgreSQL"):
        folder = start_server(settings)
    out.print(f"running in {folder}", markup=False, soft_wrap=True)


@app.command()
def stop(workspace: WorkspaceOption = None, env: EnvOption = None) -> None:
    """
    Stop the workspace's PostgreSQL. Open transactions are rolled back; data is kept.

    Example: daftari server stop
    """
    settings = read_settings(workspace, environment=env)
    with err.status("Stopping PostgreSQL"):
        stopped = stop_server(settings)
    out.print("stopped" if stopped else "was not running")


@app.command()
def status(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """
    Show whether the workspace's PostgreSQL is running, where its data is and how to connect.

    Example: daftari server status --output json
    """
    found = find_server(read_settings(workspace, environment=env))
    if output is Output.JSON:
        print_json(found.status)
        return
    state = f"running as process {found.status.pid}" if found.status.running else "not running"
    out.print(f"{state}; data in {found.data}, log in {found.log}", markup=False, soft_wrap=True)
    if found.status.running:
        out.print(found.psql, markup=False, soft_wrap=True)
