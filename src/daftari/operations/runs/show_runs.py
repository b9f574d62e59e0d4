"""Runs of the ledger: the latest, and one with what it rejected and changed."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from daftari.io.audit import audit_entries
from daftari.io.audit.audit_entries import AuditEntry
from daftari.io.runs import ledger, overview
from daftari.io.runs.ledger import Reason
from daftari.io.runs.overview import RunRecord as RunRecord


@dataclass(frozen=True, kw_only=True)
class ShownRun:
    run: RunRecord
    dataset: str
    reasons: tuple[Reason, ...]  #: why rows were rejected
    entries: tuple[AuditEntry, ...]  #: of the audit; none unless the caller may see the audit


def show_runs(
    conn: Connection[Any], datasets: Sequence[str], *, before: int | None = None, limit: int
) -> list[RunRecord]:
    """Return runs of *datasets*, newest first, those *before* a run's number."""
    return overview.runs_of(conn, datasets, before=before, limit=limit)


def show_run(
    conn: Connection[Any], run_id: int, datasets: Container[str], *, with_audit: bool
) -> ShownRun | None:
    """Return one run; None where it does not exist, or belongs to none of *datasets*."""
    run = overview.run_of(conn, run_id)
    if run is None or run.dataset is None or run.dataset not in datasets:
        return None
    entries = (
        audit_entries.audit_entries(conn, audit_entries.AuditFilter(run_id=run_id)) if with_audit else []
    )
    reasons = ledger.reasons_of(conn, run_id)
    return ShownRun(run=run, dataset=run.dataset, reasons=reasons, entries=tuple(entries))
