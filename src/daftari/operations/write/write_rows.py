"""
Write the records of callers: judged by the rules for files, written in the caller's role, all in one run.

Several requests of one caller may be written at once: each has its own answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl
from psycopg import Connection
from psycopg.errors import DeadlockDetected

from daftari.contract.access.role_permissions import permission_of
from daftari.contract.model import Operation
from daftari.errors import AccessRefused, KeyReused, RequestUnderWay
from daftari.io.access.callers import speak_for
from daftari.io.keys.sealer import Sealer
from daftari.io.load.foreign_keys import ReferencedRows
from daftari.io.quarantine import quarantine_entries
from daftari.io.quarantine.sealed_cells import SealedCells
from daftari.io.runs import ledger
from daftari.io.runs.ledger import BatchAudit, Origin, RunCounts
from daftari.io.write import idempotency, optimistic_insert
from daftari.io.write.caller_write import CallerWrite, Fate
from daftari.io.write.current_rows import current_rows
from daftari.io.write.idempotency import Claim
from daftari.operations.read.read_rows import Reader
from daftari.operations.read.row_version import require_version
from daftari.operations.write.disclosure import disclosed_reasons, hidden_rules
from daftari.operations.write.judge_records import JudgedRecords, judge_records, remarks_on_records
from daftari.operations.write.write_requests import (
    RecordOutcome,
    RequestAnswer,
    WriteContext,
    WriteRequest,
    digest_of_requests,
    kept_answer,
    require_writer,
    to_keep,
)
from daftari.rows.intake.batch import Batch
from daftari.rows.intake.intake import Judged, rejected_rows_of
from daftari.rows.intake.records import NotARecord, Record, require_known_names
from daftari.rows.rules.approval_signature import signed
from daftari.rows.rules.references import asked_of

_TRIES = 3


def write_rows(
    conn: Connection[Any], write_context: WriteContext, requests: Sequence[WriteRequest], *, now: datetime
) -> list[RequestAnswer | Exception]:
    """
    Write the records of *requests*, in one transaction; return for each an answer, or the error instead.

    *conn* must be in autocommit mode. Killed at any moment, everything was done or nothing; a request with a key may be
    sent again.

    Raises:
        UnknownName: a record names an unknown field. Nothing was written.
        AccessRefused: the caller's role may not insert.
        DatabaseError, KeysUnavailable, Drift: see their messages.
    """
    require_writer(write_context)
    for request in requests:  # unknown names are refused before anything is claimed
        require_known_names(request.records, write_context.dataset)
    if all(request.is_new and not request.is_partial and not request.corrects for request in requests):
        answers = _insert_all_new(conn, write_context, requests, now)
        if answers is not None:
            return answers
    ledger.require_contract(conn, write_context.contract)
    with idempotency.claimed_keys(conn, [write_context.named(request) for request in requests]) as claims:
        found = [
            _settled(claim, request) or _beyond_right(write_context, request)
            for claim, request in zip(claims, requests, strict=True)
        ]
        waiting = [request for request, answer in zip(requests, found, strict=True) if answer is None]
        if waiting:
            given = iter(_write(conn, write_context, waiting, now))
            found = [next(given) if answer is None else answer for answer in found]
    return [answer for answer in found if answer is not None]


def _insert_all_new(
    conn: Connection[Any], write_context: WriteContext, requests: Sequence[WriteRequest], now: datetime
) -> list[RequestAnswer | Exception] | None:
    """
    Insert records if all of them are valid and new; otherwise write nothing and return None.

    Only the server looks up references here, unless rules look at referenced rows.
    """
    records = _all_of(requests)
    seal = Sealer(write_context.open_keys, write_context.dataset).seal
    looks_beyond = any(asked_of(write_context.dataset).values())
    look_up = ReferencedRows(conn, write_context.dataset).existing_among if looks_beyond else None
    sent = JudgedRecords(records=records, seal=seal)
    judged = judge_records(write_context.contract, sent, now, look_up=look_up)
    (batch,) = judged.batches
    if not judged.rejected.is_empty() or not batch.height:
        return None
    outcomes = _dropped(judged)
    for line in batch.lines:
        outcomes[line - 1] = RecordOutcome(status="inserted")
    outcomes = _remarked(outcomes, remarks_on_records(write_context.contract, sent, judged))
    shares = _shared_out(outcomes, requests)
    named = [(write_context.named(request), own) for request, own in zip(requests, shares, strict=True)]
    delivery = optimistic_insert.OptimisticInsert(
        contract=write_context.contract,
        context=write_context.context_of(requests),
        role=write_context.roles.of(write_context.context.caller.role),
        rows=batch.rows,
        lines=batch.lines,
        duplicates=judged.duplicates,
        superseded=len(judged.superseded),
        sha256=digest_of_requests(requests),
        answers=[(name, to_keep(own)) for name, own in named if name is not None],
    )
    run_id = optimistic_insert.insert_optimistically(conn, delivery)
    return None if run_id is None else [RequestAnswer(run_id=run_id, outcomes=own) for own in shares]


def _dropped(judged: Judged) -> list[RecordOutcome]:
    """The outcome of each record, as if all were dropped in favour of others of their keys."""
    outcomes = [RecordOutcome(status="duplicate")] * judged.received
    for line in judged.superseded:
        outcomes[line - 1] = RecordOutcome(status="superseded")
    return outcomes


def _remarked(
    outcomes: Sequence[RecordOutcome], remarks: Mapping[int, tuple[str, ...]]
) -> list[RecordOutcome]:
    if not remarks:
        return list(outcomes)
    return [replace(it, remarks=remarks.get(line, ())) for line, it in enumerate(outcomes, 1)]


def _all_of(requests: Sequence[WriteRequest]) -> list[Record]:
    return [record for request in requests for record in request.records]


def _shared_out(
    outcomes: Sequence[RecordOutcome], requests: Sequence[WriteRequest]
) -> list[tuple[RecordOutcome, ...]]:
    """The outcomes of each of *requests*."""
    shares, first = [], 0
    for request in requests:
        shares.append(tuple(outcomes[first : first + len(request.records)]))
        first += len(request.records)
    return shares


def _settled(claim: Claim, request: WriteRequest) -> RequestAnswer | Exception | None:
    """Return the stored answer, or the error; None: the request must be processed."""
    if claim.is_other:
        return KeyReused(
            f"Idempotency-Key: found {request.key!r} again with other records; expected a new key"
        )
    if claim.run_id is not None:
        return kept_answer(claim.run_id, claim.answer)
    if not claim.is_ours:
        return RequestUnderWay(
            f"Idempotency-Key: the request {request.key!r} is being processed", hint="Ask again in a second."
        )
    return None


def _beyond_right(write_context: WriteContext, request: WriteRequest) -> AccessRefused | None:
    """
    Return why a partial change is refused before it is judged: it names a field that the caller may not update.

    What a rule says of it, beside the row's hidden values, or whether it changes anything, would tell those values.
    """
    if not request.is_partial:
        return None
    dataset, role = write_context.dataset, write_context.context.caller.role
    share = permission_of(dataset, role, Operation.UPDATE)
    open_to_it = {*dataset.key, *(share.everywhere if share else ())}
    beyond = {name for record in request.records if not isinstance(record, NotARecord) for name in record}
    if not beyond - open_to_it:
        return None
    return AccessRefused(
        f"{dataset.name}: role {role} may not update {', '.join(sorted(beyond - open_to_it))}; expected fields that "
        "its contract permits it to update",
        hint="`daftari contract show` shows who may do what.",
    )


def _write(
    conn: Connection[Any], write_context: WriteContext, requests: Sequence[WriteRequest], now: datetime
) -> list[RequestAnswer]:
    """Write; try again where the server rolled this session back to end a deadlock with another."""
    for _ in range(_TRIES - 1):
        with suppress(DeadlockDetected):
            return _write_once(conn, write_context, requests, now)
    return _write_once(conn, write_context, requests, now)


def _write_once(
    conn: Connection[Any], write_context: WriteContext, requests: Sequence[WriteRequest], now: datetime
) -> list[RequestAnswer]:
    origin = Origin(name="api", sha256=digest_of_requests(requests))
    with ledger.ledger_run(conn, "write", write_context.contract, origin) as run_id, conn.transaction():
        speak_for(conn, write_context.context_of(requests))
        for request in requests:
            _require_version(conn, write_context, request)
        corrects = _corrected_entries(requests)
        if corrects:
            quarantine_entries.hold_entries(conn, write_context.dataset, corrects.values())
        records = _all_of(requests)
        sent_names: dict[int, frozenset[str]] | None = None
        if requests[0].is_partial:
            sealer = Sealer(write_context.open_keys, write_context.dataset)
            changes = [it for it in records if not isinstance(it, NotARecord)]
            there = current_rows(conn, write_context.dataset, changes, sealer)
            sent_names = {line: frozenset(change) for line, change in enumerate(changes, 1)}
            who = (write_context.context.caller.role, write_context.context.caller.user_id)
            records = [
                {**row, **signed(row, change, write_context.dataset, who, now)}
                for row, change in zip(there, changes, strict=True)
            ]
        seal, look_up = (
            Sealer(write_context.open_keys, write_context.dataset).seal,
            ReferencedRows(conn, write_context.dataset).existing_among,
        )
        keeps_absent = requests[0].is_new and not requests[0].is_partial
        sent = JudgedRecords(records=records, seal=seal, keeps_absent=keeps_absent)
        judged = judge_records(write_context.contract, sent, now, look_up=look_up)
        outcomes = _Run(conn, write_context, run_id, corrects).all(judged, sent_names)
        outcomes = _remarked(outcomes, remarks_on_records(write_context.contract, sent, judged))
        shares = _shared_out(outcomes, requests)
        named = [(write_context.named(request), own) for request, own in zip(requests, shares, strict=True)]
        idempotency.keep_answers(
            conn, run_id, [(name, to_keep(own)) for name, own in named if name is not None]
        )
    return [RequestAnswer(run_id=run_id, outcomes=own) for own in shares]


def _require_version(conn: Connection[Any], write_context: WriteContext, request: WriteRequest) -> None:
    (record, *more) = request.records
    if request.versions is None or more or isinstance(record, NotARecord):
        return
    reader = Reader(dataset=write_context.dataset, context=write_context.context, roles=write_context.roles)
    key = [str(record[name]) for name in write_context.dataset.key]
    require_version(conn, reader, key, request.versions, fields=request.version_fields)


def _corrected_entries(requests: Sequence[WriteRequest]) -> dict[int, int]:
    """Return the entries that the records of *requests* correct, by line."""
    found: dict[int, int] = {}
    first = 1
    for request in requests:
        found |= {first + place: entry for place, entry in request.corrects.items()}
        first += len(request.records)
    return found


class _Run:
    """One run, within its transaction."""

    def __init__(
        self, conn: Connection[Any], write_context: WriteContext, run_id: int, corrects: Mapping[int, int]
    ) -> None:
        self._corrects = corrects  #: by line
        self._conn = conn
        self._write_context = write_context
        self._dataset = write_context.dataset
        self._run_id = run_id
        self._writing = CallerWrite(
            conn, write_context.dataset, write_context.context.caller, write_context.roles
        )
        self._hidden_rules = hidden_rules(
            write_context.dataset, write_context.known, write_context.context.caller.role
        )

    def all(self, judged: Judged, named: Mapping[int, frozenset[str]] | None) -> list[RecordOutcome]:
        outcomes = _dropped(judged)
        wrong = judged.rejected
        found = self._writing.write_all(judged.batches, named)
        for batch, fates in zip(judged.batches, found, strict=True):
            for line, fate in fates.items():
                outcomes[line - 1] = RecordOutcome(status=fate.status)
            refused = {line: fate.why for line, fate in fates.items() if fate.why is not None}
            wrong = pl.concat([wrong, rejected_rows_of(batch, refused, self._dataset)])
            self._resolve(batch, fates)
        for line, reasons in wrong.select("line", "reasons").iter_rows():
            disclosed = disclosed_reasons(json.loads(reasons), self._hidden_rules)
            outcomes[line - 1] = RecordOutcome(status="quarantined", reasons=disclosed)
        kept = SealedCells(self._write_context.open_keys, self._dataset).seal(wrong, self._run_id)
        quarantine_entries.add_to_quarantine(
            self._conn, self._run_id, self._dataset, kept, replaces=self._corrects
        )
        quarantine_entries.resolve_entries(self._conn, self._run_id, self._corrects.values())
        self._close(outcomes)
        return outcomes

    def _resolve(self, batch: Batch, fates: Mapping[int, Fate]) -> None:
        """Resolve the waiting entries of the keys that were written."""
        changed = [line for line, fate in fates.items() if fate.status in ("inserted", "updated")]
        quarantine_entries.resolve_keys(
            self._conn, self._run_id, self._dataset, batch.rows.filter(batch.lines.is_in(changed))
        )

    def _close(self, outcomes: Sequence[RecordOutcome]) -> None:
        counts = RunCounts.of(it.status for it in outcomes)
        if counts.inserted or counts.updated:
            ledger.record_batch(self._conn, BatchAudit.of(self._dataset.name, counts, self._writing.digest))
        ledger.finish_run(self._conn, self._run_id, counts)
