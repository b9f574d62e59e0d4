"""Close a review: take away what was revoked or left undecided, and attest the whole in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import Connection

from daftari.compile.access.roles import Watched
from daftari.compile.review import revocation
from daftari.errors import ReviewRefused
from daftari.io.review import reviews
from daftari.io.review.reviews import Review, ReviewEntry
from daftari.io.review.survey import Surveyor

KEPT, REVOKED = "kept", "revoked"
#: Whoever had it, or what it was about, went since the review began.
_GONE = (psycopg.errors.UndefinedObject, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction)


@dataclass(frozen=True, kw_only=True)
class Closed:
    review: Review
    statements: tuple[str, ...]  #: that took something away, or would
    is_done: bool  #: False: a dry run


def close_review(
    conn: Connection[Any], watched: Watched, *, now: datetime, time_zone: str, dry_run: bool = False
) -> Closed:
    """
    Close the open review. All of it, or nothing.

    What cannot be taken away is no failure of the whole: its outcome says what is left to do, and for whom. That is
    so for the login that closes, for the role that the server was made with, and for what this user may not revoke.

    Raises:
        ReviewRefused: none is open; or entries are undecided and the deadline is to come.
    """
    with conn.transaction(force_rollback=dry_run):
        review_id = reviews.open_review(conn)
        review = None if review_id is None else reviews.read_review(conn, review_id)
        if review is None:
            raise ReviewRefused("review: none is open", hint="Begin one with `daftari review start`.")
        _require_decided(review, now.astimezone(ZoneInfo(time_zone)).date())
        _settle(conn, review, owner=watched.own[0])
        _look_again(review, Surveyor(conn=conn, watched=watched, count_seconds=0))
        settled = reviews.read_review(conn, review.review_id)
        assert settled is not None, "it is there"
        digest = reviews.close_kept_review(conn, settled, now)
        told = {name: sum(one.outcome == name for one in settled.entries) for name in (KEPT, REVOKED)}
        gone = [one.access for one in settled.entries if one.outcome == REVOKED]
        reviews.record_review_event(
            conn,
            event="close",
            review=review.review_id,
            quarter=review.quarter,
            digest=digest,
            **told,
            outstanding=len(settled.outstanding),
        )
        closed = reviews.read_review(conn, review.review_id)
        assert closed is not None, "it is there"
        statements = tuple(revocation(access, owner=watched.own[0]) for access in gone)
        return Closed(review=closed, statements=statements, is_done=not dry_run)


def _require_decided(review: Review, today: date) -> None:
    if review.undecided and today < review.deadline:
        raise ReviewRefused(
            f"review {review.review_id}: {len(review.undecided)} of {len(review.entries)} entries are undecided, and "
            f"its deadline is {review.deadline}; expected all to be decided, or that day to have come",
            hint="See them: daftari review show --open",
        )


def _settle(conn: Connection[Any], review: Review, *, owner: str) -> None:
    """Take away what is to go."""
    for entry in review.entries:
        outcome = KEPT
        if entry.decision != "keep":
            outcome = _not_ours(conn, entry) or _revoked(conn, revocation(entry.access, owner=owner))
        reviews.set_outcome(conn, review.review_id, entry.entry_no, outcome)


def _look_again(review: Review, look: Surveyor) -> None:
    """A statement may succeed and change nothing, as where a grant is somebody else's: what counts is what is there."""
    there = {(one.kind, one.grantee, one.object) for one in look.uncounted()}
    settled = reviews.read_review(look.conn, review.review_id)
    assert settled is not None, "it is there"
    for entry in settled.entries:
        access = entry.access
        if entry.outcome == REVOKED and (access.kind, access.grantee, access.object) in there:
            outcome = "left: it is still there; have whoever granted it revoke it"
            reviews.set_outcome(look.conn, review.review_id, entry.entry_no, outcome)


def _not_ours(conn: Connection[Any], entry: ReviewEntry) -> str | None:
    """Say why an access is left to somebody else."""
    if entry.access.grantee in reviews.acting_person(conn):
        return "left: it is the access of the login that closed; have another one revoke it"
    if entry.access.kind == "attribute" and entry.access.grantee == reviews.first_role(conn):
        return "left: the server was made with this role; keep its password from everybody"
    return None


def _revoked(conn: Connection[Any], statement: str) -> str:
    try:
        with conn.transaction():
            # composed by compile/ from names that it quotes, and from names that the server printed
            conn.execute(statement)
    except _GONE:
        return REVOKED
    except psycopg.Error as error:
        return f"left: refused ({error.sqlstate}); have an administrator run: {statement}"
    return REVOKED
