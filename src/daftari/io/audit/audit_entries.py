"""The stored audit: its records as texts for proof and export, its chain, and entries to show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row

from daftari.contract.platform import PLATFORM
from daftari.io.database import queries
from daftari.protect.verify_chain import ENTRY, WITH_ROWS, Record

_QUERIES = queries.load_queries("audit/audit_entries.sql")
_BATCH = 2000


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """An entry as people see it. For the rows themselves, use `daftari audit export`."""

    entry_id: int
    at: datetime
    operation: str
    relation: str
    actor: str
    login: str
    role: str
    purpose: str | None
    run_id: int | None
    request_id: str | None
    rows: int | None
    detail: dict[str, Any] | None
    position: int | None  #: in the chain; None: not chained yet


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which entries to show; None is any."""

    relation: str | None = None
    run_id: int | None = None
    actor: str | None = None
    limit: int = 20


def audit_entries(conn: Connection[Any], wanted: AuditFilter) -> list[AuditEntry]:
    """Return the entries that are *wanted*, newest first."""
    with conn.cursor(row_factory=class_row(AuditEntry)) as cursor:
        return cursor.execute(_QUERIES["entries"], vars(wanted)).fetchall()


def log_id(conn: Connection[Any]) -> str:
    return str(_value(conn, "log"))


def extend_chain(conn: Connection[Any]) -> int:
    """Give committed entries their place in the chain, within the caller's transaction; return how many."""
    return int(_value(conn, "chain"))


def chain_head(conn: Connection[Any]) -> tuple[int, str] | None:
    """Return position and hash of the last link."""
    row = conn.execute(_QUERIES["head"]).fetchone()
    return (int(row[0]), str(row[1])) if row else None


def hash_at(conn: Connection[Any], position: int) -> str | None:
    row = conn.execute(_QUERIES["link_at"], {"position": position}).fetchone()
    return str(row[0]) if row else None


def last_checkpoint(conn: Connection[Any]) -> datetime | None:
    """Return when the last checkpoint was signed."""
    row = conn.execute(_QUERIES["last_checkpoint"]).fetchone()
    return row[0] if row else None


def record_checkpoint(conn: Connection[Any], checkpoint: Record) -> None:
    conn.execute(_QUERIES["record_checkpoint"], dict(checkpoint))


def audit_records(conn: Connection[Any]) -> Iterator[Record]:
    """
    Yield the whole audit, as the texts that are hashed, in order of the chain.

    Needs a transaction with one snapshot (repeatable read). Memory: some thousand rows.
    """
    yield {"record": "log", "log": log_id(conn)}
    for table, month, name in conn.execute(_QUERIES["partitions"]).fetchall():
        count = sql.SQL(_QUERIES["count_partition"]).format(partition=sql.Identifier(PLATFORM, name))
        row = conn.execute(count).fetchone()
        yield {"record": "partition", "table": table, "month": month, "entries": str(row[0] if row else 0)}
    for position, hash_ in conn.execute(_QUERIES["checkpoints"]).fetchall():
        yield {"record": "checkpoint", "position": position, "hash": hash_}
    last = None
    with conn.cursor("audit_links") as cursor:
        cursor.itersize = _BATCH
        for found in cursor.execute(_QUERIES["links"]):
            position, entry_id, month, entry_hash, hash_, *entry, waiting = found
            if position is not None and position != last:
                yield {
                    "record": "link", "position": position, "entry_id": entry_id, "month": month,
                    "entry_hash": entry_hash, "hash": hash_,
                }  # fmt: skip
                last = position
            if entry[0] is not None:
                yield from _entry(conn, dict(zip(ENTRY, entry, strict=True)), waiting)


def _entry(conn: Connection[Any], entry: Record, waiting: str | None) -> Iterator[Record]:
    yield {"record": "entry", **entry, "waiting": waiting}
    if entry["operation"] in WITH_ROWS:
        with conn.cursor("audit_rows") as cursor:
            cursor.itersize = _BATCH
            for old, new in cursor.execute(_QUERIES["rows"], {"entry_id": entry["entry_id"]}):
                yield {"record": "row", "old": old, "new": new}


def _value(conn: Connection[Any], query: str) -> Any:
    row = conn.execute(_QUERIES[query]).fetchone()
    assert row is not None, "the query returns one value"
    return row[0]
