"""`daftari server`: the PostgreSQL that is private to the workspace."""

from __future__ import annotations

import typer

from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, err, out, print_json
from daftari.errors import SettingError
from daftari.io.embedded import server
from daftari.io.embedded.home import Home, home_of
from daftari.settings import Settings, read_settings

app = typer.Typer(no_args_is_help=True, help="Start, stop or look at the workspace's own PostgreSQL.")


@app.command()
def start(workspace: WorkspaceOption = None, env: EnvOption = None) -> None:
    """
    Start the workspace's PostgreSQL, unless it runs. Any command that needs it does so by itself.

    Example: daftari server start
    """
    settings = _settings_of_embedded(workspace, env)
    with err.status("Starting PostgreSQL"):
        home = server.start_for(settings)
    out.print(f"running in {home.folder}", markup=False, soft_wrap=True)


@app.command()
def stop(workspace: WorkspaceOption = None, env: EnvOption = None) -> None:
    """
    Stop the workspace's PostgreSQL. Open transactions are rolled back; data stay.

    Example: daftari server stop
    """
    settings = _settings_of_embedded(workspace, env)
    with err.status("Stopping PostgreSQL"):
        stopped = server.stop_server(home_of(settings.data_dir), settings.embedded_server)
    out.print("stopped" if stopped else "was not running")


@app.command()
def status(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """
    Tell whether the workspace's PostgreSQL runs, where its data are and how to reach it.

    Example: daftari server status --output json
    """
    settings = _settings_of_embedded(workspace, env)
    home = home_of(settings.data_dir)
    found = server.server_status(home)
    if output is Output.JSON:
        print_json(found)
        return
    state = f"running as process {found.pid}" if found.running else "not running"
    out.print(f"{state}; data in {home.data}, log in {home.log}", markup=False, soft_wrap=True)
    if found.running:
        out.print(_psql(home, settings), markup=False, soft_wrap=True)


def _settings_of_embedded(workspace: WorkspaceOption, env: EnvOption) -> Settings:
    settings = read_settings(workspace, environment=env)
    if settings.database_url is not None:
        raise SettingError(
            "DAFTARI_DATABASE_URL: set, so the workspace has no server of its own; expected it unset",
            hint="`daftari doctor` looks at the server that it names.",
        )
    return settings


def _psql(home: Home, settings: Settings) -> str:
    return f"psql -h {home.sockets} -U {server.USER} daftari_{settings.environment}"
