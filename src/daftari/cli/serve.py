"""daftari serve: the API and the control room."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from daftari.cli.options import EnvOption, WorkspaceOption, err
from daftari.cli.session import CommandSession, open_session
from daftari.errors import SettingError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

app = typer.Typer(add_completion=False)
#: Where prometheus_client looks, when it is imported, for a folder in which several processes count.
_TOGETHER = "PROMETHEUS_MULTIPROC_DIR"


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="How many processes answer.", min=1, max=64)] = 1,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """
    Serve the workspace's API and control room until stopped (Ctrl-C). Who comes shows a token: see `daftari token`.

    Example: daftari serve --port 8000 --workers 2
    """
    serve_session(open_session(workspace, env), host=host, port=port, workers=workers)


def serve_session(
    session: CommandSession, *, host: str = "127.0.0.1", port: int, workers: int = 1, is_quiet: bool = False
) -> None:
    """Serve until stopped; *is_quiet*: requests that went well are not logged."""
    from daftari.operations.workspace.readiness import require_applied

    _require_free(host, port)
    with session.connection() as conn:  # what is wrong is said here, once, and not by each worker
        require_applied(conn, session.workspace.contracts)
    # Workers are new processes, which read their settings anew.
    os.environ["DAFTARI_WORKSPACE"] = str(session.settings.root.resolve())
    os.environ["DAFTARI_ENV"] = session.settings.environment
    if is_quiet:
        os.environ["DAFTARI_LOG_LEVEL"] = "warning"
    err.print(f"Serving {session.settings.name} on http://{host}:{port} (API: /docs)", markup=False)
    with _counted_together() if workers > 1 else nullcontext():
        _run(host=host, port=port, workers=workers)


@contextmanager
def _counted_together() -> Iterator[None]:
    """Have the workers that are started count in files of one folder, so that each tells of all."""
    with TemporaryDirectory(prefix="daftari-metrics-") as folder:
        os.environ[_TOGETHER] = folder
        try:
            yield
        finally:
            del os.environ[_TOGETHER]


def _run(*, host: str, port: int, workers: int) -> None:
    import uvicorn

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


def _require_free(host: str, port: int) -> None:
    """Raises SettingError where something listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingError(
                f"{host}:{port}: cannot be listened on ({error.strerror})", hint="Name another with --port."
            ) from None


def make_application() -> ASGIApp:
    """What a worker serves: the workspace and environment that the environment's variables name."""
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    from daftari.api.app import application
    from daftari.web import routes

    counted = CollectorRegistry() if _TOGETHER in os.environ else REGISTRY
    if _TOGETHER in os.environ:
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    settings = open_session(Path(os.environ["DAFTARI_WORKSPACE"]), os.environ["DAFTARI_ENV"]).settings
    made = application(settings, extensions=[routes.add_control_room], counted=counted)
    # What is there by now stays: the collector, which stops everybody, need not go through it again and again.
    gc.collect()
    gc.freeze()
    return made
