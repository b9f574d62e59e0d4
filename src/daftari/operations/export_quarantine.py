"""Write quarantined rows to a CSV file as their source had them, each with its entry and its reasons, to be mended."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from psycopg import Connection

from daftari.errors import SourceError
from daftari.io import quarantine
from daftari.io.quarantine import Entry, OpenFile
from daftari.io.workspace import Workspace
from daftari.operations.replay_quarantine import ENTRY_COLUMN, REASONS_COLUMN, reopen


def export_quarantine(
    conn: Connection[Any], workspace: Workspace, dataset: str, folder: Path
) -> Iterator[tuple[Path, int]]:
    """
    Write one file for each source into *folder*; yield its path and its number of rows.

    The files hold what the sources held, in the clear: they are for whoever may see the source. A record that does
    not have the header's shape has no cells to export; its line says so, and it is mended in the source.

    Raises:
        SourceError: a source is not where it was or has changed, or a file is there already.
    """
    for file in quarantine.open_files(conn, dataset):
        reasons = {entry.line: entry for entry in quarantine.entries_of(conn, file.lines.values())}
        path = folder / f"{Path(file.name).name.split('.')[0]}.quarantine.csv"
        if path.exists():
            raise SourceError(
                f"{path}: is there already", hint="Move it away, or export into another folder."
            )
        delivery = reopen(workspace, dataset, file)
        with path.open("x", encoding="utf-8", newline="") as out:
            yield path, _write(out, file, delivery.source, reasons)


def _write(out: TextIO, file: OpenFile, source: Any, entries: dict[int, Entry]) -> int:
    writer = csv.writer(out)
    writer.writerow([ENTRY_COLUMN, REASONS_COLUMN, *source.header])
    written = 0
    for block in source.blocks():
        wanted = block.lines.is_in(sorted(file.lines))
        for line, cells in zip(
            block.lines.filter(wanted), block.cells.filter(wanted).iter_rows(), strict=True
        ):
            writer.writerow([file.lines[line], in_words(entries[line]), *cells])
            written += 1
    return written


def in_words(entry: Entry) -> str:
    """Return the reasons of an entry as one sentence."""
    return "; ".join(f"{one['field']} {one['reason']}".strip() for one in entry.reasons)
