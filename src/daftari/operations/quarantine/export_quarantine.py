"""Export quarantined rows to CSV as in their source, each with its entry and its reasons, for correction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO

from psycopg import Connection

from daftari.errors import SourceError
from daftari.io.files import Source
from daftari.io.files.csv_for_people import Row, csv_pieces
from daftari.io.quarantine import quarantine_entries
from daftari.io.quarantine.quarantine_entries import QuarantineEntry
from daftari.io.workspace.files import Workspace
from daftari.io.workspace.whole_files import PRIVATE, whole_file
from daftari.operations.quarantine.replay_quarantine import ENTRY_COLUMN, REASONS_COLUMN, reopen
from daftari.rows.intake.block import Block


@dataclass(frozen=True, kw_only=True)
class ExportedQuarantine:
    source: str  #: the file that the rows came from
    path: Path
    rows: int
    #: lines of records without the header's shape: they have no cells, and must be corrected in the source
    shapeless: tuple[int, ...]


def export_quarantine(
    conn: Connection[Any], workspace: Workspace, dataset: str, folder: Path
) -> Iterator[ExportedQuarantine]:
    """
    Write one file for each source into *folder*, which is created where it is missing.

    The files hold the sources' values in plain text: they are for users who may see the source.

    Raises:
        SourceError: a source was moved or changed, or an export exists already.
    """
    taken: set[Path] = set()
    for waiting in quarantine_entries.open_files(conn, dataset):
        delivery = reopen(workspace, dataset, waiting)
        entries = {one.line: one for one in quarantine_entries.entries_of(conn, waiting.lines.values())}
        path = _free(folder, waiting.first.name, taken)
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path, mode=PRIVATE, replaces=False) as out:
            lines = _write(out, delivery.source, entries)
        taken.add(path)
        shapeless = tuple(sorted(set(entries) - lines))
        yield ExportedQuarantine(source=waiting.file.name, path=path, rows=len(lines), shapeless=shapeless)


def _free(folder: Path, name: str, taken: set[Path]) -> Path:
    """A separate path for each source, also where two have one name."""
    stem = Path(name).name.split(".")[0] or "rows"
    names = chain([stem], (f"{stem}-{number}" for number in count(2)))
    path = next(path for one in names if (path := folder / f"{one}.quarantine.csv") not in taken)
    if path.exists():
        raise SourceError(f"{path}: exists already", hint="Move it away, or export into another folder.")
    return path


def _write(out: BinaryIO, source: Source, entries: Mapping[int, QuarantineEntry]) -> set[int]:
    """Write the rows of *entries*, which are by line; return the lines that were found."""
    columns = [name for name in source.header if name not in (ENTRY_COLUMN, REASONS_COLUMN)]
    found = set()

    def rows_of(block: Block) -> Iterator[Row]:
        wanted = block.lines.is_in(sorted(entries))
        rows = block.cells.select(columns).filter(wanted).iter_rows()
        for line, cells in zip(block.lines.filter(wanted), rows, strict=True):
            found.add(line)
            yield [entries[line].quarantine_id, reasons_in_words(entries[line]), *cells]

    names = [ENTRY_COLUMN, REASONS_COLUMN, *columns]
    out.writelines(csv_pieces(names, map(rows_of, source.blocks())))
    return found


def reasons_in_words(entry: QuarantineEntry) -> str:
    """Return the reasons of an entry as one sentence."""
    return "; ".join(f"{one['field']} {one['reason']}".strip() for one in entry.reasons)
