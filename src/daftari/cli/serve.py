"""daftari serve: the API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daftari.cli.options import EnvOption, WorkspaceOption, err
from daftari.cli.session import open_session

if TYPE_CHECKING:
    from starlette.types import ASGIApp

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="How many processes answer.", min=1, max=64)] = 1,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """
    Serve the workspace's API until it is stopped (Ctrl-C). Callers show a token: see `daftari token`.

    Example: daftari serve --port 8000 --workers 2
    """
    import uvicorn

    from daftari.io.ledger import require_contracts

    session = open_session(workspace, env)
    with session.connection() as conn:  # what is wrong is said here, once, and not by each worker
        require_contracts(conn, session.workspace.contracts)
    # Workers are new processes, which read their settings anew.
    os.environ["DAFTARI_WORKSPACE"] = str(session.settings.root)
    os.environ["DAFTARI_ENV"] = session.settings.environment
    err.print(f"Serving {session.settings.name} on http://{host}:{port} (documentation: /docs)", markup=False)
    uvicorn.run(
        "daftari.cli.serve:make_application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
    )


def make_application() -> ASGIApp:
    """What a worker serves: the workspace and environment that the environment's variables name."""
    from daftari.api.app import application

    workspace = Path(os.environ["DAFTARI_WORKSPACE"])
    return application(open_session(workspace, os.environ["DAFTARI_ENV"]).settings)
