"""The markers: the contract last applied to each governed table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from daftari.contract.model import Contract
from daftari.io.database import queries

_QUERIES = queries.load_queries("catalogue/applied_contracts.sql")


def hashes(conn: Connection[Any]) -> dict[str, str]:
    """Return the hash of the contract in force, by dataset. Empty where the platform's tables do not exist yet."""
    there = conn.execute(_QUERIES["is_there"]).fetchone()
    return dict(conn.execute(_QUERIES["hashes"]).fetchall()) if there and there[0] else {}


def documents(conn: Connection[Any]) -> dict[str, str]:
    """Return the contracts in force as documents, by dataset."""
    return dict(conn.execute(_QUERIES["documents"]).fetchall())


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A contract that was applied to a dataset."""

    version: str
    applied_at: datetime
    applied_by: str
    document: str


def applied_contracts_of(conn: Connection[Any], dataset: str, limit: int) -> list[Marked]:
    """Return the latest contracts that were applied to *dataset*, newest first."""
    with conn.cursor(row_factory=class_row(Marked)) as cursor:
        return cursor.execute(_QUERIES["history"], {"dataset": dataset, "limit": limit}).fetchall()


def mark_applied(conn: Connection[Any], contracts: Sequence[Contract], *, now: datetime) -> list[str]:
    """Record *contracts* as in force; return the datasets whose marker changed."""
    moved = []
    for contract in contracts:
        row = conn.execute(
            _QUERIES["mark"],
            {
                "dataset": contract.dataset.name,
                "contract_id": contract.id,
                "version": contract.version,
                "hash": contract.hash,
                "document": contract.document,
                "now": now,
            },
        ).fetchone()
        if row:
            moved.append(contract.dataset.name)
    conn.execute(_QUERIES["forget_others"], {"datasets": [it.dataset.name for it in contracts]})
    return moved
