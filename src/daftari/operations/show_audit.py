"""Show entries of the audit, and how far its chain has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from daftari.io import audit
from daftari.io.audit import Entry as Entry
from daftari.io.audit import Wanted as Wanted


@dataclass(frozen=True, kw_only=True)
class Trail:
    entries: tuple[Entry, ...]  #: newest first
    head: tuple[int, str] | None  #: position and hash of the last link; None: nothing is chained yet


def show_audit(conn: Connection[Any], wanted: Wanted) -> Trail:
    """Return the entries that are *wanted*. Values of rows are not among them; see `export_audit`."""
    return Trail(entries=tuple(audit.entries(conn, wanted)), head=audit.head(conn))
