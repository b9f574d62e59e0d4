"""Show the results of the latest checks. Light to import, unlike `run_checks`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from daftari.errors import DatabaseError
from daftari.io.runs import check_results
from daftari.io.runs.check_results import CheckedDataset as CheckedDataset


def show_checks(conn: Connection[Any], datasets: Sequence[str] = ()) -> tuple[CheckedDataset, ...]:
    """
    Return the latest check of each of *datasets*; by default of all that were ever checked.

    Raises:
        DatabaseError: one of them was never checked, or nothing was.
    """
    found = [
        one for one in check_results.latest_check_results(conn) if not datasets or one.dataset in datasets
    ]
    missing = sorted(set(datasets) - {one.dataset for one in found})
    if missing or not found:
        raise DatabaseError(
            f"quality: no check has run on {', '.join(missing) or 'any dataset'} yet",
            hint="Run `daftari quality run` first.",
        )
    return tuple(found)
