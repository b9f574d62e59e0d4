"""Signed checkpoints as files, one each. Keep their folder where people with access to the database cannot write."""

from __future__ import annotations

import json
from pathlib import Path

from daftari.errors import AuditBroken
from daftari.io.workspace.whole_files import write_whole_file
from daftari.protect.verify_chain import Record, read_anchors


def read_anchor_files(folder: Path) -> list[Record]:
    """
    Return the anchors in *folder*, oldest first.

    Raises:
        AuditBroken: a file cannot be read as an anchor.
    """
    try:
        return read_anchors(folder)
    except (ValueError, OSError) as error:
        raise AuditBroken(f"{folder}: an anchor cannot be read: {type(error).__name__}") from None


def write_anchor(folder: Path, anchor: Record) -> Path:
    """
    Write *anchor* to a new file and flush it to disk. An existing anchor is never replaced.

    Raises:
        FileExistsError: this position has an anchor.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"checkpoint-{int(anchor['position'] or 0):012}.json"
    write_whole_file(path, f"{json.dumps(dict(anchor), indent=1)}\n".encode(), mode=0o444, replaces=False)
    return path
