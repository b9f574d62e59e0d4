"""Stored access reviews: started, decided, closed, and attested in the audit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Json

from daftari.compile.review import HeldAccess, Reach
from daftari.io.database import queries

_QUERIES = queries.load_queries("review/reviews.sql")


@dataclass(frozen=True, kw_only=True)
class ReviewEntry:
    """One access of a review, and its decision."""

    entry_no: int
    access: HeldAccess
    is_new: bool  #: the previous review had no such entry
    decision: str | None = None  #: keep or revoke
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    outcome: str | None = None  #: set when the review is closed: kept, revoked, or what is left to do

    @property
    def rows(self) -> int | None:
        """Rows visible through it, over all relations; None where none was counted."""
        counted = [one.rows for one in self.access.reach if one.rows is not None]
        return sum(counted) if counted else None


@dataclass(frozen=True, kw_only=True)
class Review:
    review_id: int
    quarter: str
    deadline: date
    started_at: datetime
    started_by: str
    closed_at: datetime | None
    closed_by: str | None
    digest: str | None
    entries: tuple[ReviewEntry, ...] = ()

    @property
    def undecided(self) -> tuple[ReviewEntry, ...]:
        return tuple(one for one in self.entries if one.decision is None)

    @property
    def outstanding(self) -> tuple[ReviewEntry, ...]:
        """Accesses that should have been revoked but could not be."""
        return tuple(one for one in self.entries if one.outcome not in (None, "kept", "revoked"))


def open_review(conn: Connection[Any]) -> int | None:
    row = conn.execute(_QUERIES["open_review"]).fetchone()
    return int(row[0]) if row else None


def insert_review(conn: Connection[Any], quarter: str, deadline: date, now: datetime) -> int:
    row = conn.execute(_QUERIES["start"], {"quarter": quarter, "deadline": deadline, "now": now}).fetchone()
    assert row is not None, "an insert returns its row"
    return int(row[0])


def add_entries(conn: Connection[Any], review_id: int, found: Iterable[HeldAccess]) -> int:
    """Store *found* as the entries of a review; return how many there are."""
    count = 0
    for count, one in enumerate(found, start=1):
        conn.execute(
            _QUERIES["add_entry"],
            {
                "review_id": review_id,
                "entry_no": count,
                "kind": one.kind,
                "grantee": one.grantee,
                "object": one.object,
                "means": list(one.means),
                "through": list(one.through),
                "reach": Json([asdict(reach) for reach in one.reach]),
                "last_use": one.last_use,
            },
        )
    return count


def read_review(conn: Connection[Any], review_id: int | None = None) -> Review | None:
    """Return a review, by default the latest."""
    with conn.cursor(row_factory=dict_row) as cursor:
        facts = cursor.execute(_QUERIES["reviews"], {"review_id": review_id}).fetchone()
        if facts is None:
            return None
        rows = cursor.execute(_QUERIES["entries"], {"review_id": facts["review_id"]}).fetchall()
    return Review(**facts, entries=tuple(map(_entry, rows)))


_OF_ACCESS = ("kind", "grantee", "object", "last_use")


def _entry(row: dict[str, Any]) -> ReviewEntry:
    reach = tuple(
        Reach(**{**one, "privileges": tuple(one["privileges"]), "columns": tuple(one["columns"])})
        for one in row.pop("reach")
    )
    means, through = tuple(row.pop("means")), tuple(row.pop("through"))
    access = HeldAccess(
        means=means, through=through, reach=reach, **{name: row.pop(name) for name in _OF_ACCESS}
    )
    return ReviewEntry(access=access, **row)


def keep_decision(
    conn: Connection[Any], review_id: int, entries: Sequence[int], decision: dict[str, object]
) -> None:
    conn.execute(_QUERIES["decide"], {"review_id": review_id, "entries": list(entries), **decision})


def record_review_event(conn: Connection[Any], **detail: object) -> None:
    """Record an event of a review in the audit. Call it in the transaction of the event."""
    conn.execute(_QUERIES["record"], {"detail": Json(detail)})


def set_outcome(conn: Connection[Any], review_id: int, entry_no: int, outcome: str) -> None:
    conn.execute(_QUERIES["set_outcome"], {"review_id": review_id, "entry_no": entry_no, "outcome": outcome})


def close_kept_review(conn: Connection[Any], review: Review, now: datetime) -> str:
    """Close a review whose outcomes are set; return its digest."""
    found = review_digest(review)
    conn.execute(_QUERIES["close"], {"review_id": review.review_id, "digest": found, "now": now})
    return found


def attested_digest(conn: Connection[Any], review_id: int) -> str | None:
    """Return the digest of a closed review from the audit."""
    row = conn.execute(_QUERIES["attested"], {"review_id": review_id}).fetchone()
    return str(row[0]) if row else None


def review_digest(review: Review) -> str:
    """Return the sha256 (hex) of a review, without who closed it and when."""
    content = {
        name: value
        for name, value in asdict(review).items()
        if name not in ("closed_at", "closed_by", "digest")
    }
    text = json.dumps(content, default=_as_text, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _as_text(value: date | datetime) -> str:
    return (value.astimezone(UTC) if isinstance(value, datetime) else value).isoformat()


def acting_person(conn: Connection[Any]) -> tuple[str, str]:
    """Return the actor and the login."""
    row = conn.execute(_QUERIES["actor"]).fetchone()
    assert row is not None, "a select without from has one row"
    return row[0], row[1]


def first_role(conn: Connection[Any]) -> str:
    """Return the role that initialised the server: always a superuser."""
    row = conn.execute(_QUERIES["first_role"]).fetchone()
    assert row is not None, "every server has one"
    return str(row[0])
