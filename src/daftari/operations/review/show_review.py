"""A review as it is kept, and whether it is still what the audit attests."""

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
    #: of a closed one: that it is what the audit says it was. None: it is open
    is_as_attested: bool | None


def show_review(conn: Connection[Any], review_id: int | None = None) -> Shown:
    """
    Return a review, by default the latest.

    The audit's own proof is another matter: `daftari audit verify`.

    Raises:
        ReviewRefused: there is none.
    """
    review = reviews.read_review(conn, review_id)
    if review is None:
        which = "review: there is none yet" if review_id is None else f"review {review_id}: there is none"
        raise ReviewRefused(which, hint="Begin one with `daftari review start`.")
    if review.closed_at is None:
        return Shown(review=review, is_as_attested=None)
    attested = reviews.attested_digest(conn, review.review_id)
    return Shown(review=review, is_as_attested=attested == reviews.review_digest(review))


def require_attested(shown: Shown) -> None:
    """
    Stop where a closed review is not what the audit attests.

    Raises:
        AuditBroken: it was changed since.
    """
    if shown.is_as_attested is False:
        raise AuditBroken(
            f"review {shown.review.review_id}: is not what the audit attests; expected it as it was closed",
            hint="Somebody changed it since. Prove the audit itself: daftari audit verify",
        )
