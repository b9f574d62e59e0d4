"""
The embedded PostgreSQL: private to a workspace, on a unix socket, running on between commands.

The same code runs Debian's programs and the wheel's, for root and for other users. It listens on no network
address; users who can enter the socket's folder are superusers.
"""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from daftari.errors import DatabaseError
from daftari.io.embedded import config
from daftari.io.embedded.binaries import Binaries, find_binaries, reachable_by_all
from daftari.io.embedded.home import Home, home_of, ids_of, make_home, shelf
from daftari.io.embedded.processes import clear_leftovers, pid_of
from daftari.settings import EmbeddedServer, Environment, Settings

PORT = 5432  #: only names the socket
USER = "daftari"
DATABASES = tuple(f"daftari_{environment}" for environment in Environment)
#: Recovery after a kill replays at most max_wal_size.
_START_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Status:
    running: bool
    home: Path
    socket: Path
    pid: int | None = None
    user: str | None = None


def start_for(settings: Settings) -> Home:
    """Start the server of a workspace unless it runs, and create its databases. May be repeated."""
    home = home_of(settings.data_dir)
    start_postgres(home, settings.embedded_server)
    return home


def start_postgres(
    home: Home,
    choice: EmbeddedServer = EmbeddedServer.AUTO,
    *,
    version: int | None = None,
    options: Mapping[str, str] | None = None,
) -> None:
    """
    Start the server of *home* unless it runs. Safe for several processes at once.

    *version* is the major version of a new server; existing data keeps its own. *options* are settings of PostgreSQL
    that override ours.

    Raises:
        DatabaseError: there are no programs to run, or the server does not start.
    """
    make_home(home)
    with _locked(home):
        if _answers(home):
            return
        binaries = find_binaries(choice, version=_version_of(home) or version)
        if home.user is not None:
            binaries = reachable_by_all(binaries, shelf())
        if not home.data.exists():
            _initialise(home, binaries)
        clear_leftovers(home, f".s.PGSQL.{PORT}")
        config.write_config(home, binaries, options or {})
        _launch(home, binaries)
        _make_databases(home)


def stop_postgres(home: Home, choice: EmbeddedServer = EmbeddedServer.AUTO) -> bool:
    """Stop the server; return whether it ran. Open transactions are rolled back."""
    if pid_of(home) is None:
        return False
    with _locked(home):
        binaries = find_binaries(choice, version=_version_of(home))
        if home.user is not None:
            binaries = reachable_by_all(binaries, shelf())
        done = _run(
            home, binaries.folder / "pg_ctl", "stop", "-D", home.data, "-m", "fast", "-w", "-t", "120"
        )
    if done.returncode != 0:
        raise DatabaseError(f"embedded server: did not stop; see {home.log}")
    return True


def postgres_status(home: Home) -> Status:
    pid = pid_of(home)
    return Status(running=pid is not None, home=home.folder, socket=home.sockets, pid=pid, user=home.user)


def _initialise(home: Home, binaries: Binaries) -> None:
    """Make the data folder; an existing one is complete, because it gets its name last."""
    unfinished = home.folder / "data.unfinished"
    if unfinished.exists():
        _run(home, Path("/bin/rm"), "-rf", unfinished)
    for locale in config.locales(binaries):
        done = _run(
            home, binaries.folder / "initdb", "-D", unfinished, "-U", USER, "--auth=trust",
            "--encoding=UTF8", "--data-checksums", "--no-instructions", *locale,
        )  # fmt: skip
        if done.returncode == 0:
            unfinished.rename(home.data)
            return
    raise DatabaseError(f"embedded server: initdb failed in {home.folder}: {_last_line(done.stdout)}")


def _launch(home: Home, binaries: Binaries) -> None:
    if home.log.exists():
        home.log.replace(home.log.with_suffix(".log.old"))
    done = _run(
        home, binaries.folder / "pg_ctl", "start", "-D", home.data, "-l", home.log,
        "-w", "-t", str(_START_SECONDS),
    )  # fmt: skip
    if done.returncode != 0:
        said = home.log.read_text("utf-8", "replace") if home.log.exists() else done.stdout
        raise DatabaseError(
            f"embedded server: did not start: {_last_line(said)}", hint=f"The whole log is {home.log}."
        )


def _make_databases(home: Home) -> None:
    with psycopg.connect(**server_parameters(home, "postgres"), autocommit=True) as conn:
        there = {name for (name,) in conn.execute("select datname from pg_database")}
        for name in DATABASES:
            if name not in there:
                conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def server_parameters(home: Home, database: str) -> dict[str, Any]:
    """Return what libpq and dbt need to reach *database* on the server of *home*."""
    return {"host": str(home.sockets), "port": PORT, "user": USER, "dbname": database}


def _answers(home: Home) -> bool:
    try:
        psycopg.connect(**server_parameters(home, DATABASES[-1]), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _version_of(home: Home) -> int | None:
    path = home.data / "PG_VERSION"
    return int(path.read_text("utf-8").strip()) if path.exists() else None


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    with (home.folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(home: Home, program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of PostgreSQL as the home's user, without our environment."""
    uid, gid = ids_of(home)
    switch: dict[str, Any] = {}
    if home.user is not None:
        switch = {"user": uid, "group": gid, "extra_groups": []}
    return subprocess.run(  # noqa: S603
        [program, *arguments],
        cwd=home.folder,
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **switch,
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (fatal or lines or ["no message"])[-1].strip()
