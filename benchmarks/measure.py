"""Time, CPU and peak memory of one command, and of the processes it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SAMPLE_SECONDS = 0.2  # scanning for children costs some milliseconds each time


@dataclass(frozen=True, kw_only=True)
class Sample:
    wall_seconds: float
    client_cpu_seconds: float
    server_cpu_seconds: float
    #: Resident memory of the command and its children together, at its highest. Shared pages count for each.
    peak_bytes: int
    output: str

    @property
    def cpu_seconds(self) -> float:
        return self.client_cpu_seconds + self.server_cpu_seconds


class CommandFailedError(Exception):
    """The command under measurement did not end well: there is nothing to report."""


def run(argv: Sequence[str], *, environment: dict[str, str], server_cpu: Callable[[], float]) -> Sample:
    """
    Run *argv* to its end.

    Raises:
        CommandFailedError: it ended with another code than 0.
    """
    with tempfile.TemporaryFile() as output:
        server_before, started = server_cpu(), time.perf_counter()
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_inherited() | environment
        )
        watch = _Watch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall, server = time.perf_counter() - started, server_cpu() - server_before
        process.returncode = os.waitstatus_to_exitcode(status)
        together = watch.stop()
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    if process.returncode:
        raise CommandFailedError(f"{' '.join(argv)}: ended with {process.returncode}\n{said[-4000:]}")
    return Sample(
        wall_seconds=wall,
        client_cpu_seconds=usage.ru_utime + usage.ru_stime,
        server_cpu_seconds=server,
        peak_bytes=max(together, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)),
        output=said,
    )


def _inherited() -> dict[str, str]:
    """Our environment, but that Python may keep its bytecode, as it does for a user: else each start compiles."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class _Watch(threading.Thread):
    """Looks at the resident memory of a process and its descendants, five times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._peak, self._ended = pid, 0, threading.Event()
        self.start()

    def run(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            together = sum(resident_bytes(pid) for pid in (self._pid, *descendants(self._pid)))
            self._peak = max(self._peak, together)

    def stop(self) -> int:
        self._ended.set()
        self.join()
        return self._peak


def cpu_seconds(pid: int, *, with_dead: bool = False) -> float:
    """CPU of a process, and *with_dead* of its children that have ended. 0 when it is gone."""
    fields = _stat(pid)
    return sum(int(ticks) for ticks in fields[11 : 15 if with_dead else 13]) / _TICKS


def resident_bytes(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[21]) * _PAGE if fields else 0


def descendants(pid: int) -> list[int]:
    """Processes that *pid* started, and those that they started."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = list(children.get(pid, ()))
    for child in found:  # grows while it is walked: a tree, breadth first
        found.extend(children.get(child, ()))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name; none when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
