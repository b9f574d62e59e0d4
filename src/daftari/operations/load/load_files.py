"""
Load files into one dataset, one after another.

Light to import: a process that judges is started for a large file, and a thread hashes every file. The load's other
modules are imported meanwhile; a known file needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from daftari.errors import DaftariError
from daftari.io.load.file_digest import DigestInBackground, mapping_digest
from daftari.operations.load.judge_process import JudgedFile, JudgeProcess, started_judge

if TYPE_CHECKING:
    from psycopg import Connection

    from daftari.io.runs.ledger import Loaded as Loaded
    from daftari.io.workspace.files import Workspace
    from daftari.operations.load.load_path import LoadRequest
    from daftari.rows.intake.control_totals import ControlTotals
    from daftari.rows.mapping.explain import Explained
    from daftari.settings import Settings

#: Called with each file that begins; returns a function to call with the number of rows of each block.
Progress = Callable[[Path], Callable[[int], None]]


class OpenedForLoad(Protocol):
    """A workspace whose settings are read: what a load needs."""

    @property
    def settings(self) -> Settings: ...

    def workspace_of(self, dataset: str) -> Workspace: ...

    def connection(self) -> AbstractContextManager[Connection[Any]]: ...


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files to load, and their common options."""

    dataset: str
    paths: Sequence[Path]
    mapping: Path | None = None  #: None: the pipeline's own mapping for the file
    sheet: str | None = None  #: of a workbook, by name or number; None: the mapping's
    totals: ControlTotals | None = None
    again: bool = False  #: also when a file of this content was loaded before


@dataclass(frozen=True, kw_only=True)
class Loads:
    loaded: tuple[Loaded, ...]
    errors: tuple[DaftariError, ...]  #: one for each file that was refused, or had too many rejected rows


def load_files(
    open_: Callable[[], OpenedForLoad], files: Files, *, clock: Callable[[], datetime], progress: Progress
) -> Loads:
    """
    Load each of *files*; a refused one does not stop the others. A lost connection ends the load.

    *open_* reads the settings of the workspace. It is called once, while the first file is being hashed. *clock* is
    read once per file, so that a load that runs past midnight judges each file by its own day.

    Raises:
        DaftariError: there is no workspace, or its database cannot be reached.
    """
    loaded: list[Loaded] = []
    errors: list[DaftariError] = []
    opened, conn = None, None
    with ExitStack() as stack:
        for path in files.paths:
            with started_judge(path) as judge:
                digest = None if files.again or not path.is_file() else DigestInBackground(path)
                opened = opened or open_()
                conn = conn or stack.enter_context(opened.connection())
                one = _One(opened=opened, conn=conn, files=files, path=path, judge=judge, digest=digest)
                try:
                    loaded.append(one.load(clock(), progress))
                    errors += one.refusals(loaded[-1])
                except DaftariError as error:
                    errors.append(error)
            if conn.closed:
                break
        if conn is not None and not conn.closed and not all(it.known for it in loaded):
            _keep_up(opened, conn, files.dataset, clock())
    return Loads(loaded=tuple(loaded), errors=tuple(errors))


def _keep_up(opened: OpenedForLoad | None, conn: Connection[Any], dataset: str, now: datetime) -> None:
    from daftari.operations.schema.upkeep import keep_up

    assert opened is not None, "who has a connection has opened the workspace"
    keep_up(conn, opened.settings, opened.workspace_of(dataset).contracts, now=now)


def explain_files(opened: OpenedForLoad, files: Files) -> list[Explained]:
    """
    Return what was inferred about each of *files* and how its columns map. Nothing is loaded.

    Raises:
        UnknownName: the workspace has no such dataset.
        SourceError, MappingError: a file cannot be read, or its mapping is incomplete.
    """
    from daftari.operations.load.load_path import prepare_load
    from daftari.rows.mapping.explain import explain

    workspace = opened.workspace_of(files.dataset)
    found = (prepare_load(workspace, _request(files, path)) for path in files.paths)
    return [explain(prepared.plan, prepared.source) for prepared in found]


@dataclass(frozen=True, kw_only=True)
class _One:
    """One file."""

    opened: OpenedForLoad
    conn: Connection[Any]
    files: Files
    path: Path
    judge: JudgeProcess | None
    digest: DigestInBackground | None

    def load(self, now: datetime, progress: Progress) -> Loaded:
        from daftari.io.database.connection import database_errors_explained

        on_rows = progress(self.path)
        if self.judge is not None:
            self.judge.prepare(self._order)
        with database_errors_explained(self.conn):
            sha256 = self.digest.hex() if self.digest else None
            return self._known(sha256) or self._new(sha256, now, on_rows)

    @property
    def _order(self) -> JudgedFile:
        settings = self.opened.settings
        return JudgedFile(
            root=settings.root,
            dataset=self.files.dataset,
            path=self.path,
            mapping=self.files.mapping,
            sheet=self.files.sheet,
            settings=settings,
        )

    def refusals(self, loaded: Loaded) -> list[DaftariError]:
        """Return the error of a file of which too many rows were rejected. Its other rows are loaded."""
        if not loaded.counts.quarantined:
            return []
        from daftari.operations.load.rejected_share import refusal_of_share

        _, contract = self.opened.workspace_of(self.files.dataset).dataset(self.files.dataset)
        error = refusal_of_share(
            contract.dataset,
            loaded.counts.received,
            loaded.counts.quarantined,
            where=loaded.source,
            then="load the file again",
        )
        return [error] if error else []

    def _known(self, sha256: str | None) -> Loaded | None:
        """Recognise a known file before anything slow is imported."""
        from daftari.operations.load.recognise_file import GivenFile, recognise_file

        if not sha256 or self.files.sheet is not None:  # a sheet is known by its name, once it is opened
            return None
        mapping = mapping_digest(self.opened.settings.root, self.files.dataset, self.files.mapping)
        dataset, name = self.files.dataset, self.path.name
        given = GivenFile(dataset=dataset, name=name, sha256=sha256, mapping_sha256=mapping)
        return recognise_file(self.conn, given)

    def _new(self, sha256: str | None, now: datetime, on_rows: Callable[[int], None]) -> Loaded:
        from daftari.operations.load.load_path import load_path

        workspace = self.opened.workspace_of(self.files.dataset)
        request = _request(self.files, self.path, sha256, self.judge)
        return load_path(self.conn, workspace, request, now=now, progress=on_rows)


def _request(
    files: Files, path: Path, sha256: str | None = None, judge: JudgeProcess | None = None
) -> LoadRequest:
    from daftari.operations.load.load_path import LoadRequest
    from daftari.rows.intake.control_totals import ControlTotals

    return LoadRequest(
        dataset=files.dataset,
        path=path,
        mapping=files.mapping,
        sheet=files.sheet,
        totals=files.totals or ControlTotals(),
        again=files.again,
        judges_again=True,
        sha256=sha256,
        judge=judge,
    )
