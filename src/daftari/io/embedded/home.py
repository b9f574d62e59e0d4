"""
Where the embedded PostgreSQL keeps its data, and which user runs it.

An ordinary user runs it within the workspace. PostgreSQL refuses to run as root, so root's server runs as an
unprivileged user, in a folder that this user can reach even when the workspace is in root's home.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from daftari.errors import DatabaseError

#: Linux limits a socket's whole path to 107 bytes, macOS to 103; its name takes 16.
LONGEST_SOCKET_DIR_BYTES = 85
_UNPRIVILEGED = ("postgres", "nobody")
_SHELF = Path("/var/lib/daftari")


@dataclass(frozen=True, kw_only=True)
class Home:
    folder: Path
    user: str | None = None  #: who runs the server; None is the present user

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def sockets(self) -> Path:
        """The folder of the socket: the home, or one in the temporary folder when the path is too long."""
        if len(os.fsencode(self.folder)) <= LONGEST_SOCKET_DIR_BYTES:
            return self.folder
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"daftari-{digest}"


def home_of(data_dir: Path) -> Home:
    """Return the home of the server of the workspace whose own files are in *data_dir*."""
    if os.geteuid() != 0:
        return Home(folder=data_dir / "postgres")
    return Home(folder=shelf() / _identity(data_dir), user=unprivileged_user())


def shelf() -> Path:
    """Return the folder of this machine, open to all users, that holds the homes of root's servers."""
    for folder in (_SHELF, Path(tempfile.gettempdir()) / "daftari"):
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError:
            continue
        if folder.stat().st_uid == 0:
            folder.chmod(0o755)  # whatever the umask
            return folder
    raise DatabaseError(
        f"embedded server: {_SHELF} cannot be made; expected a folder of root's that other users can reach",
        hint="Run daftari as an ordinary user, or set DAFTARI_DATABASE_URL to your own server.",
    )


def unprivileged_user() -> str:
    """
    Return the user that runs a server for root.

    Raises:
        DatabaseError: this machine has none.
    """
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in _UNPRIVILEGED:
        if name in known:
            return name
    raise DatabaseError(
        f"embedded server: PostgreSQL refuses to run as root; expected a user {' or '.join(_UNPRIVILEGED)}",
        hint="Run daftari as an ordinary user, or set DAFTARI_DATABASE_URL to your own server.",
    )


def make_home(home: Home) -> None:
    """
    Make the folders of *home*, private to their user.

    Raises:
        DatabaseError: a folder exists and belongs to another user.
    """
    uid, gid = ids_of(home)
    for folder in dict.fromkeys((home.folder, home.sockets)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.lstat().st_uid
        if owner not in (uid, os.geteuid()) or folder.is_symlink():
            raise DatabaseError(
                f"embedded server: {folder} is another user's; expected {home.user or 'this user'} as its owner",
                hint="Remove that folder, or set DAFTARI_DATABASE_URL to your own server.",
            )
        if owner != uid:
            os.chown(folder, uid, gid)
        folder.chmod(0o700)


def ids_of(home: Home) -> tuple[int, int]:
    """Return the numeric user and group that run the server."""
    if home.user is None:
        return os.geteuid(), os.getegid()
    entry = pwd.getpwnam(home.user)
    return entry.pw_uid, entry.pw_gid


def _identity(data_dir: Path) -> str:
    """
    Return a name that stays with the workspace when it is moved; a copy of the workspace gets another.

    It is stored in the workspace: a workspace that is deleted and made again does not get the old one's data.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "server-id"
    text = path.read_text("utf-8") if path.exists() else ""
    name, _, place = text.strip().partition(" ")
    is_copy = place != str(data_dir) and Path(place, "server-id").exists()
    if not name or is_copy:
        name, place = f"{data_dir.resolve().parent.name}-{secrets.token_hex(4)}", ""
    if place != str(data_dir):
        unfinished = path.with_name(f"server-id.{os.getpid()}")
        unfinished.write_text(f"{name} {data_dir}\n", "utf-8")
        unfinished.replace(path)
    return name
