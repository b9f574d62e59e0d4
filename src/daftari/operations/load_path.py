"""From a path to a load: which mapping fits, what the sender states, whether it is known already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from psycopg import Connection

from daftari.contract.model import Dataset
from daftari.errors import MappingError
from daftari.io import ledger
from daftari.io.files import STDIN, open_source
from daftari.io.ledger import Loaded, Origin
from daftari.io.mappings import manifest_totals, read_mapping_file
from daftari.io.workspace import Pipeline, Workspace
from daftari.operations.load_file import Delivery, load_file
from daftari.operations.recognise_file import recognise_file
from daftari.rows.control import ControlTotals
from daftari.rows.inference import settle
from daftari.rows.mapping import Mapping
from daftari.rows.plan import resolve


@dataclass(frozen=True, kw_only=True)
class Request:
    """A file that somebody wants loaded."""

    dataset: str
    path: Path  #: `-` is standard input
    mapping: Path | None = None  #: None: the pipeline's mapping that is meant for it
    totals: ControlTotals = ControlTotals()  #: as stated by whoever asks
    again: bool = False  #: even though a file of this content was loaded before
    sha256: str | None = None  #: of a file that is known to be new; None: not looked at yet

    @property
    def is_file(self) -> bool:
        return self.path != STDIN


def load_path(
    conn: Connection[Any],
    workspace: Workspace,
    request: Request,
    *,
    now: datetime,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Loaded:
    """
    Load the file of *request*. One whose content is known costs no more than reading its bytes once.

    Raises:
        UnknownName: the workspace has no such dataset.
        Drift: the database is not what its contract says.
        SourceError, MappingError, ReconciliationError, DatabaseError: as `load_file`.
    """
    _, contract = workspace.dataset(request.dataset)
    ledger.require_contract(conn, contract)
    sha256, known = request.sha256, None
    if sha256 is None:
        sha256, known = recognise_file(conn, request.dataset, request.path)
    if known and not request.again:
        return known
    delivery = prepare(workspace, request, sha256=sha256)
    return load_file(conn, delivery, now=now, again=request.again, progress=progress)


def prepare(workspace: Workspace, request: Request, *, sha256: str | None = None) -> Delivery:
    """
    Open the file of *request*, of which *sha256* may be known, and find out how it is written; load nothing.

    Raises:
        SourceError, MappingError: it cannot be read, or not without more being said about it.
    """
    pipeline, contract = workspace.dataset(request.dataset)
    mapping = choose_mapping(pipeline, contract.dataset, request)
    source = open_source(request.path, mapping=mapping, dataset=contract.dataset, sha256=sha256)
    plan = settle(resolve(mapping, source.header, contract.dataset, file=source.name), source.blocks())
    return Delivery(
        contract=contract,
        keys=workspace.keys,
        source=source,
        plan=plan,
        origin=Origin(
            name=source.name,
            sha256=source.sha256,
            path=str(request.path.resolve()) if request.is_file else None,
            bytes=request.path.stat().st_size if request.is_file else 0,
            mapping=mapping.name if mapping else None,
        ),
        totals=_stated(request, mapping),
    )


def _stated(request: Request, mapping: Mapping | None) -> tuple[ControlTotals, ...]:
    """What is said of the file: by whoever asks, by its mapping, by the manifest beside it."""
    given = mapping.control_totals if mapping else None
    by_mapping = [ControlTotals(rows=given.rows, sums=given.sums)] if given else []
    by_manifest = manifest_totals(request.path) if request.is_file else []
    return (request.totals, *by_mapping, *by_manifest)


def choose_mapping(pipeline: Pipeline, dataset: Dataset, request: Request) -> Mapping | None:
    """
    Return the mapping of *pipeline* that is meant for the file: by its name first, else the only one for the dataset.

    Raises:
        MappingError: several are, and nothing tells which.
    """
    if request.mapping is not None:
        return read_mapping_file(request.mapping)
    candidates = [m for m in map(read_mapping_file, pipeline.mappings) if m.dataset == dataset.name]
    name = request.path.name
    named = [m for m in candidates if any(fnmatch(name.lower(), glob.lower()) for glob in m.match)]
    chosen = named or [m for m in candidates if not m.match]
    if len(chosen) > 1:
        raise MappingError(
            f"{name}: {len(chosen)} mappings of {pipeline.name} may be meant for it: "
            + ", ".join(m.name for m in chosen),
            hint="Name one with --mapping, or narrow `match` in one of them.",
        )
    return chosen[0] if chosen else None
