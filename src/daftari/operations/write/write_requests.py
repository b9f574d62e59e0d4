"""Requests of callers: their records, where to write them, and an outcome for each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daftari.compile.access.roles import Roles
from daftari.contract import permissions
from daftari.contract.access.caller import RequestContext
from daftari.contract.model import Contract, Dataset
from daftari.io.write.idempotency import Named
from daftari.rows.intake.records import Record

if TYPE_CHECKING:
    from daftari.io.keys import KeyStore

#: The most records of one request.
MOST_RECORDS = 10_000


@dataclass(frozen=True, kw_only=True)
class WriteRequest:
    """What one caller sends at once."""

    records: Sequence[Record]
    request_id: str
    key: str | None = None  #: the caller's idempotency key: a repeated request gets the same answer
    fingerprint: str = ""  #: of the request, where it has a key
    is_new: bool = True  #: whether its rows are probably new; that is tried first
    #: whether the records are keys with the fields to change in existing rows; the same for a whole batch
    is_partial: bool = False
    versions: str | None = None  #: of `If-Match`: the one row must have one of them
    version_fields: tuple[str, ...] = ()  #: those of which it is the version; empty: all
    #: entries in quarantine that the records correct, by the place of the record, from 0
    corrects: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RecordOutcome:
    """The result of one record."""

    status: str  #: inserted, updated, unchanged, duplicate, superseded or quarantined; of a step also refused
    reasons: tuple[dict[str, Any], ...] = ()  #: rule, field and reason; no value of the record
    remarks: tuple[str, ...] = ()  #: what was changed in its texts


@dataclass(frozen=True, kw_only=True)
class RequestAnswer:
    run_id: int
    outcomes: tuple[RecordOutcome, ...]
    is_repeated: bool = False  #: the stored answer of an earlier request; nothing was done now


@dataclass(frozen=True, kw_only=True)
class WriteContext:
    """Where requests are written: one dataset, for one caller."""

    contract: Contract
    context: RequestContext
    roles: Roles
    known: Mapping[str, Dataset]  #: by name, the datasets that rows may refer to
    open_keys: Callable[[], KeyStore] | None = None

    @property
    def dataset(self) -> Dataset:
        return self.contract.dataset

    def named(self, request: WriteRequest) -> Named | None:
        if request.key is None:
            return None
        return Named(caller=self.context.caller.name, key=request.key, fingerprint=request.fingerprint)

    def context_of(self, requests: Sequence[WriteRequest]) -> RequestContext:
        ids = ",".join(request.request_id for request in requests)
        return RequestContext(caller=self.context.caller, request_id=ids, purpose=self.context.purpose)


def require_writer(write_context: WriteContext) -> None:
    """Refuse callers who may write nothing, before any work. PostgreSQL decides which rows a writer may write."""
    permissions.require(permissions.refusal_to_write(write_context.dataset, write_context.context.caller))


def fingerprint(what: str, body: bytes) -> str:
    """Return the sha256 of a request, *what* with its *body*, in hex."""
    return hashlib.sha256(what.encode() + b"\0" + body).hexdigest()


def digest_of_requests(requests: Sequence[WriteRequest]) -> str:
    """Of the ids only: the audit has the records, and a few records could be guessed from a digest."""
    return hashlib.sha256(",".join(request.request_id for request in requests).encode()).hexdigest()


def to_keep(outcomes: Sequence[RecordOutcome]) -> dict[str, Any]:
    """Return *outcomes* in stored form: equal consecutive ones once, with their number."""
    kept: list[dict[str, Any]] = []
    for outcome in outcomes:
        one = {"status": outcome.status, "reasons": outcome.reasons}
        if outcome.remarks:
            one["remarks"] = outcome.remarks
        if kept and {**kept[-1], "times": 1} == {**one, "times": 1}:
            kept[-1]["times"] += 1
        else:
            kept.append({**one, "times": 1})
    return {"outcomes": kept}


def kept_answer(run_id: int, kept: Mapping[str, Any]) -> RequestAnswer:
    """Return the answer that *kept* was made from."""
    outcomes: list[RecordOutcome] = []
    for it in kept["outcomes"]:
        remarks = tuple(it.get("remarks", ()))
        one = RecordOutcome(status=it["status"], reasons=tuple(it["reasons"]), remarks=remarks)
        outcomes += [one] * it.get("times", 1)
    return RequestAnswer(run_id=run_id, outcomes=tuple(outcomes), is_repeated=True)
