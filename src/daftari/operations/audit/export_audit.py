"""Export the audit, to prove it without the database."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

from daftari.io.audit import audit_entries

_ONE_MOMENT = "set transaction isolation level repeatable read, read only"


@dataclass(frozen=True, kw_only=True)
class ExportedAudit:
    path: Path
    entries: int
    log: str  #: the log's number, under which its anchors are kept


def export_audit(conn: Connection[Any], path: Path) -> ExportedAudit:
    """
    Write the whole audit to *path* as JSON Lines, from one snapshot; an existing file is replaced.

    It holds old and new values of rows, sealed ones sealed: only its owner can read it.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    entries = 0
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file, conn.transaction():
        conn.execute(_ONE_MOMENT)
        log = audit_entries.log_id(conn)
        for record in audit_entries.audit_records(conn):
            entries += record["record"] == "entry"
            file.write(json.dumps(dict(record), ensure_ascii=False) + "\n")
    unfinished.replace(path)
    return ExportedAudit(path=path, entries=entries, log=log)
