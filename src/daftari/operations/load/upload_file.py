"""A file that a caller uploads, through the API or a page: received, previewed, and loaded in the caller's role."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg import Connection

from daftari.compile.access.roles import Roles
from daftari.contract import permissions
from daftari.contract.access.caller import Caller, RequestContext
from daftari.contract.model import Dataset
from daftari.errors import AccessRefused, DaftariError, MappingError, QueryRefused
from daftari.io.files import open_source, sheets_of, waiting_uploads
from daftari.io.files.waiting_uploads import place_of as place_of
from daftari.io.runs.ledger import Loaded as Loaded
from daftari.io.runs.ledger import Reason, counted_reasons
from daftari.io.workspace.files import Workspace
from daftari.operations.load.load_path import LoadRequest, load_path
from daftari.operations.load.open_file import WantedFile, choose_mapping
from daftari.operations.load.preview_file import FilePreview, preview_file
from daftari.operations.write.disclosure import disclosed_reason, hidden_rules
from daftari.rows.intake.control_totals import ControlTotals, stated_figure, stated_rows
from daftari.rows.mapping.mapping import FieldSource
from daftari.rows.mapping.mapping import Mapping as ColumnMapping

_NAME = re.compile(r"[\w][\w .()+-]{0,119}")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A received file, and its sender's statements."""

    dataset: Dataset
    path: Path
    sender: tuple[RequestContext, Roles]
    picks: Mapping[str, str] = field(default_factory=dict)  #: columns that were picked by hand, by field
    sheet: str | None = None  #: of a workbook, picked by hand
    totals: ControlTotals = ControlTotals()


@dataclass(frozen=True, kw_only=True)
class Looked:
    look: FilePreview | None  #: None: the file cannot be loaded as it is
    problem: DaftariError | None  #: the reason
    header: tuple[str, ...]  #: the file's columns; none where it cannot be read
    sheets: tuple[str, ...] = ()  #: those with rows, of a workbook with several

    @property
    def asks_for_sheet(self) -> bool:
        """Whether one of its sheets must be picked: they can be read, and none of them is the one to load."""
        return bool(self.sheets) and self.problem is not None and not self.header


def begin_upload(data_dir: Path, dataset: Dataset, caller: Caller, name: str, *, now: datetime) -> Path:
    """
    Return where to write the file called *name*, before its sender sends it.

    Raises:
        AccessRefused: the caller may insert nothing: refused before a gigabyte is received.
        QueryRefused: the name is not allowed.
    """
    permissions.require(permissions.refusal_to_insert(dataset, caller))
    if not _NAME.fullmatch(name):
        raise QueryRefused(
            "name: expected a file name such as march.csv, of letters, digits, spaces and . ( ) + -"
        )
    waiting_uploads.sweep(_folder(data_dir), now)
    return waiting_uploads.begin_waiting_upload(_folder(data_dir), (caller.name, dataset.name), name)


def find_upload(data_dir: Path, dataset: Dataset, caller: Caller, place: str) -> Path:
    """
    Return the file that the caller sent for *dataset*, by its place.

    Raises:
        AccessRefused: it belongs to another user, or no longer waits.
    """
    found = waiting_uploads.find_waiting_upload(_folder(data_dir), (caller.name, dataset.name), place)
    if found is None:
        raise AccessRefused(
            "This file no longer waits here: it was loaded, or an hour has passed.", hint="Send it again."
        )
    return found


def discard_upload(path: Path) -> None:
    """Remove a received file. May be called again."""
    waiting_uploads.remove(path)


def look_at_upload(conn: Connection[Any], workspace: Workspace, upload: Upload, *, now: datetime) -> Looked:
    """Return what the file is, how it maps, and the result of its rows. Nothing is loaded."""
    sheets = _sheets(upload)
    try:
        request = _request(workspace, upload)
        look = preview_file(conn, workspace, replace(request, sender=None), now=now)
        look = replace(look, reasons=_disclosed(look.reasons, workspace, upload))
    except DaftariError as problem:
        return Looked(look=None, problem=problem, header=_header(workspace, upload), sheets=sheets)
    return Looked(look=look, problem=None, header=look.header, sheets=sheets)


def _sheets(upload: Upload) -> tuple[str, ...]:
    try:
        found = sheets_of(upload.path)
    except DaftariError:
        return ()
    return found if len(found) > 1 else ()


def load_upload(conn: Connection[Any], workspace: Workspace, upload: Upload, *, now: datetime) -> Loaded:
    """
    Load the file in its sender's role, and remove it; return the result as the sender may see it.

    Raises:
        DaftariError: as `load_path`. The file still waits.
    """
    loaded = load_path(conn, workspace, _request(workspace, upload), now=now)
    discard_upload(upload.path)
    return replace(loaded, reasons=_disclosed(loaded.reasons, workspace, upload))


def _disclosed(reasons: Iterable[Reason], workspace: Workspace, upload: Upload) -> tuple[Reason, ...]:
    """Return *reasons* as the sender may see them."""
    known = {it.dataset.name: it.dataset for it in workspace.contracts}
    hidden = hidden_rules(upload.dataset, known, upload.sender[0].caller.role)
    found = []
    for one in reasons:
        rule, field, reason = disclosed_reason(one.rule, one.field, one.reason, hidden)
        found.append(replace(one, rule=rule, field=field, reason=reason))
    return counted_reasons(found)


def totals_of(said: Mapping[str, str], dataset: Dataset) -> ControlTotals:
    """
    Return the totals that a sender states: of `rows`, of fields as `sum.<field>`, and how they are rounded as
    `rounding.<field>`.

    Raises:
        MappingError: one is not a number.
        UnknownName: the dataset has no such field.
    """
    rows: int | None = None
    figures: dict[str, dict[str, Decimal]] = {"sum": {}, "rounding": {}}
    for name, text in said.items():
        digits = text.replace(",", "").strip()
        kind, _, field = name.partition(".")
        if not (name == "rows" or (field and kind in figures)):
            continue
        try:
            if name == "rows":
                rows = stated_rows(digits)
            else:
                figures[kind][dataset.field(field).name] = stated_figure(digits)
        except ValueError:
            raise MappingError(f"{field or name}: the stated total is not a number") from None
    return ControlTotals(rows=rows, sums=figures["sum"], rounding=figures["rounding"])


def with_picks(usual: ColumnMapping | None, picks: Mapping[str, str], dataset: str) -> ColumnMapping | None:
    """Return *usual* with the columns that were picked by hand, by field, in place of its own."""
    picked = {
        name: FieldSource.model_validate({"from": [column]}) for name, column in picks.items() if column
    }
    if not picked:
        return usual
    given = usual or ColumnMapping(dataset=dataset)
    styles = {
        name: given.fields[name].model_copy(update={"headers": source.headers, "constant": None})
        if name in given.fields
        else source
        for name, source in picked.items()
    }
    return given.model_copy(update={"fields": {**given.fields, **styles}, "name": "picked by hand"})


def _folder(data_dir: Path) -> Path:
    return data_dir / "uploads"


def _request(workspace: Workspace, upload: Upload) -> LoadRequest:
    return LoadRequest(
        dataset=upload.dataset.name,
        path=upload.path,
        mapping=_mapping(workspace, upload),
        sheet=upload.sheet,
        totals=upload.totals,
        sender=upload.sender,
        judges_again=True,
    )


def _mapping(workspace: Workspace, upload: Upload) -> ColumnMapping | None:
    """The pipeline's mapping for this file, with the picked columns; None: map by names."""
    pipeline, _ = workspace.dataset(upload.dataset.name)
    usual = choose_mapping(
        pipeline, upload.dataset, WantedFile(dataset=upload.dataset.name, path=upload.path)
    )
    return with_picks(usual, upload.picks, upload.dataset.name)


def _header(workspace: Workspace, upload: Upload) -> tuple[str, ...]:
    try:
        pipeline, _ = workspace.dataset(upload.dataset.name)
        mapping = choose_mapping(
            pipeline,
            upload.dataset,
            WantedFile(dataset=upload.dataset.name, path=upload.path, sheet=upload.sheet),
        )
        opened = open_source(upload.path, mapping=mapping, dataset=upload.dataset, sha256="unknown")
        return tuple(opened.header)
    except DaftariError:
        return ()
