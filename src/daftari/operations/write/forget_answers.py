"""Forget kept answers after a week: whoever sends an Idempotency-Key again after that is somebody else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from daftari.io.write import idempotency

_KEPT = timedelta(days=7)


def forget_answers(conn: Connection[Any], *, now: datetime) -> int:
    """Return how many were forgotten."""
    return idempotency.delete_answers(conn, now - _KEPT)
