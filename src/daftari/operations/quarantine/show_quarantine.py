"""Show the quarantine: how many rows of which file, and the rows with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from daftari.io.quarantine import quarantine_entries
from daftari.io.quarantine.quarantine_entries import QuarantinedFile
from daftari.io.quarantine.quarantine_entries import QuarantineEntry as QuarantineEntry
from daftari.io.runs import overview


@dataclass(frozen=True, kw_only=True)
class ShownEntries:
    entries: tuple[QuarantineEntry, ...]
    is_cut: bool  #: there are more


def show_files(conn: Connection[Any], dataset: str | None = None) -> tuple[QuarantinedFile, ...]:
    """Return the files with rows in quarantine, of one dataset or of all, newest first."""
    return quarantine_entries.quarantined_files(conn, dataset)


def show_entries(
    conn: Connection[Any], dataset: str, *, run_id: int | None = None, limit: int
) -> ShownEntries:
    """Return the first *limit* rows of *dataset* in quarantine, of one run or of all."""
    found = quarantine_entries.quarantine_entries(conn, dataset, run_id=run_id, limit=limit + 1)
    return ShownEntries(entries=found[:limit], is_cut=len(found) > limit)


def count_waiting(conn: Connection[Any], datasets: Sequence[str]) -> dict[str, int]:
    """Return how many rows wait in quarantine, by dataset; one without any is left out."""
    return overview.waiting_by_dataset(conn, datasets)
