"""
Files that callers send, each in its own folder until it is loaded: folder/<place>/file/<its name>.

They hold in plain text what the database keeps sealed: only their owner finds them, and for at most an hour.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from datetime import datetime, timedelta
from pathlib import Path

_PLACE = re.compile(r"[A-Za-z0-9_-]{20,64}")
KEPT = timedelta(hours=1)


def begin_waiting_upload(folder: Path, owner: tuple[str, str], name: str) -> Path:
    """Return the path for a new file called *name*, of a caller and for a dataset."""
    place = folder / secrets.token_urlsafe(24)
    place.mkdir(mode=0o700, parents=True)
    (place / "file").mkdir(mode=0o700)
    (place / "owner.json").write_text(json.dumps(owner))
    return place / "file" / name


def place_of(path: Path) -> str:
    """Return the place by which `find` finds the file again."""
    return path.parent.parent.name


def find_waiting_upload(folder: Path, owner: tuple[str, str], place: str) -> Path | None:
    """Return the file at *place*; None where this owner has none there."""
    if not _PLACE.fullmatch(place):
        return None
    try:
        if json.loads((folder / place / "owner.json").read_text()) != list(owner):
            return None
        return next((folder / place / "file").iterdir(), None)
    except FileNotFoundError:  # never there, or removed by another request meanwhile
        return None


def remove(path: Path) -> None:
    """Remove a file, and its folder. May be called again."""
    shutil.rmtree(path.parent.parent, ignore_errors=True)


def sweep(folder: Path, now: datetime) -> None:
    """Remove files that were not loaded in time. Other requests may remove theirs meanwhile."""
    for place in folder.iterdir() if folder.is_dir() else ():
        try:
            # A large file is still being written long after its folder was made.
            written = max(it.stat().st_mtime for it in (place, *(place / "file").glob("*")))
        except FileNotFoundError:
            continue
        if now.timestamp() - written > KEPT.total_seconds():
            shutil.rmtree(place, ignore_errors=True)
