"""Prove that the audit is complete and unchanged, or report what was changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg import Connection

from daftari.errors import AuditBroken, AuditNotAnchored
from daftari.io.audit import anchors, audit_entries
from daftari.protect.verify_chain import ChainVerdict as ChainVerdict
from daftari.protect.verify_chain import verify_chain

_ONE_MOMENT = "set transaction isolation level repeatable read, read only"


def verify_audit(conn: Connection[Any], key: Ed25519PublicKey, *, folder: Path) -> ChainVerdict:
    """
    Compare every entry, row and link with the chain, and the chain with the anchors in *folder*.

    Reads the whole audit without blocking writers. Not covered: changes after the last anchor by a user who may
    disable triggers, if they changed entries and links alike.

    Raises:
        AuditBroken: an anchor cannot be read.
    """
    with conn.transaction():
        conn.execute(_ONE_MOMENT)
        ours = anchors.read_anchor_files(folder / audit_entries.log_id(conn))
        return verify_chain(audit_entries.audit_records(conn), ours, key)


def require_whole(verdict: ChainVerdict) -> None:
    """
    Stop unless the audit is complete and unchanged.

    Raises:
        AuditBroken: it was changed.
        AuditNotAnchored: no anchor proves how far it came, or it is empty.
    """
    if verdict.name == "broken":
        raise AuditBroken(
            f"audit: {len(verdict.findings)} findings; expected none",
            hint="Do not change the database or the anchors, and find out who had the rights to do this.",
        )
    if verdict.name != "whole":
        raise AuditNotAnchored(
            f"audit: {verdict.name.replace('_', ' ')}; expected a chain with a signed anchor",
            hint="`daftari audit checkpoint` signs how far it has come.",
        )
