"""Start a review of who can reach what: survey the live database, and store the accesses for decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection

from daftari.compile.access.roles import Watched
from daftari.compile.review import HeldAccess
from daftari.errors import ReviewRefused, SettingError
from daftari.io.review import reviews
from daftari.io.review.reviews import Review
from daftari.io.review.survey import Surveyor

#: Time limit to count the rows of one relation as one grantee.
COUNT_SECONDS = 5.0
#: From the start of a review to its deadline, unless another is named.
USUAL_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class ReviewPeriod:
    quarter: str  #: 2026q4
    deadline: date  #: from this day on, closing the review revokes undecided accesses

    @classmethod
    def of(cls, quarter: str | None, deadline: date | None, *, today: date) -> ReviewPeriod:
        """
        Return the given period; by default the current quarter, and `USUAL_DAYS` from today.

        Raises:
            SettingError: *quarter* is not valid.
        """
        return cls(
            quarter=_quarter(quarter) if quarter is not None else f"{today.year}q{(today.month + 2) // 3}",
            deadline=deadline or today + timedelta(days=USUAL_DAYS),
        )


def _quarter(said: str) -> str:
    year, _, number = said.lower().partition("q")
    if not (len(year) == 4 and year.isdigit() and number in ("1", "2", "3", "4")):
        raise SettingError(f"--quarter {said}: is not a quarter; expected one such as 2026q4")
    return said.lower()


def start_review(
    conn: Connection[Any],
    watched: Watched,
    period: ReviewPeriod,
    *,
    now: datetime,
    progress: Callable[[HeldAccess], None] = lambda _access: None,
) -> Review:
    """
    Survey effective access, and store it as a review. Completely or not at all.

    Rows are counted as each login, which needs a superuser; otherwise they stay uncounted, which the entries state.

    Raises:
        ReviewRefused: another review is open.
    """
    look = Surveyor(conn=conn, watched=watched, count_seconds=COUNT_SECONDS)

    def counted() -> Iterator[HeldAccess]:
        for access in look.everything():
            progress(access)
            yield access

    with conn.transaction():
        if (already := reviews.open_review(conn)) is not None:
            raise ReviewRefused(
                f"review {already}: is open; expected none: only one review may be open",
                hint="Decide on its entries and close it: `daftari review show`, then `daftari review close`.",
            )
        review_id = reviews.insert_review(conn, period.quarter, period.deadline, now)
        entries = reviews.add_entries(conn, review_id, counted())
        reviews.record_review_event(
            conn, event="start", review=review_id, quarter=period.quarter, entries=entries
        )
        found = reviews.read_review(conn, review_id)
    assert found is not None, "it was made just now"
    return found
