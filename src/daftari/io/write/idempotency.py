"""Idempotency keys: a repeated request gets the stored answer, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from daftari.io.database import queries

_QUERIES = queries.load_queries("write/idempotency.sql")


@dataclass(frozen=True, kw_only=True)
class Named:
    """A request by its caller and the caller's key."""

    caller: str
    key: str
    fingerprint: str  #: sha256 of the request, in hex


@dataclass(frozen=True, kw_only=True)
class Claim:
    is_ours: bool = True  #: False: another session is processing the request now
    is_other: bool = False  #: the key was used for another request
    run_id: int | None = None  #: of the run that processed the request before
    answer: Any = None  #: as it was stored then


def facts_of(requests: Sequence[Named]) -> dict[str, list[str]]:
    """Return the parameters of statements about named requests."""
    return {"callers": [it.caller for it in requests], "keys": [it.key for it in requests]}


@contextmanager
def claimed_keys(conn: Connection[Any], requests: Sequence[Named | None]) -> Iterator[list[Claim]]:
    """
    Claim each of *requests* until the block ends; one without a name needs no claim.

    The session holds the claims: they end when it dies.
    """
    named = [(at, request) for at, request in enumerate(requests) if request is not None]
    claims = [Claim() for _ in requests]
    facts = facts_of([it for _, it in named])
    if not named:
        yield claims
        return
    locks = [is_ours for (is_ours,) in conn.execute(_QUERIES["claim"], facts)]
    kept = conn.execute(_QUERIES["kept"], facts).fetchall()
    held: list[Named] = []
    taken: set[tuple[str, str]] = set()
    for (at, request), is_ours, (fingerprint, run_id, answer) in zip(named, locks, kept, strict=True):
        if is_ours:
            held.append(request)
        # A session may take its own lock twice, and two requests of one batch may have one name.
        is_first = (request.caller, request.key) not in taken
        taken.add((request.caller, request.key))
        is_other = fingerprint is not None and fingerprint != request.fingerprint
        claims[at] = Claim(is_ours=is_ours and is_first, is_other=is_other, run_id=run_id, answer=answer)
    try:
        yield claims
    finally:
        if not (conn.closed or conn.broken):
            conn.execute(_QUERIES["release"], facts_of(held))


def keep_answers(conn: Connection[Any], run_id: int, found: Sequence[tuple[Named, Any]]) -> None:
    """Store the answers of a run. Call it in the transaction of its effects."""
    if not found:
        return
    facts = {
        "run_id": run_id,
        **facts_of([named for named, _ in found]),
        "fingerprints": [named.fingerprint for named, _ in found],
        "answers": [Jsonb(answer) for _, answer in found],
    }
    conn.execute(_QUERIES["keep"], facts)


def delete_answers(conn: Connection[Any], before: datetime) -> int:
    """Delete the answers that are older than *before*; return how many."""
    return conn.execute(_QUERIES["forget"], {"before": before}).rowcount
