"""Files that only their owner may read, written completely or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from daftari.errors import KeysUnavailable


def private_folder(folder: Path) -> None:
    """
    Make *folder*, private to its owner.

    Raises:
        KeysUnavailable: it exists, and is open to other users or belongs to one.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        require_private(folder)


def require_private(path: Path) -> None:
    """
    Refuse a file or folder of keys that other users could read.

    Raises:
        KeysUnavailable: it is open to other users, belongs to one, or is a link.
    """
    found = path.lstat()
    expected = "0700" if stat.S_ISDIR(found.st_mode) else "0600"
    if stat.S_ISLNK(found.st_mode):
        said = "a symbolic link"
    elif found.st_uid != os.geteuid():
        said = f"owner {found.st_uid}"
    elif found.st_mode & 0o077:
        said = f"mode {stat.S_IMODE(found.st_mode):04o}"
    else:
        return
    raise KeysUnavailable(
        f"{path}: found {said}; expected mode {expected}, and user {os.geteuid()} as its owner",
        hint=f"Find out who could read it, then: chmod {expected} {path}; `daftari keys epoch`.",
    )


def read_private_file(path: Path) -> bytes:
    require_private(path)
    return path.read_bytes()


def write_private_file(path: Path, content: bytes) -> None:
    """Replace *path*; after a crash it holds the old content or the new."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
