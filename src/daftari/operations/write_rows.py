"""
Write what callers send: judged by the rules that judge files, written in the caller's role, one run for all of it.

Several requests of one caller may be written at once: each has its own answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
from psycopg import Connection

from daftari.compile.roles import Roles
from daftari.contract.model import Contract, Dataset
from daftari.errors import AccessRefused, KeyReused, RequestUnderWay
from daftari.io import answers, ledger, quarantine
from daftari.io.answers import Claim, Named
from daftari.io.callers import Errand, speak_for
from daftari.io.current import current_rows
from daftari.io.kept_cells import KeptCells
from daftari.io.ledger import BatchAudit, Counts, Origin
from daftari.io.parents import Parents
from daftari.io.sealer import Sealer
from daftari.io.written import Fate, Writing
from daftari.operations.telling import told, untold_rules
from daftari.rows.batch import Batch
from daftari.rows.expressions import ZONE
from daftari.rows.intake import Intake, Judged, Refusal, refusals, take_in
from daftari.rows.reading import start, take
from daftari.rows.record import record_plan, records_block, require_known_names
from daftari.rows.rules import Rulebook, rulebook
from daftari.rows.signing import signed

if TYPE_CHECKING:
    from daftari.io.keys import KeyStore

#: The most records of one request.
MOST_RECORDS = 10_000
Record = Mapping[str, Any] | None  #: None: what came in its place is none


@dataclass(frozen=True, kw_only=True)
class Request:
    """What one caller sends at once."""

    records: Sequence[Record]
    request_id: str
    key: str | None = None  #: by which its caller names it, to be told the same when it asks again
    fingerprint: str = ""  #: of what was sent, where it has a key
    #: whether the records are keys, with what is to be otherwise in the rows that are there; alike in all of a batch
    is_partial: bool = False
    #: entries in quarantine that the records mend, by the place of the record, from 0
    mends: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one record."""

    status: str  #: inserted, updated, unchanged, duplicate or quarantined; of a step, refused too
    reasons: tuple[dict[str, Any], ...] = ()  #: rule, field and reason; no value of the record


@dataclass(frozen=True, kw_only=True)
class Answer:
    run_id: int
    outcomes: tuple[Outcome, ...]
    is_repeated: bool = False  #: it was given before, and nothing was done now


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where requests are written: one dataset, for one caller."""

    contract: Contract
    errand: Errand
    roles: Roles
    known: Mapping[str, Dataset]  #: by name, those that rows may refer to
    open_keys: Callable[[], KeyStore] | None = None

    @property
    def dataset(self) -> Dataset:
        return self.contract.dataset


def write_rows(
    conn: Connection[Any], desk: Desk, requests: Sequence[Request], *, now: datetime
) -> list[Answer | Exception]:
    """
    Write the records of *requests*, in one transaction; return an answer, or why there is none, for each.

    *conn* must be in autocommit mode. Killed at any moment, all was done or nothing; a request with a key may
    simply be sent again.

    Raises:
        UnknownName: a record names what is no field. Nothing was written.
        AccessRefused: the caller's role may not insert.
        DatabaseError, KeysUnavailable, Drift: as they say.
    """
    require_writer(desk)
    for request in requests:  # unknown names are refused before anything is claimed
        require_known_names(request.records, desk.dataset)
    ledger.require_contract(conn, desk.contract)
    named = [_named(desk, request) for request in requests]
    with answers.claimed(conn, named) as claims:
        found = [_settled(claim, request) for claim, request in zip(claims, requests, strict=True)]
        waiting = [at for at, answer in enumerate(found) if answer is None]
        if waiting:
            given = _write(conn, desk, [requests[at] for at in waiting], now)
            for at, answer in zip(waiting, given, strict=True):
                found[at] = answer
    return [answer for answer in found if answer is not None]


def require_writer(desk: Desk) -> None:
    """Refuse who writes nothing before anything is begun. Which rows a writer may write, PostgreSQL decides."""
    caller, dataset = desk.errand.caller, desk.dataset
    if not caller.writes or not caller.may_name(dataset.name):
        raise AccessRefused(f"{dataset.name}: this token is not for writing to it; expected one that is")
    given = {name for it in dataset.access if it.role == caller.role for name in it.operations}
    if given.isdisjoint(("insert", "update")):
        raise AccessRefused(
            f"{dataset.name}: role {caller.role} may not write to it; expected a role to which its contract gives that",
            hint="`daftari contract show` tells who may do what.",
        )


def fingerprint(what: str, body: bytes) -> str:
    """Return the sha256 of *what* is asked with which *body*, in hex."""
    return hashlib.sha256(what.encode() + b"\0" + body).hexdigest()


def _named(desk: Desk, request: Request) -> Named | None:
    if request.key is None:
        return None
    return Named(caller=desk.errand.caller.name, key=request.key, fingerprint=request.fingerprint)


def _settled(claim: Claim, request: Request) -> Answer | Exception | None:
    """The answer that was given before, or why none is found now; None: it is to be found."""
    if claim.is_other:
        return KeyReused(
            f"Idempotency-Key: found {request.key!r} again with other records; expected a new key"
        )
    if claim.answer is not None:
        outcomes = tuple(
            Outcome(status=it["status"], reasons=tuple(it["reasons"])) for it in claim.answer["outcomes"]
        )
        return Answer(run_id=claim.answer["run_id"], outcomes=outcomes, is_repeated=True)
    if not claim.is_ours:
        return RequestUnderWay(
            f"Idempotency-Key: the request {request.key!r} is under way", hint="Ask again in a second."
        )
    return None


def _write(conn: Connection[Any], desk: Desk, requests: Sequence[Request], now: datetime) -> list[Answer]:
    origin = Origin(name="api", sha256=_digest(requests))
    with ledger.run(conn, "write", desk.contract, origin) as run_id, conn.transaction():
        ids = ",".join(request.request_id for request in requests)
        speak_for(conn, Errand(caller=desk.errand.caller, request_id=ids, purpose=desk.errand.purpose))
        records = [record for request in requests for record in request.records]
        if requests[0].is_partial:
            sealer = Sealer(desk.open_keys, desk.dataset)
            changes = [it for it in records if it is not None]
            there = current_rows(conn, desk.dataset, changes, sealer)
            who = (desk.errand.caller.role, desk.errand.caller.user_id)
            records = [
                {**row, **signed(row, change, desk.dataset, who, now)}
                for row, change in zip(there, changes, strict=True)
            ]
        outcomes = _Run(conn, desk, run_id, _mended(requests)).all(records, now)
        given, kept = [], []
        first = 0
        for request in requests:
            own = tuple(outcomes[first : first + len(request.records)])
            first += len(request.records)
            given.append(Answer(run_id=run_id, outcomes=own))
            named = _named(desk, request)
            if named is not None:
                answer = {"run_id": run_id, "outcomes": [vars(outcome) for outcome in own]}
                kept.append((named, answer))
        answers.keep(conn, run_id, kept)
    return given


def _mended(requests: Sequence[Request]) -> dict[int, int]:
    """The entries that all records of *requests* mend, by line."""
    found: dict[int, int] = {}
    first = 1
    for request in requests:
        found |= {first + place: entry for place, entry in request.mends.items()}
        first += len(request.records)
    return found


def _digest(requests: Sequence[Request]) -> str:
    """Of the ids alone: the records are kept by the audit, and may be few enough to be guessed from a digest."""
    return hashlib.sha256(",".join(request.request_id for request in requests).encode()).hexdigest()


class _Run:
    """One run, within its transaction."""

    def __init__(self, conn: Connection[Any], desk: Desk, run_id: int, mends: Mapping[int, int]) -> None:
        self._mends = mends  #: by line
        self._conn = conn
        self._desk = desk
        self._dataset = desk.dataset
        self._run_id = run_id
        self._parents = Parents(conn, desk.dataset)
        self._writing = Writing(conn, desk.dataset, desk.errand.caller, desk.roles)
        self._untold = untold_rules(desk.dataset, desk.known, desk.errand.caller.role)

    def all(self, records: Sequence[Record], now: datetime) -> list[Outcome]:
        outcomes = [Outcome(status="duplicate")] * len(records)
        rejected = []
        digest = hashlib.sha256()
        landed: list[dict[str, str]] = []
        for judged in self._judged(records, now):
            rejected.append(judged.rejected)
            for batch in judged.batches:
                digest.update(batch.body)
                fates = self._writing.write(batch)
                for line, fate in fates.items():
                    outcomes[line - 1] = _outcome(fate, self._dataset)
                rejected += list(self._refused(batch, fates))
                landed += self._keys(batch, fates)
        wrong = pl.concat(rejected)
        for line, reasons in wrong.select("line", "reasons").iter_rows():
            outcomes[line - 1] = Outcome(status="quarantined", reasons=self._told(json.loads(reasons)))
        kept = KeptCells(self._desk.open_keys, self._dataset).seal(wrong, self._run_id)
        quarantine.add(self._conn, self._run_id, self._dataset, kept, replaces=self._mends)
        quarantine.resolve(self._conn, self._run_id, self._mends.values())
        quarantine.resolve_keys(self._conn, self._run_id, self._dataset, landed)
        self._close(outcomes, digest.hexdigest())
        return outcomes

    def _judged(self, records: Sequence[Record], now: datetime) -> Iterator[Judged]:
        block, plan = records_block(records, self._dataset), record_plan(self._dataset)
        today = now.astimezone(ZoneInfo(ZONE)).date()
        refers_to_itself = any(it.target == self._dataset.name for it in self._dataset.relationships)
        if refers_to_itself:  # what it names may come with it, so that all must be known before it is judged
            rows, _ = take(start(plan, self._dataset), block)
            book = rulebook(self._dataset, today=today, known=self._parents.known_among(rows.values))
        else:
            book = _book(self._desk.contract, today)
        intake = Intake(
            book=book,
            plan=plan,
            run_id=self._run_id,
            seal=Sealer(self._desk.open_keys, self._dataset).seal,
            look_up=None if refers_to_itself else self._parents.known_among,
            is_one_block=True,
        )
        return take_in([block], intake)

    def _keys(self, batch: Batch, fates: Mapping[int, Fate]) -> list[dict[str, str]]:
        """The keys of rows that were written, as quarantine keeps them."""
        written = [line for line, fate in fates.items() if fate.status in ("inserted", "updated")]
        if not self._dataset.key:
            return []
        rows = batch.rows.filter(batch.lines.is_in(written)).select(pl.col(self._dataset.key).cast(pl.String))
        return rows.to_dicts()

    def _refused(self, batch: Batch, fates: Mapping[int, Fate]) -> Iterator[pl.DataFrame]:
        for line, fate in fates.items():
            if fate.status == "refused":
                at = batch.lines == line
                why = Refusal(rule=fate.rule, reason=fate.reason)
                yield refusals(batch.rows.filter(at), batch.lines.filter(at), self._dataset, why)

    def _told(self, reasons: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
        found = []
        for one in reasons:
            rule, reason = told(one["rule"], one["reason"], self._untold)
            found.append({**one, "rule": rule, "reason": reason})
        return tuple(found)

    def _close(self, outcomes: Sequence[Outcome], digest: str) -> None:
        tally = {name: sum(it.status == name for it in outcomes) for name in _STATUSES}
        counts = Counts(received=len(outcomes), **tally)
        written = counts.inserted + counts.updated
        if written:
            batch = BatchAudit(
                relation=f"ops.{self._dataset.name}",
                operation="merge" if counts.updated else "insert",
                rows=written,
                digest=digest,
            )
            ledger.record_batch(self._conn, batch)
        ledger.finish(self._conn, self._run_id, counts)


_books: dict[str, tuple[date, Rulebook]] = {}


def _book(contract: Contract, today: date) -> Rulebook:
    """The rules of a day, without the keys that exist: made once a day, as it takes longer than judging a record."""
    day, book = _books.get(contract.hash, (None, None))
    if book is None or day != today:
        book = rulebook(contract.dataset, today=today)
        _books[contract.hash] = (today, book)
    return book


_STATUSES = ("inserted", "updated", "unchanged", "duplicate", "quarantined")


def _outcome(fate: Fate, dataset: Dataset) -> Outcome:
    if fate.status != "refused":
        return Outcome(status=fate.status)
    fields = list(dataset.key)
    return Outcome(
        status="quarantined",
        reasons=({"rule": fate.rule, "field": ", ".join(fields), "reason": fate.reason},),
    )
