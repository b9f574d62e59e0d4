"""Show what waits in quarantine: how many rows of which file, and the rows with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from daftari.io import overview, quarantine
from daftari.io.quarantine import Entry as Entry
from daftari.io.quarantine import Pile


@dataclass(frozen=True, kw_only=True)
class ShownEntries:
    entries: tuple[Entry, ...]
    is_cut: bool  #: there are more


def show_files(conn: Connection[Any], dataset: str | None = None) -> tuple[Pile, ...]:
    """Return the files with rows in quarantine, of one dataset or of all, newest first."""
    return quarantine.piles(conn, dataset)


def show_entries(
    conn: Connection[Any], dataset: str, *, run_id: int | None = None, limit: int
) -> ShownEntries:
    """Return the first *limit* rows of *dataset* in quarantine, of one run or of all."""
    found = quarantine.entries(conn, dataset, run_id=run_id, limit=limit + 1)
    return ShownEntries(entries=found[:limit], is_cut=len(found) > limit)


def count_waiting(conn: Connection[Any], datasets: Sequence[str]) -> dict[str, int]:
    """Return how many rows wait in quarantine, by dataset; one without any is left out."""
    return overview.waiting(conn, datasets)
