"""
Take rows out of quarantine once more: from the file they came from, or from a mended export of them.

Whatever the verdict, the old entry is closed by the replay: a row in good order has landed, one that is still
wrong has an entry of the replay's own. Replaying again finds only what is still wrong.
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
from daftari.io.load.file_digest import file_digest
from daftari.io.quarantine import quarantine_entries
from daftari.io.quarantine.quarantine_entries import Kept, OpenFile
from daftari.io.runs.ledger import Loaded, Origin
from daftari.io.workspace.files import Workspace
from daftari.operations.load.load_file import FileLoad, load_file
from daftari.operations.load.load_path import LoadRequest, prepare_load
from daftari.rows.intake.block import Block
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping

#: The column of an export that says which entry a row mends, and the one that says why.
ENTRY_COLUMN = "_quarantine_id"
REASONS_COLUMN = "_reasons"


def replay_quarantine(
    conn: Connection[Any], workspace: Workspace, dataset: str, *, now: datetime, run_id: int | None = None
) -> Iterator[Loaded]:
    """
    Judge the quarantined rows of *dataset* again, file by file: after the contract or a mapping was mended.

    Raises:
        SourceError: a file is not where it was, or has changed since.
    """
    for waiting in quarantine_entries.open_files(conn, dataset, run_id):
        delivery = reopen(workspace, dataset, waiting)
        yield load_file(conn, replace(delivery, replays=waiting.lines), now=now)


def reopen(workspace: Workspace, dataset: str, waiting: OpenFile) -> FileLoad:
    """
    Prepare the file that holds quarantined rows.

    Raises:
        SourceError: it is not where it was, or has changed since; or the one that its rows first came from.
    """
    file, first = waiting.file, waiting.first
    load = f"daftari load {dataset}"
    path = _unchanged(first, if_gone=f"{load} FILE", if_changed=f"{load} {first.path}")
    request = LoadRequest(dataset=dataset, path=path, mapping=_mapping_of(workspace, dataset, first))
    original = prepare_load(workspace, request)
    if file == first:
        return original
    mend = f"daftari quarantine replay {dataset} --corrected"
    mended = _unchanged(file, if_gone=f"{mend} FILE", if_changed=f"{mend} {file.path}")
    return _as_delivery(original, _open_export(mended, dataset), mended)


def _mapping_of(workspace: Workspace, dataset: str, file: Kept) -> Path | None:
    """The mapping that *file* was loaded with, as it is now; None where it had none: one may have come since."""
    pipeline, _ = workspace.dataset(dataset)
    known = {mapping.name: mapping for mapping in pipeline.mappings}
    if file.mapping is not None and file.mapping not in known:
        raise MappingError(
            f"{file.name}: was loaded with the mapping {file.mapping}, which {pipeline.name} has not",
            hint=f"Put it into {pipeline.path.name}/ingest/.",
        )
    return known[file.mapping] if file.mapping else None


def _unchanged(file: Kept, *, if_gone: str, if_changed: str) -> Path:
    path = Path(file.path) if file.path else None
    if path is None or not path.is_file():
        raise SourceError(
            f"{file.name}: the file is not there any more ({file.path or 'it came by standard input'})",
            hint=f"Put it back, or load a mended file: {if_gone}",
        )
    if file_digest(path) != file.sha256:
        raise SourceError(
            f"{file.name}: has changed since its rows went into quarantine ({path})",
            hint=f"Load it as it is now: {if_changed}",
        )
    return path


def replay_corrected(
    conn: Connection[Any], workspace: Workspace, dataset: str, mended: Path, *, now: datetime
) -> Iterator[Loaded]:
    """
    Take rows from *mended*, a file made by `export_quarantine` and corrected, in place of the quarantined ones.

    A row that has landed meanwhile is passed over, so replaying the same file twice lands each row once; one that
    was refused again is taken again.

    Raises:
        SourceError: the file, or the one that its rows came from, cannot be read.
        MappingError: a row does not say which entry it mends, or rows of several files are in it.
    """
    exported = _open_export(mended, dataset)
    lines = _entries_of(exported, mended.name)
    open_now = quarantine_entries.open_now(conn, dataset, lines.values())
    mends = {line: open_now[entry] for line, entry in lines.items() if entry in open_now}
    entries = set(mends.values())
    found = [one for one in quarantine_entries.open_files(conn, dataset) if entries & set(one.lines.values())]
    firsts = {one.first.sha256: one for one in found}
    if len(firsts) > 1:
        raise MappingError(
            f"{mended.name}: holds rows of {', '.join(one.first.name for one in firsts.values())}; "
            "expected those of one file",
            hint="Replay each export by itself.",
        )
    for one in firsts.values():
        original = reopen(workspace, dataset, replace(one, file=one.first))
        delivery = _as_delivery(original, exported, mended)
        yield load_file(conn, replace(delivery, replays=mends), now=now)


def _open_export(path: Path, dataset: str) -> Source:
    source = open_source(path, mapping=_of_export(Mapping(dataset=dataset)))
    return source.read_as(tuple(map(unescaped, source.header)), _as_it_was)


def _as_it_was(block: Block) -> Block:
    return replace(block, cells=unescaped_cells(block.cells), is_trimmed=False)


def _as_delivery(original: FileLoad, exported: Source, path: Path) -> FileLoad:
    """The mended rows, read as the file they came from was read: a date style is not guessed anew from a few rows."""
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
            mends=original.origin.sha256,
        ),
    )


def _of_export(mapping: Mapping) -> Mapping:
    """The same mapping for an export, whose form is always UTF-8 with commas and the header on top."""
    return mapping.model_copy(
        update={
            "encoding": "utf-8",
            "separator": ",",
            "sheet": None,
            "member": None,
            "header_row": 1,
            "columns": (),
            "total_row": "none",
            "control_totals": None,
        }
    )


def _entries_of(exported: Source, name: str) -> dict[int, int]:
    """Return line -> entry of every record of an export."""
    if ENTRY_COLUMN not in exported.header:
        raise MappingError(
            f"{name}: no column {ENTRY_COLUMN}; expected a file made by `daftari quarantine export`",
            hint="To load a whole mended file instead: daftari load DATASET FILE",
        )
    found: dict[int, int] = {}
    for block in exported.blocks():
        for line, text in zip(block.lines, block.cells[ENTRY_COLUMN], strict=True):
            if not (text or "").strip().isdigit():
                raise MappingError(
                    f"{name}: line {line}: {ENTRY_COLUMN} is not a number; expected the one of the export",
                    hint="A row without it cannot be told from a new one: put new rows into a file of their own.",
                )
            found[line] = int(text)
        if block.malformed:
            first = block.malformed[0]
            raise SourceError(
                f"{name}: line {first.line}: {first.reason}", hint="Mend the line; nothing was loaded."
            )
    return found
