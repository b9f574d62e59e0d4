"""Delete stored answers after a week: after that, an Idempotency-Key counts as new."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from daftari.io.write import idempotency

_KEPT = timedelta(days=7)


def forget_answers(conn: Connection[Any], *, now: datetime) -> int:
    """Return how many were deleted."""
    return idempotency.delete_answers(conn, now - _KEPT)
