"""daftari serve: the API and the control room."""

from __future__ import annotations

import gc
import os
import socket
import sys
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
#: prometheus_client reads it when it is imported: the folder in which several processes count.
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="The number of server processes.", min=1, max=64)] = 1,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """
    Serve the workspace's API and control room until Ctrl-C. Callers need a token: see `daftari token`.

    Example: daftari serve --port 8000 --workers 2
    """
    serve_session(open_session(workspace, env), host=host, port=port, workers=workers)


def serve_session(
    session: CommandSession, *, host: str = "127.0.0.1", port: int, workers: int = 1, is_quiet: bool = False
) -> None:
    """Serve until stopped; *is_quiet*: successful requests are not logged."""
    from daftari.operations.workspace.readiness import require_applied

    _require_free(host, port)
    with session.connection() as conn:  # so that an error is reported once, and not by each worker
        require_applied(conn, session.workspace.contracts)
    # Workers are new processes, which read the settings again.
    os.environ["DAFTARI_WORKSPACE"] = str(session.settings.root.resolve())
    os.environ["DAFTARI_ENV"] = session.settings.environment
    if is_quiet:
        os.environ["DAFTARI_LOG_LEVEL"] = "warning"
    err.print(f"Serving {session.settings.name} on http://{host}:{port} (API: /docs)", markup=False)
    with _shared_metrics() if workers > 1 else nullcontext():
        _run(host=host, port=port, workers=workers, proxies=session.settings.trusted_proxies)


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """Have all workers count in files of one folder, so that each reports the total."""
    with TemporaryDirectory(prefix="daftari-metrics-") as folder:
        os.environ[_METRICS_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[_METRICS_FOLDER]


def _run(*, host: str, port: int, workers: int, proxies: str | None) -> None:
    import uvicorn

    from daftari.api.connections import BoundedProtocol

    _allow_many_files()
    uvicorn.run(
        "daftari.cli.serve:make_application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        http=BoundedProtocol,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        date_header=True,
    )


def _allow_many_files() -> None:
    """Raise the number of connections that this process may have open, as far as it is allowed to."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _require_free(host: str, port: int) -> None:
    """Raise SettingError if the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingError(
                f"{host}:{port}: cannot listen here ({error.strerror})",
                hint="Choose another port with --port.",
            ) from None


def make_application() -> ASGIApp:
    """Return the application of a worker, for the workspace and environment in its environment variables."""
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    from daftari.api.app import application
    from daftari.web import routes

    counted = CollectorRegistry() if _METRICS_FOLDER in os.environ else REGISTRY
    if _METRICS_FOLDER in os.environ:
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    settings = open_session(Path(os.environ["DAFTARI_WORKSPACE"]), os.environ["DAFTARI_ENV"]).settings
    made = application(settings, extensions=[routes.add_control_room], counted=counted)
    # These objects live as long as the process: the garbage collector, which stops all threads, need not visit them.
    gc.collect()
    gc.freeze()
    return made
