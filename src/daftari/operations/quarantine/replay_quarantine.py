"""
Judge quarantined rows again: from their original file, or from a corrected export of them.

The replay closes the old entry in every case: a valid row is written, and a row that is still wrong gets a new entry.
Replaying again finds only rows that are still wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import Connection

from daftari.errors import MappingError, SourceError
from daftari.io.files import Source, open_source
from daftari.io.files.csv_for_people import unescaped, unescaped_cells
from daftari.io.load.file_digest import file_digest, sheet_digest
from daftari.io.quarantine import quarantine_entries
from daftari.io.quarantine.quarantine_entries import Kept, OpenFile
from daftari.io.runs.ledger import Loaded, Origin
from daftari.io.workspace.files import Workspace
from daftari.operations.load.load_file import FileLoad, load_file
from daftari.operations.load.load_path import LoadRequest, prepare_load
from daftari.rows.intake.block import Block
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping

#: The column of an export with the entry that a row corrects, and the one with the reasons.
ENTRY_COLUMN = "_quarantine_id"
REASONS_COLUMN = "_reasons"


def replay_quarantine(
    conn: Connection[Any], workspace: Workspace, dataset: str, *, now: datetime, run_id: int | None = None
) -> Iterator[Loaded]:
    """
    Judge the quarantined rows of *dataset* again, file by file: after the contract or a mapping was corrected.

    Raises:
        SourceError: a file was moved or has changed.
    """
    for waiting in quarantine_entries.open_files(conn, dataset, run_id):
        delivery = reopen(workspace, dataset, waiting)
        yield load_file(conn, replace(delivery, replays=waiting.lines), now=now)


def reopen(workspace: Workspace, dataset: str, waiting: OpenFile) -> FileLoad:
    """
    Prepare the file that holds quarantined rows.

    Raises:
        SourceError: it, or the original file of its rows, was moved or has changed.
    """
    file, first = waiting.file, waiting.first
    load = f"daftari load {dataset}"
    path = _unchanged(first, if_gone=f"{load} FILE", if_changed=f"{load} {first.path}")
    request = LoadRequest(
        dataset=dataset, path=path, mapping=_mapping_of(workspace, dataset, first), sheet=first.sheet
    )
    original = prepare_load(workspace, request)
    original = replace(original, origin=replace(original.origin, sha256=first.sha256))
    if file == first:
        return original
    command = f"daftari quarantine replay {dataset} --corrected"
    corrected = _unchanged(file, if_gone=f"{command} FILE", if_changed=f"{command} {file.path}")
    return _as_delivery(original, _open_export(corrected, dataset), corrected)


def _mapping_of(workspace: Workspace, dataset: str, file: Kept) -> Path | None:
    """The mapping with which *file* was loaded, in its current form; None where it had none."""
    if not file.mapping:
        return None
    pipeline, _ = workspace.dataset(dataset)
    known = {mapping.name: mapping for mapping in pipeline.mappings}
    if file.mapping not in known:
        raise MappingError(
            f"{file.name}: was loaded with the mapping {file.mapping}, which {pipeline.name} does not have",
            hint=f"Add it to {pipeline.path.name}/ingest/.",
        )
    return known[file.mapping]


def _unchanged(file: Kept, *, if_gone: str, if_changed: str) -> Path:
    path = Path(file.path) if file.path else None
    if path is None or not path.is_file():
        raise SourceError(
            f"{file.name}: the file does not exist any more ({file.path or 'it came from standard input'})",
            hint=f"Restore it, or load a corrected file: {if_gone}",
        )
    found = file_digest(path)
    if file.sha256 not in (found, sheet_digest(found, file.sheet or "")):
        raise SourceError(
            f"{file.name}: has changed since its rows went into quarantine ({path})",
            hint=f"Load its current content: {if_changed}",
        )
    return path


def replay_corrected(
    conn: Connection[Any], workspace: Workspace, dataset: str, corrected: Path, *, now: datetime
) -> Iterator[Loaded]:
    """
    Take rows from *corrected*, a corrected file of `export_quarantine`, in place of the quarantined ones.

    A row that was written meanwhile is skipped, so replaying the same file twice writes each row once; a row that was
    rejected again is judged again.

    Raises:
        SourceError: the file, or the one that its rows came from, cannot be read.
        MappingError: a row does not name its entry, or the file holds rows of several files.
    """
    exported = _open_export(corrected, dataset)
    lines = _entries_of(exported, corrected.name)
    open_now = quarantine_entries.open_now(conn, dataset, lines.values())
    corrects = {line: open_now[entry] for line, entry in lines.items() if entry in open_now}
    entries = set(corrects.values())
    found = [one for one in quarantine_entries.open_files(conn, dataset) if entries & set(one.lines.values())]
    firsts = {one.first.sha256: one for one in found}
    if len(firsts) > 1:
        raise MappingError(
            f"{corrected.name}: holds rows of {', '.join(one.first.name for one in firsts.values())}; "
            "expected those of one file",
            hint="Replay each export separately.",
        )
    for one in firsts.values():
        original = reopen(workspace, dataset, replace(one, file=one.first))
        delivery = _as_delivery(original, exported, corrected)
        yield load_file(conn, replace(delivery, replays=corrects), now=now)


def _open_export(path: Path, dataset: str) -> Source:
    source = open_source(path, mapping=_of_export(Mapping(dataset=dataset)))
    return source.read_as(tuple(map(unescaped, source.header)), _as_it_was)


def _as_it_was(block: Block) -> Block:
    return replace(block, cells=unescaped_cells(block.cells), is_trimmed=False)


def _as_delivery(original: FileLoad, exported: Source, path: Path) -> FileLoad:
    """
    Return the corrected rows in the format of their original file: a few rows are not enough to infer date styles.
    """
    mapping = _of_export(original.plan.mapping)
    plan = resolve_columns(mapping, exported.header, original.contract.dataset, file=path.name)
    fields = tuple(
        replace(new, styles=old.styles, evidence=old.evidence)
        for new, old in zip(plan.fields, original.plan.fields, strict=True)
    )
    return FileLoad(
        contract=original.contract,
        open_keys=original.open_keys,
        source=exported,
        plan=replace(plan, fields=fields),
        origin=Origin(
            name=path.name,
            sha256=exported.sha256,
            path=str(path.resolve()),
            bytes=path.stat().st_size,
            mapping=original.origin.mapping,
            corrects=original.origin.sha256,
        ),
    )


def _of_export(mapping: Mapping) -> Mapping:
    """The same mapping for an export, which is always UTF-8 with commas and the header in the first line."""
    return mapping.model_copy(
        update={
            "encoding": "utf-8",
            "separator": ",",
            "sheet": None,
            "member": None,
            "rows": None,
            "header_row": 1,
            "columns": (),
            "total_row": "none",
            "control_totals": None,
            "ignore": (ENTRY_COLUMN, REASONS_COLUMN, *mapping.ignore),
        }
    )


def _entries_of(exported: Source, name: str) -> dict[int, int]:
    """Return line -> entry of every record of an export."""
    if ENTRY_COLUMN not in exported.header:
        raise MappingError(
            f"{name}: no column {ENTRY_COLUMN}; expected a file made by `daftari quarantine export`",
            hint="To load a whole corrected file instead: daftari load DATASET FILE",
        )
    found: dict[int, int] = {}
    for block in exported.blocks():
        for line, text in zip(block.lines, block.cells[ENTRY_COLUMN], strict=True):
            if not (text or "").strip().isdigit():
                raise MappingError(
                    f"{name}: line {line}: {ENTRY_COLUMN} is not a number; expected the number from the export",
                    hint="A row without it looks like a new row: put new rows into a separate file.",
                )
            found[line] = int(text)
        if block.malformed:
            first = block.malformed[0]
            raise SourceError(
                f"{name}: line {first.line}: {first.reason}", hint="Correct the line; nothing was loaded."
            )
    return found
