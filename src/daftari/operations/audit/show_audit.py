"""Show entries of the audit, and how far its chain has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from daftari.io.audit import audit_entries
from daftari.io.audit.audit_entries import AuditEntry as AuditEntry
from daftari.io.audit.audit_entries import AuditFilter as AuditFilter


@dataclass(frozen=True, kw_only=True)
class Trail:
    entries: tuple[AuditEntry, ...]  #: newest first
    head: tuple[int, str] | None  #: position and hash of the last link; None: nothing is chained yet


def show_audit(conn: Connection[Any], wanted: AuditFilter) -> Trail:
    """Return the *wanted* entries, without values of rows; see `export_audit`."""
    return Trail(
        entries=tuple(audit_entries.audit_entries(conn, wanted)), head=audit_entries.chain_head(conn)
    )
