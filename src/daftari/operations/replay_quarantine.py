"""
Take rows out of quarantine once more: from the file they came from, or from a mended export of them.

Whatever the verdict, the old entry is closed by the replay: a row in good order has landed, one that is still
wrong has an entry of the replay's own. Replaying again finds only what is still wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import Connection

from daftari.errors import MappingError, SourceError
from daftari.io import quarantine
from daftari.io.digest import digest
from daftari.io.files import Source, open_source
from daftari.io.ledger import Loaded, Origin
from daftari.io.quarantine import OpenFile
from daftari.io.workspace import Workspace
from daftari.operations.load_file import Delivery, load_file
from daftari.operations.load_path import Request, prepare
from daftari.rows.mapping import Mapping
from daftari.rows.plan import ColumnPlan, resolve

#: The column of an export that says which entry a row mends, and the one that says why.
ENTRY_COLUMN = "_quarantine_id"
REASONS_COLUMN = "_reasons"

Say = Callable[[int], None]


def replay(
    conn: Connection[Any], workspace: Workspace, dataset: str, *, now: datetime, run_id: int | None = None
) -> Iterator[Loaded]:
    """
    Judge the quarantined rows of *dataset* again, file by file: after the contract or a mapping was mended.

    Raises:
        SourceError: a file is not where it was, or has changed since.
    """
    for file in quarantine.open_files(conn, dataset, run_id):
        delivery = reopen(workspace, dataset, file)
        yield load_file(conn, replace(delivery, replays=file.lines), now=now)


def reopen(workspace: Workspace, dataset: str, file: OpenFile) -> Delivery:
    """
    Prepare the file that quarantined rows came from.

    Raises:
        SourceError: it is not where it was, or has changed since.
    """
    path = Path(file.path) if file.path else None
    if path is None or not path.is_file():
        raise SourceError(
            f"{file.name}: the file is not there any more ({file.path or 'it came by standard input'})",
            hint="Put it back, or load a mended file: daftari load " + dataset + " FILE",
        )
    if digest(path) != file.sha256:
        raise SourceError(
            f"{file.name}: has changed since its rows went into quarantine ({path})",
            hint=f"Load it as the new file it is: daftari load {dataset} {path}",
        )
    pipeline, _ = workspace.dataset(dataset)
    mapping = next((m for m in pipeline.mappings if m.name == file.mapping), None)
    return prepare(workspace, Request(dataset=dataset, path=path, mapping=mapping))


def replay_mended(
    conn: Connection[Any], workspace: Workspace, dataset: str, mended: Path, *, now: datetime
) -> Iterator[Loaded]:
    """
    Take rows from *mended*, a file made by `export_quarantine` and corrected, in place of the quarantined ones.

    A row whose entry is closed already is passed over, so replaying the same file twice lands each row once.

    Raises:
        SourceError: the file, or one that its rows came from, cannot be read.
        MappingError: a row does not say which entry it mends.
    """
    exported = open_source(mended, mapping=_of_export(Mapping(dataset=dataset)))
    lines = _entries_of(exported, mended.name)
    open_now = quarantine.open_entries(conn, dataset, lines.values())
    for file in quarantine.open_files(conn, dataset):
        mends = {
            line: entry
            for line, entry in lines.items()
            if entry in open_now and open_now[entry].sha256 == file.sha256
        }
        if mends:
            delivery = _as_delivery(reopen(workspace, dataset, file), exported, mended)
            yield load_file(conn, replace(delivery, replays=mends), now=now)


def _as_delivery(original: Delivery, exported: Source, path: Path) -> Delivery:
    """The mended rows, read as the file they came from was read: a date style is not guessed anew from a few rows."""
    mapping = _of_export(original.plan.mapping)
    plan = resolve(mapping, exported.header, original.contract.dataset)
    fields = tuple(
        replace(new, styles=old.styles, evidence=old.evidence)
        for new, old in zip(plan.fields, original.plan.fields, strict=True)
    )
    return Delivery(
        contract=original.contract,
        source=exported,
        plan=_replace_fields(plan, fields),
        origin=Origin(
            name=path.name,
            sha256=exported.sha256,
            path=str(path.resolve()),
            bytes=path.stat().st_size,
            mapping=original.origin.mapping,
        ),
    )


def _replace_fields(plan: ColumnPlan, fields: tuple[Any, ...]) -> ColumnPlan:
    return replace(plan, fields=fields)


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
