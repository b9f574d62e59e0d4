"""Rejected rows as a CSV file to correct in a spreadsheet, and reading the corrected file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.errors import QuarantineRefused
from daftari.io.files.csv_for_people import csv_file, read_csv_file
from daftari.operations.quarantine.correct_rows import changed_cells, correct_rows, quarantined_rows
from daftari.operations.quarantine.export_quarantine import reasons_in_words
from daftari.operations.quarantine.replay_quarantine import ENTRY_COLUMN, REASONS_COLUMN
from daftari.operations.write.write_requests import RecordOutcome, WriteContext

_MOST_ROWS = 10_000


def rejected_rows_file(conn: Connection[Any], write_context: WriteContext) -> bytes:
    """
    Return the waiting rejected rows, as the caller's role sees them, each with its entry and its reasons.

    Raises:
        KeysUnavailable: the rows cannot be opened.
    """
    names = [it.name for it in write_context.dataset.fields]
    rows = (
        [row.entry.quarantine_id, reasons_in_words(row.entry), *(row.cells.get(name) for name in names)]
        for row in quarantined_rows(conn, write_context, limit=_MOST_ROWS)
        if row.cells is not None
    )
    return csv_file([ENTRY_COLUMN, REASONS_COLUMN, *names], rows)


def correct_by_file(
    conn: Connection[Any], write_context: WriteContext, body: bytes, *, now: datetime
) -> tuple[dict[int, RecordOutcome], int]:
    """
    Judge and write again the rows of a corrected file that have a changed cell; return as `correct_rows`.

    Raises:
        QuarantineRefused: it is not such a file, or no row in it was changed; or as `correct_rows`.
        AccessRefused: the caller's role may not insert.
    """
    given = _rows_of(body)
    names = {it.name for it in write_context.dataset.fields}
    changed = {}
    for row in quarantined_rows(conn, write_context, entries=list(given), limit=max(len(given), 1)):
        cells = given[row.entry.quarantine_id]
        if changes := changed_cells(row.cells or {}, {name: cells[name] for name in cells if name in names}):
            changed[row.entry.quarantine_id] = changes
    if not changed:
        raise QuarantineRefused("No row in this file differs from the rejected row.")
    return correct_rows(conn, write_context, changed, now=now)


def _rows_of(body: bytes) -> dict[int, dict[str, str]]:
    """The rows of a corrected file by the entry that each corrects."""
    try:
        return {int(row[ENTRY_COLUMN]): row for row in read_csv_file(body)}
    except (KeyError, ValueError):
        raise QuarantineRefused(
            f"This is not a file from this page; expected CSV in UTF-8 with the column {ENTRY_COLUMN}",
            hint="Download the rejected rows, correct them, save as CSV, and upload that file.",
        ) from None
