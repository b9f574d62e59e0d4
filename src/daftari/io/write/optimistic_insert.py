"""
Optimistic insert: writes rows as if all were valid and new, and no request was answered before.

That takes a third of the round trips of looking first. Otherwise the server rejects the statement, nothing is
written, and the rows take the usual way (io/write/caller_write.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from psycopg import Connection, Rollback, sql
from psycopg.errors import DataError, InsufficientPrivilege, IntegrityError, UndefinedTable

from daftari.contract.access.caller import RequestContext
from daftari.contract.model import Contract
from daftari.io.access.callers import speak_for
from daftari.io.database import queries
from daftari.io.keys.session_keys import in_reader_role
from daftari.io.quarantine import quarantine_entries
from daftari.io.row_writing import staging
from daftari.io.row_writing.repeats import unique_others
from daftari.io.runs import ledger
from daftari.io.runs.ledger import BatchAudit, RunCounts
from daftari.io.write.idempotency import Named, facts_of

_QUERIES = queries.load_queries("write/optimistic_insert.sql")


@dataclass(frozen=True, kw_only=True)
class OptimisticInsert:
    """The rows of a run, if all of them are new."""

    contract: Contract
    context: RequestContext
    role: str  #: of PostgreSQL
    rows: pl.DataFrame  #: one per key, in the database's form
    lines: pl.Series  #: their places in the request, from 1
    duplicates: int  #: records with the same key and content as another one
    superseded: int  #: records that a later one of the same key replaces
    sha256: str  #: of the requests
    answers: Sequence[tuple[Named, Any]]  #: to be stored


def insert_optimistically(conn: Connection[Any], delivery: OptimisticInsert) -> int | None:
    """
    Write the rows in the caller's role, in one run and transaction; return its number.

    None, and nothing written: the database has another contract; a row exists already, is being written by another
    session or is rejected by the server; or a request was answered before.
    """
    try:
        with conn.transaction():
            run_id = _delivered(conn, delivery)
            if run_id is None:
                raise Rollback
        return run_id
    except (IntegrityError, DataError, InsufficientPrivilege, UndefinedTable):
        return None


def _delivered(conn: Connection[Any], delivery: OptimisticInsert) -> int | None:
    dataset, named = delivery.contract.dataset, facts_of([it for it, _ in delivery.answers])
    about = {"dataset": dataset.name, "contract_hash": delivery.contract.hash, "sha256": delivery.sha256}
    speak_for(conn, delivery.context)
    begun = conn.execute(_QUERIES["begin"], {**named, **about}).fetchone()
    if begun is None:
        return None
    run_id = int(begun[0])
    rows, height = delivery.rows, delivery.rows.height
    digest = staging.stage_rows(conn, dataset, rows, delivery.lines)
    counts = RunCounts(
        received=height + delivery.duplicates + delivery.superseded,
        inserted=height,
        duplicate=delivery.duplicates,
        superseded=delivery.superseded,
    )
    kept = {
        "fingerprints": [it.fingerprint for it, _ in delivery.answers],
        "answers": [json.dumps(answer) for _, answer in delivery.answers],
    }
    with conn.pipeline():
        with in_reader_role(conn, delivery.role):
            inserted = conn.execute(_insert(delivery))
        ledger.record_batch(conn, BatchAudit.of(dataset.name, counts, digest))
        conn.execute(_QUERIES["end"], {"run_id": run_id, **named, **vars(counts), **kept})
    if inserted.rowcount != height:
        return None
    quarantine_entries.resolve_keys(conn, run_id, dataset, rows)
    return run_id


def _insert(delivery: OptimisticInsert) -> sql.Composed:
    dataset = delivery.contract.dataset
    order = [sql.Identifier(name) for name in dataset.key or ("_line",)]
    return sql.SQL(_QUERIES["insert"]).format(
        table=staging.governed_table(dataset),
        stage=staging.stage_of_session(dataset),
        columns=staging.listed(staging.filled_columns(delivery.rows, dataset)),
        # PostgreSQL cannot skip a conflict of a deferrable constraint; it then rejects the statement.
        otherwise=sql.SQL("" if unique_others(dataset) else "on conflict do nothing"),
        order=sql.SQL(", ").join(order),
    )
