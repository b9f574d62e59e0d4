"""Decide on entries of the open review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.errors import ReviewRefused
from daftari.io.review import reviews
from daftari.io.review.reviews import Review, ReviewEntry


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which entries to decide: by number, or all undecided ones of a grantee or an object."""

    numbers: tuple[int, ...] = ()
    grantee: str | None = None
    object: str | None = None

    def of(self, review: Review) -> tuple[ReviewEntry, ...]:
        if self.numbers:
            return tuple(one for one in review.entries if one.entry_no in self.numbers)
        return tuple(
            one
            for one in review.undecided
            if self.grantee in (None, one.access.grantee) and self.object in (None, one.access.object)
        )


@dataclass(frozen=True, kw_only=True)
class Decision:
    keep: bool
    reason: str


def decide_review(
    conn: Connection[Any], chosen: Chosen, decision: Decision, *, now: datetime
) -> tuple[ReviewEntry, ...]:
    """
    Keep or revoke the *chosen* entries of the open review; return them as decided. Nothing is revoked before it closes.

    A decision may be changed until then. The decider is the actor on *conn*.

    Raises:
        ReviewRefused: no review is open, an entry does not exist, or is the decider's own access.
    """
    if not decision.reason.strip():
        raise ReviewRefused(
            "review: the decision has no reason; expected one", hint="Give one with --reason."
        )
    with conn.transaction():
        review = _open(conn)
        entries = chosen.of(review)
        _require(conn, review, chosen, entries)
        word = "keep" if decision.keep else "revoke"
        numbers = [one.entry_no for one in entries]
        how = {"decision": word, "reason": decision.reason.strip(), "now": now}
        reviews.keep_decision(conn, review.review_id, numbers, how)
        reviews.record_review_event(
            conn, event="decide", review=review.review_id, decision=word, entries=numbers
        )
        after = reviews.read_review(conn, review.review_id)
    assert after is not None, "it exists"
    return tuple(one for one in after.entries if one.entry_no in numbers)


def _open(conn: Connection[Any]) -> Review:
    review_id = reviews.open_review(conn)
    review = None if review_id is None else reviews.read_review(conn, review_id)
    if review is None:
        raise ReviewRefused("review: none is open", hint="Start one with `daftari review start`.")
    return review


def _require(conn: Connection[Any], review: Review, chosen: Chosen, entries: Sequence[ReviewEntry]) -> None:
    absent = set(chosen.numbers) - {one.entry_no for one in entries}
    if absent or not entries:
        what = f"entry {min(absent)}" if absent else "no undecided entry has that grantee and object"
        raise ReviewRefused(
            f"review {review.review_id}: {what}; expected numbers from 1 to {len(review.entries)}"
            if absent
            else f"review {review.review_id}: {what}",
            hint="`daftari review show` lists them.",
        )
    own = [one.entry_no for one in entries if one.access.grantee in reviews.acting_person(conn)]
    if own:
        raise ReviewRefused(
            f"review {review.review_id}: entry {own[0]} is your own access; expected another login to decide on it",
            hint="Let another login decide on it, or let the deadline pass.",
        )
