"""
Load one file into its dataset: read, judge, write, count every row. Completely or not at all.

A thread reads and judges blocks while the server copies the earlier ones: the server is the slower of the two, and
the loader's memory holds a few blocks, however large the file is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from psycopg import Connection

from daftari.compile.access.roles import Roles
from daftari.contract.access.caller import RequestContext
from daftari.contract.model import Conflict, Contract, Dataset
from daftari.contract.permissions import sees_all_rows
from daftari.errors import KeysUnavailable, ReconciliationError, RowsRepeated, counted
from daftari.io.files import Source
from daftari.io.keys.sealer import Sealer
from daftari.io.load.bulk_load import BulkLoad, LoadedRows
from daftari.io.load.foreign_keys import ReferencedRows
from daftari.io.load.load_as_caller import LoadAsCaller
from daftari.io.load.prefetch import prefetch
from daftari.io.load.repeated_rows import RepeatedRows, repeated_rows
from daftari.io.load.undeclared_steps import undeclared_steps
from daftari.io.quarantine import quarantine_entries
from daftari.io.quarantine.sealed_cells import SealedCells
from daftari.io.runs import ledger
from daftari.io.runs.ledger import BatchAudit, Loaded, Origin, RunCounts
from daftari.operations.load.judge_process import JudgeOrder, JudgeProcess
from daftari.operations.load.recognise_file import GivenFile, recognise_file
from daftari.rows.formats.inference import infer_styles
from daftari.rows.formats.late_evidence import StyleChanged
from daftari.rows.intake.batch import RowsElsewhere
from daftari.rows.intake.control_totals import ControlTotals, reckon
from daftari.rows.intake.file_reading import Met
from daftari.rows.intake.intake import Intake, Judged, rejected_rows_of, take_in
from daftari.rows.intake.remarks import Remark, RemarkKind, merged
from daftari.rows.mapping.column_plan import ColumnPlan
from daftari.rows.rules.rules import rulebook

if TYPE_CHECKING:
    from daftari.io.keys import KeyStore

#: From this size on, an empty table gets its indexes after its rows.
_LARGE_BYTES = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class FileLoad:
    """A file on its way into one dataset, and everything known about it."""

    contract: Contract
    source: Source
    plan: ColumnPlan  #: settled, unless a judge process settles it
    origin: Origin
    totals: tuple[ControlTotals, ...] = ()  #: as stated by the sender, the mapping, a manifest
    #: for a replay: the lines to take, each with its entry in quarantine; None: the whole file
    replays: Mapping[int, int] | None = None
    open_keys: Callable[[], KeyStore] | None = None  #: None suffices where nothing is sealed
    judge: JudgeProcess | None = None  #: the process that judges the file; None: this one
    sender: tuple[RequestContext, Roles] | None = None  #: whose role writes its rows; None: an operator's
    #: whether known content is judged again when the contract or the mapping has changed since
    judges_again: bool = False

    @property
    def given(self) -> GivenFile:
        return GivenFile(
            dataset=self.contract.dataset.name,
            name=self.origin.name,
            sha256=self.origin.sha256,
            mapping_sha256=self.origin.mapping_sha256 if self.judges_again else None,
        )

    def judged_here(self, *, whole: bool = False) -> FileLoad:
        """Return the load with its styles inferred: from as much of the file as needed, or from the *whole*."""
        return replace(self, plan=infer_styles(self.plan, self.source.blocks(), whole=whole), judge=None)


def load_file(
    conn: Connection[Any],
    delivery: FileLoad,
    *,
    now: datetime,
    again: bool = False,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Loaded:
    """
    Load a file, unless one of the same content was loaded before; *again* loads it in any case, also where a table
    without a key has most of its rows already.

    *conn* must be in autocommit mode. *progress* is called with the number of rows of each block. Killed at any moment,
    it has done everything or nothing; in both cases it may be called again.

    Raises:
        SourceError, MappingError: the file cannot be read.
        ReconciliationError: it does not add up to its control totals.
        RowsRepeated: a table without a key has at least half of its rows already, word for word.
        DatabaseError: a referenced row was deleted meanwhile.
    """
    is_new = again or delivery.replays is not None
    known = None if is_new else recognise_file(conn, delivery.given)
    if known is not None:
        return known
    kind = "load" if delivery.replays is None else "replay"
    with ledger.ledger_run(conn, kind, delivery.contract, delivery.origin) as run_id, conn.transaction():
        while True:
            try:
                with conn.transaction():
                    return _Load(conn, delivery, run_id, again=again).all(now, progress)
            except RowsElsewhere:
                # The server rejected a row that no rule rejects: to find it, its batch's rows are needed. This is
                # rare enough to start again in this process.
                delivery = delivery.judged_here()
            except StyleChanged:
                delivery = delivery.judged_here(whole=True)


class _Load:
    """One run, within its transaction."""

    def __init__(self, conn: Connection[Any], delivery: FileLoad, run_id: int, *, again: bool) -> None:
        self._conn = conn
        self._again = again
        self._delivery = delivery
        self._dataset = delivery.contract.dataset
        self._run_id = run_id
        self._landing: BulkLoad | LoadAsCaller = (
            BulkLoad(conn, self._dataset, run_id)
            if delivery.sender is None
            else LoadAsCaller(conn, self._dataset, run_id, delivery.sender)
        )
        self._parents = ReferencedRows(conn, self._dataset)
        self._replays = delivery.replays
        self._kept = SealedCells(delivery.open_keys, self._dataset)
        self._counts = RunCounts()
        self._met = Met()

    def all(self, now: datetime, progress: Callable[[int], None]) -> Loaded:
        self._landing.prepare(large=self._delivery.origin.bytes >= _LARGE_BYTES)
        if self._replays is not None:  # another replay may have been faster
            still_open = quarantine_entries.still_open(self._conn, self._replays.values())
            self._replays = {line: entry for line, entry in self._replays.items() if entry in still_open}
        for judged in prefetch(self._judged(now), depth=1):
            self._land(judged)
            progress(judged.received)
        self._account(self._landing.finish())
        self._parents.hold()
        self._reconcile()
        return self._close(self._repeated())

    def _judged(self, now: datetime) -> Iterator[Judged]:
        today, known, sealer = self._dataset.today(now), self._parents.existing(), self._sealer()
        if self._delivery.judge is not None:
            order = JudgeOrder(run_id=self._run_id, today=today, existing=known.as_sent())
            return self._delivery.judge.judged(order)
        intake = Intake(
            book=rulebook(self._dataset, today=today, known=known.keys, standing=known.standing),
            plan=self._delivery.plan,
            run_id=self._run_id,
            wanted=None if self._replays is None else frozenset(self._replays),
            seal=sealer.seal,
        )
        return take_in(self._delivery.source.blocks(), intake)

    def _sealer(self) -> Sealer:
        sealer = Sealer(self._delivery.open_keys, self._dataset)
        if self._dataset.conflict is not Conflict.UPDATE and sealer.is_rotating():
            # A value that is not yet re-encrypted looks like another one: it would be rejected as a contradiction.
            raise KeysUnavailable(
                f"{self._dataset.name}: a key rotation is unfinished; expected none, because its contract rejects or "
                "skips rows that differ from the existing row",
                hint="Wait for `daftari keys rotate`, or start it again if it was stopped.",
            )
        return sealer

    def _land(self, judged: Judged) -> None:
        self._parents.use(judged.references)
        for batch in judged.batches:
            self._account(self._landing.land(batch))
        self._quarantine(judged.rejected)
        self._counts += RunCounts(
            received=judged.rejected.height + judged.duplicates + len(judged.superseded),
            duplicate=judged.duplicates,
            superseded=len(judged.superseded),
            quarantined=judged.rejected.height,
        )
        self._met = judged.met

    def _account(self, landed: tuple[LoadedRows, ...]) -> None:
        for one in landed:
            self._counts += one.counts
            if one.refused:
                self._quarantine(rejected_rows_of(one.batch, one.refused, self._dataset))

    def _quarantine(self, rejected: pl.DataFrame) -> None:
        kept = self._kept.seal(rejected, self._run_id)
        quarantine_entries.add_to_quarantine(
            self._conn, self._run_id, self._dataset, kept, replaces=self._replays
        )

    def _reconcile(self) -> None:
        """Refuse a file that differs from its stated totals; the message has both figures."""
        if self._replays is not None:
            return
        reckoning = reckon(self._delivery.totals, self._met)
        if reckoning.differences:
            raise ReconciliationError(
                f"{self._delivery.origin.name}: does not reconcile: {'; '.join(reckoning.differences)}",
                hint=reckoning.hint,
            )
        self._met = replace(self._met, remarks=(*self._met.remarks, *reckoning.remarks))

    def _repeated(self) -> tuple[Remark, ...]:
        """
        Say which rows a table without a key has already; refuse the file if they are at least half of it.

        Not said to a sender who may not see all rows, nor of rows that come from quarantine.
        """
        sender, dataset = self._delivery.sender, self._dataset
        may_know = sender is None or sees_all_rows(dataset, sender[0].caller.role)
        if dataset.key or not may_know or self._replays is not None:
            return ()
        found = repeated_rows(self._conn, dataset, self._run_id)
        if found is None:
            return ()
        remark = _repeated_remark(found, dataset, self._counts.inserted)
        if not self._again and 2 * found.rows >= self._counts.inserted:
            run = found.runs[0][0]
            raise RowsRepeated(
                f"{self._delivery.origin.name}: {remark.text}; expected rows that are new",
                hint=f"Nothing was loaded. If the file corrects run {run}, undo that first: daftari undo {run}. If its"
                " rows happened again, load it with --again. A key in the contract would tell the two apart.",
            )
        return (remark,)

    def _close(self, repeated: tuple[Remark, ...]) -> Loaded:
        run_id, delivery = self._run_id, self._delivery
        if self._replays is None:
            quarantine_entries.resolve_content(self._conn, run_id, self._dataset, delivery.origin.sha256)
        else:
            quarantine_entries.resolve_entries(self._conn, run_id, self._replays.values())
        corrected = quarantine_entries.resolve_landed(self._conn, run_id, self._dataset)
        audited = BatchAudit.of(self._dataset.name, self._counts, self._landing.digest)
        ledger.record_batch(self._conn, replace(audited, operation=self._landing.operation))
        own = (*self._met.remarks, *repeated, *self._judged_before(), *self._undeclared_steps())
        remarks = merged((*delivery.source.remarks, *delivery.plan.remarks, *own))
        is_replay = self._replays is not None
        ledger.record_file(self._conn, run_id, self._dataset.name, delivery.origin, is_replay=is_replay)
        ledger.finish_run(self._conn, run_id, self._counts)
        left_out = delivery.source.left_out + self._met.left_out
        ledger.record_reading(self._conn, run_id, left_out, remarks)
        return Loaded(
            dataset=self._dataset.name,
            source=delivery.origin.name,
            run_id=run_id,
            counts=self._counts,
            reasons=ledger.reasons_of(self._conn, run_id),
            left_out=left_out,
            remarks=remarks,
            corrected=corrected,
        )

    def _undeclared_steps(self) -> Iterator[Remark]:
        """Report rows whose state changed without a step of the contract: roles that record may do that."""
        approval = self._dataset.approval
        if approval is None or not self._counts.updated:
            return
        is_shown = not self._dataset.field(approval.field).is_confidential
        for was, becomes, rows in undeclared_steps(self._conn, self._dataset, self._run_id):
            step = f" from {was} to {becomes}" if is_shown else ""
            text = f"{approval.field} changed{step}, which is not a step of the contract's approval"
            yield Remark(kind=RemarkKind.UNDECLARED_STEP, text=text, count=rows)

    def _judged_before(self) -> Iterator[Remark]:
        known = ledger.known_run(self._conn, self._dataset.name, self._delivery.origin.sha256)
        if known is not None and self._replays is None:
            text = f"the same content was loaded before, by run {known}; it is judged again"
            yield Remark(kind=RemarkKind.JUDGED_AGAIN, text=text)


def _repeated_remark(found: RepeatedRows, dataset: Dataset, inserted: int) -> Remark:
    runs = " and ".join(f"run {run} ({counted(rows, 'row')})" for run, rows in found.runs)
    there = f"{found.rows:,} of {inserted:,} rows are in {dataset.name} already"
    text = f"{there}, word for word, from {runs}; it has no key"
    return Remark(kind=RemarkKind.REPEATED_ROWS, text=text)
