"""
Load one file into its dataset: read, judge, land, account for every row. All of it, or nothing.

Blocks are read and judged in a thread of their own while the server copies the ones before: the server is the
slower of the two, and the loader's memory holds a few blocks however large the file is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from psycopg import Connection

from daftari.contract.model import Contract
from daftari.errors import DatabaseError, ReconciliationError
from daftari.io import ledger, quarantine
from daftari.io.ahead import ahead
from daftari.io.files import Source
from daftari.io.landing import Landing, Refused
from daftari.io.ledger import Counts, Origin, Reason
from daftari.io.parents import Parents
from daftari.rows.expressions import ZONE
from daftari.rows.intake import Intake, Judged, refusals, take_in
from daftari.rows.parse import to_rows
from daftari.rows.plan import ColumnPlan
from daftari.rows.rules import rulebook

#: From this many bytes on, an empty table gets its indexes after its rows.
_LARGE_BYTES = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A file, and all that is known of it, on its way into one dataset."""

    contract: Contract
    source: Source
    plan: ColumnPlan
    origin: Origin
    mapping: Mapping | None = None
    totals: ControlTotals | None = None  #: as stated by the sender


@dataclass(frozen=True, kw_only=True)
class Loaded:
    dataset: str
    source: str
    run_id: int
    counts: Counts = Counts()
    reasons: tuple[Reason, ...] = ()
    #: this very content had been loaded before, by `run_id`; nothing was done now
    known: bool = False
    blank: int = 0  #: records skipped because they were empty
    repeated: int = 0  #: records skipped because they repeat the header
    mended: int = 0  #: quarantined rows of earlier runs that this one brought in good order


def load_file(
    conn: Connection[Any],
    delivery: Delivery,
    *,
    now: datetime,
    again: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
) -> Loaded:
    """
    Load a file, unless one of the same content was loaded before; *again* loads it all the same.

    *conn* must be in autocommit mode. *progress* is told how many rows each block brought. Killed at any moment,
    it has done nothing, or all; either way it may simply be called again.

    Raises:
        SourceError, MappingError: the file cannot be read.
        ReconciliationError: it does not add up to its control totals.
        DatabaseError: a row that others refer to went away meanwhile.
    """
    dataset, origin = delivery.contract.dataset, delivery.origin
    known = None if again else ledger.known_run(conn, dataset.name, origin.sha256)
    if known is not None:
        return Loaded(dataset=dataset.name, source=origin.name, run_id=known, known=True)
    with ledger.run(conn, "load", delivery.contract, origin) as run_id:
        with conn.transaction():
            loaded = _Load(conn, delivery, run_id).all(now, progress)
            ledger.record_file(conn, run_id, dataset.name, origin)
    return loaded


class _Load:
    """One run, within its transaction."""

    def __init__(self, conn: Connection[Any], delivery: Delivery, run_id: int) -> None:
        self._conn = conn
        self._delivery = delivery
        self._dataset = delivery.contract.dataset
        self._run_id = run_id
        self._landing = Landing(conn, self._dataset, run_id)
        self._parents = Parents(conn, self._dataset)
        self._counts = Counts()
        self._blank = self._repeated = 0
        self._sums: dict[str, Decimal] = {}

    def all(self, now: datetime, progress: Callable[[int], None]) -> Loaded:
        self._landing.prepare(large=self._delivery.origin.bytes >= _LARGE_BYTES)
        for judged in ahead(take_in(self._delivery.source.blocks(), self._intake(now))):
            self._land(judged)
            progress(judged.received)
        self._landing.finish()
        self._parents.hold()
        self._reconcile()
        return self._close()

    def _intake(self, now: datetime) -> Intake:
        today = now.astimezone(ZoneInfo(ZONE)).date()
        plan, dataset = self._delivery.plan, self._dataset
        return Intake(
            book=rulebook(dataset, today=today, known=self._parents.known()),
            to_rows=lambda block: to_rows(plan, block, dataset),
            run_id=self._run_id,
            sum_of=self._delivery.totals.sums if self._delivery.totals else (),
        )

    def _land(self, judged: Judged) -> None:
        landed = self._landing.land(judged.batch)
        self._parents.use(judged.batch.rows)
        quarantine.add(self._conn, self._run_id, self._dataset, judged.rejected)
        for refused in landed.refused:
            at = judged.batch.lines == refused.line
            rows = refusals(judged.batch.rows.filter(at), judged.batch.lines.filter(at), self._dataset, rule=refused.rule, reason=refused.reason)
            quarantine.add(self._conn, self._run_id, self._dataset, rows)
        refused_before = judged.rejected.height + judged.duplicates
        self._counts += landed.counts + Counts(
            received=refused_before, duplicate=judged.duplicates, quarantined=judged.rejected.height
        )
