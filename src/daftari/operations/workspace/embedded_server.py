"""The embedded PostgreSQL of a workspace: start it, stop it, show its status."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daftari.errors import SettingError
from daftari.io.embedded import server
from daftari.io.embedded.home import Home, home_of
from daftari.io.embedded.server import Status
from daftari.settings import Settings


@dataclass(frozen=True, kw_only=True)
class FoundServer:
    status: Status
    data: Path
    log: Path
    psql: str  #: a command that connects to the environment's database


def start_server(settings: Settings) -> Path:
    """
    Start the server unless it runs; return its folder.

    Raises:
        SettingError: the workspace has no embedded server.
        DatabaseError: the server does not start.
    """
    _require_embedded(settings)
    return server.start_for(settings).folder


def stop_server(settings: Settings) -> bool:
    """
    Stop the server, and return whether it ran. Open transactions are rolled back.

    Raises:
        SettingError: the workspace has no embedded server.
        DatabaseError: the server does not stop.
    """
    return server.stop_postgres(_home(settings), settings.embedded_server)


def find_server(settings: Settings) -> FoundServer:
    """
    Return whether the server runs, and where its files are.

    Raises:
        SettingError: the workspace has no embedded server.
    """
    home = _home(settings)
    return FoundServer(
        status=server.postgres_status(home),
        data=home.data,
        log=home.log,
        psql=f"psql -h {home.sockets} -U {server.USER} daftari_{settings.environment}",
    )


def _home(settings: Settings) -> Home:
    _require_embedded(settings)
    return home_of(settings.data_dir)


def _require_embedded(settings: Settings) -> None:
    if settings.database_url is not None:
        raise SettingError(
            "DAFTARI_DATABASE_URL: is set, so the workspace has no embedded server; expected it unset",
            hint="`daftari doctor` examines that server.",
        )
