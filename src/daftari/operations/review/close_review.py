"""Close a review: revoke what was marked revoked or left undecided, and attest the review in the audit."""

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
#: The grantee or the object was dropped after the review began.
_GONE = (psycopg.errors.UndefinedObject, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction)


@dataclass(frozen=True, kw_only=True)
class Closed:
    review: Review
    statements: tuple[str, ...]  #: accesses that were or would be revoked
    is_done: bool  #: False: a dry run


def close_review(
    conn: Connection[Any], watched: Watched, *, now: datetime, time_zone: str, dry_run: bool = False
) -> Closed:
    """
    Close the open review, completely or not at all.

    An access that cannot be revoked does not fail the whole: its outcome says what is left to do, and for whom. This
    concerns the login that closes, the role that initialised the server, and rights that this user may not revoke.

    Raises:
        ReviewRefused: none is open; or entries are undecided before the deadline.
    """
    with conn.transaction(force_rollback=dry_run):
        review_id = reviews.open_review(conn)
        review = None if review_id is None else reviews.read_review(conn, review_id)
        if review is None:
            raise ReviewRefused("review: none is open", hint="Start one with `daftari review start`.")
        _require_decided(review, now.astimezone(ZoneInfo(time_zone)).date())
        _settle(conn, review, owner=watched.own[0])
        _look_again(review, Surveyor(conn=conn, watched=watched, count_seconds=0))
        settled = reviews.read_review(conn, review.review_id)
        assert settled is not None, "it exists"
        digest = reviews.close_kept_review(conn, settled, now)
        counts = {name: sum(one.outcome == name for one in settled.entries) for name in (KEPT, REVOKED)}
        gone = [one.access for one in settled.entries if one.outcome == REVOKED]
        reviews.record_review_event(
            conn,
            event="close",
            review=review.review_id,
            quarter=review.quarter,
            digest=digest,
            **counts,
            outstanding=len(settled.outstanding),
        )
        closed = reviews.read_review(conn, review.review_id)
        assert closed is not None, "it exists"
        statements = tuple(revocation(access, owner=watched.own[0]) for access in gone)
        return Closed(review=closed, statements=statements, is_done=not dry_run)


def _require_decided(review: Review, today: date) -> None:
    if review.undecided and today < review.deadline:
        raise ReviewRefused(
            f"review {review.review_id}: {len(review.undecided)} of {len(review.entries)} entries are undecided, and "
            f"its deadline is {review.deadline}; expected all to be decided, or the deadline reached",
            hint="See them: daftari review show --open",
        )


def _settle(conn: Connection[Any], review: Review, *, owner: str) -> None:
    """Revoke the accesses that must go."""
    for entry in review.entries:
        outcome = KEPT
        if entry.decision != "keep":
            outcome = _not_ours(conn, entry) or _revoked(conn, revocation(entry.access, owner=owner))
        reviews.set_outcome(conn, review.review_id, entry.entry_no, outcome)


def _look_again(review: Review, look: Surveyor) -> None:
    """Check the effect: a statement may succeed and change nothing, for example where another role made the grant."""
    there = {(one.kind, one.grantee, one.object) for one in look.uncounted()}
    settled = reviews.read_review(look.conn, review.review_id)
    assert settled is not None, "it exists"
    for entry in settled.entries:
        access = entry.access
        if entry.outcome == REVOKED and (access.kind, access.grantee, access.object) in there:
            outcome = "left: it still exists; let the role that granted it revoke it"
            reviews.set_outcome(look.conn, review.review_id, entry.entry_no, outcome)


def _not_ours(conn: Connection[Any], entry: ReviewEntry) -> str | None:
    """Return why an access is left for another user to revoke."""
    if entry.access.grantee in reviews.acting_person(conn):
        return "left: it is the access of the login that closed; let another login revoke it"
    if entry.access.kind == "attribute" and entry.access.grantee == reviews.first_role(conn):
        return "left: the server was made with this role; keep its password secret"
    return None


def _revoked(conn: Connection[Any], statement: str) -> str:
    try:
        with conn.transaction():
            # composed by compile/ from names that it quotes, and from names that the server printed
            conn.execute(statement)
    except _GONE:
        return REVOKED
    except psycopg.Error as error:
        return f"left: refused ({error.sqlstate}); let an administrator run: {statement}"
    return REVOKED
