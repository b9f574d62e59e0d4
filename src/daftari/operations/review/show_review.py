"""Show a stored review, and whether it still matches the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from daftari.errors import AuditBroken, ReviewRefused
from daftari.io.review import reviews
from daftari.io.review.reviews import Review as Review
from daftari.io.review.reviews import ReviewEntry as ReviewEntry


@dataclass(frozen=True, kw_only=True)
class Shown:
    review: Review
    #: whether a closed review matches the audit. None: it is open
    is_as_attested: bool | None


def show_review(conn: Connection[Any], review_id: int | None = None) -> Shown:
    """
    Return a review, by default the latest.

    This does not prove the audit itself: see `daftari audit verify`.

    Raises:
        ReviewRefused: there is none.
    """
    review = reviews.read_review(conn, review_id)
    if review is None:
        which = "review: none exists yet" if review_id is None else f"review {review_id}: does not exist"
        raise ReviewRefused(which, hint="Start one with `daftari review start`.")
    if review.closed_at is None:
        return Shown(review=review, is_as_attested=None)
    attested = reviews.attested_digest(conn, review.review_id)
    return Shown(review=review, is_as_attested=attested == reviews.review_digest(review))


def require_attested(shown: Shown) -> None:
    """
    Stop where a closed review does not match the audit.

    Raises:
        AuditBroken: it was changed since it was closed.
    """
    if shown.is_as_attested is False:
        raise AuditBroken(
            f"review {shown.review.review_id}: does not match the audit; expected it unchanged since it was closed",
            hint="It was changed afterwards. Prove the audit itself: daftari audit verify",
        )
