"""Requests and their approval steps: one person asks, another decides. PostgreSQL checks who may."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from daftari.contract import permissions
from daftari.contract.access.caller import Caller
from daftari.contract.model import Dataset
from daftari.contract.permissions import TakenPart
from daftari.errors import AccessRefused
from daftari.io.write.request_parts import parts_in
from daftari.operations.read.read_rows import Reader, query_of, read_page
from daftari.operations.write.write_requests import (
    RecordOutcome,
    RequestAnswer,
    WriteContext,
    WriteRequest,
    require_writer,
)
from daftari.operations.write.write_rows import write_rows
from daftari.rows.rules.rejection import NO_STEP, NOT_TAKEN, Refusal
from daftari.rows.rules.working_days import working_days

_KEY_PREFIX = "W-"


def new_key() -> str:
    """Return a new key for a request: 12 random hexadecimal digits."""
    return _KEY_PREFIX + secrets.token_hex(6).upper()


def ask_for_approval(
    conn: Connection[Any],
    write_context: WriteContext,
    given: Mapping[str, str | None],
    *,
    country: str,
    now: datetime,
) -> RecordOutcome:
    """
    Ask for something: a row about the caller, in the first state of its approval.

    *given* has the key (`new_key`) and the caller's fields; missing working days are counted by the public holidays of
    *country* (ISO 3166). Sent again, it is the same request. *conn* must be in autocommit mode.

    Raises:
        AccessRefused: the caller may ask for nothing here.
    """
    dataset, caller = write_context.dataset, write_context.context.caller
    permissions.require(permissions.refusal_to_ask(dataset, caller))
    approval = dataset.approval
    assert approval is not None and dataset.subject is not None, (
        "people ask for themselves, through an approval"
    )
    record: dict[str, Any] = {**given, dataset.subject: caller.user_id, approval.field: approval.begins}
    if approval.asked_at:
        record[approval.asked_at] = now.isoformat()
    days = approval.working_days
    if days and not record.get(days.field):
        start, end = (_day(record.get(name)) for name in (days.start, days.end))
        if start and end and start <= end:
            record[days.field] = str(working_days(start, end, country))
    return _write_one(conn, write_context, now, records=[record])


@dataclass(frozen=True, kw_only=True)
class SeenRow:
    """A row as a person saw it on a page: they decide on that, and on nothing that changed since."""

    fields: tuple[str, ...]
    version: str


@dataclass(frozen=True, kw_only=True)
class WantedStep:
    key: Mapping[str, str]
    to: str  #: the state
    seen: SeenRow | None = None


def take_step(
    conn: Connection[Any], write_context: WriteContext, key: Mapping[str, str], to: str, *, now: datetime
) -> RecordOutcome:
    """Change the row of *key* to the state *to*, whatever else changed since. As `take_wanted_step`."""
    return take_wanted_step(conn, write_context, WantedStep(key=key, to=to), now=now)


def take_wanted_step(
    conn: Connection[Any], write_context: WriteContext, wanted: WantedStep, *, now: datetime
) -> RecordOutcome:
    """
    Take a step in the caller's role. *conn* must be in autocommit mode.

    A step that the caller may not take is *refused*, and is not kept for correction. A row that the caller does not see
    gives the same reason as a missing row.

    Raises:
        AccessRefused: the dataset has no steps, or the caller's role may not read or write it.
        RowChanged: the row is not as it was seen.
    """
    key, to, seen = wanted.key, wanted.to, wanted.seen
    dataset, caller = write_context.dataset, write_context.context.caller
    approval = dataset.approval
    if approval is None:
        raise AccessRefused(f"{dataset.name}: its contract has no approval")
    require_writer(write_context)
    reader = Reader(dataset=dataset, context=write_context.context, roles=write_context.roles)
    asked = [("fields", approval.field), *((name, key.get(name, "")) for name in dataset.key)]
    found = read_page(conn, reader, query_of(reader, asked)).rows
    if not found:
        return _refused(dataset, NOT_TAKEN)
    state = str(json.loads(found[0]).get(approval.field))
    if state == to:
        return RecordOutcome(status="unchanged")
    (part,) = parts_in(conn, dataset, [[key.get(name, "") for name in dataset.key]], caller.user_id)
    if not permissions.may_bring(approval, caller.role, (state, to), is_own=part.is_own, part=part):
        return _refused(dataset, NO_STEP)
    change = {**key, approval.field: to}
    version = {} if seen is None else {"versions": seen.version, "version_fields": seen.fields}
    return _write_one(conn, write_context, now, records=[change], is_partial=True, **version)


def parts_taken(
    conn: Connection[Any], dataset: Dataset, keys: Sequence[Sequence[str]], caller: Caller
) -> list[TakenPart]:
    """Return what the person of *caller* did in the request of each of *keys*, also what the caller does not see."""
    return parts_in(conn, dataset, keys, caller.user_id)


def _refused(dataset: Dataset, why: Refusal) -> RecordOutcome:
    reason = {"rule": why.rule, "field": ", ".join(dataset.key), "reason": why.reason}
    return RecordOutcome(status="refused", reasons=(reason,))


def _write_one(
    conn: Connection[Any], write_context: WriteContext, now: datetime, **what: Any
) -> RecordOutcome:
    request = WriteRequest(request_id=write_context.context.request_id, **what)
    (answer,) = write_rows(conn, write_context, [request], now=now)
    if not isinstance(answer, RequestAnswer):
        raise answer
    return answer.outcomes[0]


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
