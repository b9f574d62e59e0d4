"""Files that are written completely or not at all: next to their place, flushed to disk, then renamed."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

#: Of a file that everyone on this machine may read, less the umask.
OPEN = 0o666
PRIVATE = 0o600


@contextmanager
def whole_file(path: Path, *, mode: int = OPEN, replaces: bool = True) -> Iterator[BinaryIO]:
    """
    Open a file to write that becomes *path* when it is complete. After an error or a kill *path* is as it was.

    Raises:
        FileExistsError: *path* exists, and *replaces* is false.
    """
    if not replaces and path.exists():
        raise FileExistsError(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    _remove_leftovers(path)
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replaces:
            unfinished.replace(path)
        else:
            os.link(unfinished, path)  # fails if somebody made it meanwhile
    finally:
        unfinished.unlink(missing_ok=True)
    _flush_folder(path.parent)


def write_whole_file(path: Path, content: bytes, *, mode: int = OPEN, replaces: bool = True) -> None:
    """
    Raises:
        FileExistsError: *path* exists, and *replaces* is false.
    """
    with whole_file(path, mode=mode, replaces=replaces) as file:
        file.write(content)


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes left: it may hold what only the file's owner may read."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.unfinished"):
        pid = left.name.removesuffix(".unfinished").rpartition(".")[2]
        if pid.isdigit() and not _is_alive(int(pid)):
            left.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():
        return False  # a number that is used again
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _flush_folder(folder: Path) -> None:
    """Make a rename in *folder* survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
