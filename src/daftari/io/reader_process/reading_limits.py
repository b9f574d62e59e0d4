"""What reading one workbook may take. The kernel holds the reader process to it."""

from __future__ import annotations

import resource
from pathlib import Path

#: Beyond what the program itself takes. A full sheet of an .xlsx workbook needs a quarter of it.
MOST_MEMORY = 2**30
#: A sheet of 76 MiB with 11.5 million cells takes 40 s of CPU time.
_LEAST_SECONDS, _SECONDS_A_MIB = 10, 10
#: Of the rows, as they are kept on disk.
_MOST_DISK = 8 * 2**30


def limit_reading(file_bytes: int) -> None:
    """Limit this process, which reads a workbook of *file_bytes*, from now on."""
    _limit(resource.RLIMIT_AS, _own_memory() + MOST_MEMORY)
    _limit(resource.RLIMIT_CPU, most_seconds(file_bytes))
    _limit(resource.RLIMIT_FSIZE, _MOST_DISK)
    _limit(resource.RLIMIT_CORE, 0)


def most_seconds(file_bytes: int) -> int:
    """Return the CPU time that reading a workbook of *file_bytes* may take."""
    return _LEAST_SECONDS + _SECONDS_A_MIB * file_bytes // 2**20


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _own_memory() -> int:
    """Return the address space that the program itself takes, where the system says so."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # another system than Linux
        return MOST_MEMORY
    return pages * resource.getpagesize()
