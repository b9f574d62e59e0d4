"""Chain the latest audit entries, and sign a checkpoint that is kept outside the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import Connection

from daftari.errors import AuditBroken
from daftari.io.audit import anchors, audit_entries, audit_tables
from daftari.io.database.turns import take_turn
from daftari.protect.verify_chain import Record, checkpoint_bytes


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    chained: int  #: entries that got their place now
    position: int  #: of the last link; 0: nothing was ever recorded
    anchor: Path | None  #: None: this position had an anchor already


def checkpoint_audit(
    conn: Connection[Any], key: Ed25519PrivateKey, *, folder: Path, now: datetime
) -> Checkpoint:
    """
    Chain every committed entry, and anchor the head of the chain in *folder*, under the log's number.

    *conn* must be in autocommit mode: what is signed must be committed before. May be repeated. Also creates the
    audit's future partitions.

    Raises:
        AuditBroken: the chain is not the one that was signed last.
    """
    with conn.transaction():
        audit_tables.make_audit_partitions(conn, now=now)
    with conn.transaction():
        chained = audit_entries.extend_chain(conn)
    with conn.transaction():
        take_turn(conn, "checkpoint")
        head = audit_entries.chain_head(conn)
        log = audit_entries.log_id(conn)
        before = anchors.read_anchor_files(folder / log)
        _require_same(conn, before)
        if head is None:
            return Checkpoint(chained=chained, position=0, anchor=None)
        position, _ = head
        if before and before[-1]["position"] == str(position):
            return Checkpoint(chained=chained, position=position, anchor=None)
        signed = _sign(key, log, head, before, now)
        path = anchors.write_anchor(folder / log, signed)
        audit_entries.record_checkpoint(conn, signed)
    return Checkpoint(chained=chained, position=position, anchor=path)


def _require_same(conn: Connection[Any], before: Sequence[Record]) -> None:
    if not before:
        return
    last = before[-1]
    if audit_entries.hash_at(conn, int(last["position"] or 0)) != last["hash"]:
        raise AuditBroken(
            f"audit: the chain at {last['position']} is not the one that was signed; nothing was signed now",
            hint="`daftari audit verify` shows what was changed.",
        )


def _sign(
    key: Ed25519PrivateKey, log: str, head: tuple[int, str], before: Sequence[Record], now: datetime
) -> Record:
    position, hash_ = head
    checkpoint: dict[str, str | None] = {
        "log": log,
        "position": str(position),
        "hash": hash_,
        "signed_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "previous": sha256(checkpoint_bytes(before[-1])).hexdigest() if before else None,
    }
    return {**checkpoint, "signature": key.sign(checkpoint_bytes(checkpoint)).hex()}
