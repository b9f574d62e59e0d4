"""
What time makes necessary, and what runs anyway does: partitions ahead, and checkpoints of the audit.

Its failure is logged, and fails nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import Connection

from daftari import log
from daftari.compile import partitions
from daftari.compile.names import Schemas
from daftari.contract.model import Contract
from daftari.errors import DaftariError
from daftari.io.audit import audit_entries, audit_tables
from daftari.io.catalogue import partition_tables
from daftari.io.database.turns import take_turn
from daftari.operations.audit.checkpoint_audit import checkpoint_audit
from daftari.operations.audit.signing_keys import signing_key_of
from daftari.operations.schema.make_partitions import make_partitions
from daftari.settings import Settings

#: Changes by a superuser to entries after the last checkpoint may go undetected.
CHECKPOINT_EVERY = timedelta(minutes=5)


def keep_up(
    conn: Connection[Any], settings: Settings, contracts: Sequence[Contract], *, now: datetime
) -> None:
    """
    Make the partitions of *contracts* and of the audit that are due by *now*; sign a checkpoint if one is due.

    A checkpoint needs the signing key; without one, none is made. *conn* must be in autocommit mode.
    """
    _try("partitions", lambda: _make_partitions(conn, contracts, now))
    _try("checkpoint", lambda: _checkpoint(conn, settings, now))


def _try(what: str, do: Callable[[], None]) -> None:
    try:
        do()
    except psycopg.errors.InsufficientPrivilege:
        log.get().debug("upkeep_left_to_another_login", what=what)
    except (DaftariError, psycopg.Error, OSError) as error:
        said = error.code if isinstance(error, DaftariError) else type(error).__name__
        log.get().warning("upkeep_failed", what=what, error=said)


def _make_partitions(conn: Connection[Any], contracts: Sequence[Contract], now: datetime) -> None:
    there = partition_tables.partition_names(conn)
    due = [contract for contract in contracts if not _wanted(contract, now) <= there]
    if due:
        with conn.transaction():
            take_turn(conn, "apply")
            make_partitions(conn, due, now=now)
    with conn.transaction():
        audit_tables.make_audit_partitions(conn, now=now)


def _wanted(contract: Contract, now: datetime) -> set[str]:
    dataset = contract.dataset
    if dataset.partitioning is None:
        return set()
    today = partitions.day_of(dataset, now)
    return {it.name for it in partitions.partitions(dataset, today=today, schemas=Schemas())}


def _checkpoint(conn: Connection[Any], settings: Settings, now: datetime) -> None:
    last = audit_entries.last_checkpoint(conn)
    is_due = last is None or now - last >= CHECKPOINT_EVERY
    if is_due and settings.signing_key.exists():
        checkpoint_audit(conn, signing_key_of(settings), folder=settings.anchors_dir, now=now)
