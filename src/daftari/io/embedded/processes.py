"""The processes of a server's data folder, and what a killed server leaves behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

from daftari.errors import DatabaseError
from daftari.io.embedded.home import Home

_PROC = Path("/proc")
#: The children of a killed server end by themselves.
_SETTLE_SECONDS = 15


def pid_of(home: Home) -> int | None:
    """Return the process of the running server, or None."""
    pid = _read_pid(home.data / "postmaster.pid")
    if pid is None or not _is_alive(pid):
        return None
    if not _PROC.is_dir():  # being alive must be enough
        return pid
    return pid if pid in _processes(home) else None


def clear_leftovers(home: Home, socket_name: str) -> None:
    """
    Remove what a killed server left, so that another can start.

    PostgreSQL trusts a pid file whose number is alive, though it may belong to another program or a zombie by now. The
    file also prevents a second server next to the first one's children, so it is removed only when no process works in
    the data folder any more.

    Raises:
        DatabaseError: processes of the killed server still run.
    """
    if not _PROC.is_dir() or pid_of(home) is not None:
        return
    until = time.monotonic() + _SETTLE_SECONDS
    while _processes(home):
        if time.monotonic() > until:
            raise DatabaseError(
                f"embedded server: processes of a killed server still work in {home.data}; expected none",
                hint="End them, then try again.",
            )
        time.sleep(0.2)
    for path in (home.data / "postmaster.pid", home.sockets / f"{socket_name}.lock"):
        pid = _read_pid(path)
        if pid is not None and _is_alive(pid):
            path.unlink()


def _processes(home: Home) -> set[int]:
    """Return the processes whose working folder is the data folder."""
    data = str(home.data.resolve())
    found = set()
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "cwd").readlink()) == data:
                    found.add(int(entry.name))
            except OSError:  # gone, a zombie, or another user's
                continue
    return found


def _read_pid(path: Path) -> int | None:
    try:
        first = path.read_text("utf-8").split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
