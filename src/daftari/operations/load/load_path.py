"""From a path to a load: the sender's statements, and whether the file is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.compile.access.roles import Roles
from daftari.contract.access.caller import RequestContext
from daftari.contract.model import Conflict, Dataset
from daftari.io.load.file_digest import file_digest, mapping_digest, text_digest
from daftari.io.runs import ledger
from daftari.io.runs.ledger import Loaded, Origin
from daftari.io.workspace.files import Workspace
from daftari.io.workspace.mappings import manifest_totals
from daftari.operations.load.judge_process import JudgeProcess
from daftari.operations.load.load_file import FileLoad, load_file
from daftari.operations.load.open_file import WantedFile, open_file
from daftari.operations.load.recognise_file import GivenFile, content_digest, recognise_file
from daftari.rows.intake.control_totals import ControlTotals
from daftari.rows.intake.intake import rows_may_collide
from daftari.rows.mapping.mapping import Mapping


@dataclass(frozen=True, kw_only=True)
class LoadRequest(WantedFile):
    """A file to load."""

    totals: ControlTotals = ControlTotals()  #: as stated by the caller
    again: bool = False  #: also when a file of this content was loaded before
    judges_again: bool = False  #: also then, if its contract or mapping has changed since
    sha256: str | None = None  #: of a file that is known to be new; None: not checked yet
    judge: JudgeProcess | None = None  #: the process that judges it; None: this one
    sender: tuple[RequestContext, Roles] | None = None  #: whose role loads it; None: an operator's


def load_path(
    conn: Connection[Any],
    workspace: Workspace,
    request: LoadRequest,
    *,
    now: datetime,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Loaded:
    """
    Load the file of *request*. A file of known content costs no more than reading its bytes once.

    Raises:
        UnknownName: the workspace has no such dataset.
        Drift: the database does not match its contract.
        SourceError, MappingError, ReconciliationError, DatabaseError: as `load_file`.
    """
    _, contract = workspace.dataset(request.dataset)
    ledger.require_contract(conn, contract)
    sha256 = request.sha256
    if sha256 is None and request.path.is_file() and not request.again and request.sheet is None:
        sha256 = file_digest(request.path)
        if known := recognise_file(conn, _given(workspace, request, sha256)):
            return known
    delivery = _identified(conn, _opened(workspace, request, sha256), request)
    # Policies decide which of a sender's rows is rejected, so the batch's rows must be in this process.
    if delivery.judge is None or delivery.sender or _is_told_by_rows(contract.dataset):
        delivery = delivery.judged_here()
    return load_file(conn, delivery, now=now, again=request.again, progress=progress)


def _identified(conn: Connection[Any], delivery: FileLoad, request: LoadRequest) -> FileLoad:
    """Return the load under the digest of its content, which is that of one sheet where the file has several."""
    origin = delivery.origin
    digest = content_digest(conn, request.dataset, delivery.source, is_picked=request.sheet is not None)
    return replace(delivery, origin=replace(origin, sha256=digest))


def _is_told_by_rows(dataset: Dataset) -> bool:
    """Whether the load regularly needs a batch's rows, to find the rejected one."""
    refers_to_itself = any(one.target == dataset.name for one in dataset.relationships)
    return rows_may_collide(dataset) or refers_to_itself or dataset.conflict is Conflict.REJECT


def prepare_load(workspace: Workspace, request: LoadRequest, *, sha256: str | None = None) -> FileLoad:
    """
    Open the file of *request*, whose *sha256* may be known, and detect its formats; load nothing.

    Raises:
        SourceError, MappingError: it cannot be read, or its mapping is incomplete.
    """
    return _opened(workspace, request, sha256).judged_here()


def _opened(workspace: Workspace, request: LoadRequest, sha256: str | None) -> FileLoad:
    """Open the file of *request*; the formats of its values are not settled yet."""
    opened = open_file(workspace, request, sha256=sha256)
    return FileLoad(
        contract=opened.contract,
        source=opened.source,
        plan=opened.plan,
        open_keys=workspace.open_keys,
        origin=Origin(
            name=opened.source.name,
            sha256=opened.source.sha256,
            # A caller's file is not kept: the sender sends its rows again.
            path=str(request.path.resolve()) if request.is_file and not request.sender else None,
            bytes=request.path.stat().st_size if request.is_file else 0,
            mapping=(opened.mapping.name if opened.mapping else "")
            or None,  # without one, it may still name a sheet
            mapping_sha256=_mapping_digest(workspace, request),
            sheet=opened.source.sheet,
        ),
        judges_again=_judges_again(workspace, request),
        totals=_stated(request, opened.mapping),
        judge=request.judge,
        sender=request.sender,
    )


def _given(workspace: Workspace, request: LoadRequest, sha256: str) -> GivenFile:
    return GivenFile(
        dataset=request.dataset,
        name=request.path.name,
        sha256=sha256,
        mapping_sha256=_mapping_digest(workspace, request) if _judges_again(workspace, request) else None,
    )


def _judges_again(workspace: Workspace, request: LoadRequest) -> bool:
    """Without a key, judging a file again would insert its rows again."""
    _, contract = workspace.dataset(request.dataset)
    return request.judges_again and bool(contract.dataset.key)


def _mapping_digest(workspace: Workspace, request: LoadRequest) -> str:
    """The digest of what decides how the file's columns map; a pipeline's own mapping needs no name."""
    given = request.mapping
    if isinstance(given, Mapping):
        pipeline, _ = workspace.dataset(request.dataset)
        if given.name not in {it.name for it in pipeline.mappings}:
            return text_digest(given.model_dump_json())
        given = None
    return mapping_digest(workspace.root, request.dataset, given)


def _stated(request: LoadRequest, mapping: Mapping | None) -> tuple[ControlTotals, ...]:
    """The stated totals of the file: from the caller, its mapping, and the manifest next to it."""
    given = mapping.control_totals if mapping else None
    by_mapping = [ControlTotals(**dict(given))] if given else []
    by_manifest = manifest_totals(request.path) if request.is_file else []
    return (request.totals, *by_mapping, *by_manifest)
