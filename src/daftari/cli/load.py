"""daftari load: files into one dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daftari.cli.options import (
    EnvOption,
    Output,
    OutputOption,
    WorkspaceOption,
    err,
    out,
    print_json,
)
from daftari.cli.progress import rows_shown
from daftari.errors import DaftariError, SettingError
from daftari.io.load.file_digest import DigestInBackground
from daftari.operations.load.judge_process import JudgedFile, JudgeProcess, started_judge

if TYPE_CHECKING:
    from psycopg import Connection
    from rich.table import Table

    from daftari.cli.session import CommandSession
    from daftari.io.runs.ledger import Loaded
    from daftari.operations.load.load_path import LoadRequest
    from daftari.rows.intake.totals import ControlTotals

app = typer.Typer(add_completion=False)

_REASONS = 5  #: shown of each file
_COUNTS = ("received", "inserted", "updated", "unchanged", "duplicate", "quarantined")


@app.command()
def load(
    dataset: Annotated[str, typer.Argument(help="The dataset to load into, e.g. expenses.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files: CSV, TSV, Excel, ODS, Parquet, JSON, JSON Lines; also gzip, bz2, zip. - is standard input.",
            show_default=False,
        ),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="A source mapping. Default: the pipeline's own that is meant for the file.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    total: Annotated[
        list[str] | None,
        typer.Option(
            "--total",
            help="A control total of each file: rows=N, or FIELD=SUM. The load is refused where it does not hold.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what was inferred and how each column maps; load nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Load a file even though its content was loaded before.")
    ] = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Load FILES into DATASET; rows that break a rule go to quarantine, each with its reasons.

    The same file again changes nothing. See daftari quarantine list for what was refused.

    Example: daftari load expenses march.csv --total rows=1204 --total amount=90412.50
    """
    totals = _totals(total) if total else None
    asked = _Asked(dataset=dataset, mapping=mapping, totals=totals, again=again)
    place = _Place(workspace, env)
    if explain:
        _explain(place.session, [asked.request(path) for path in files], output)
        return
    loaded, errors = _load(place, asked, files)
    show_loaded(loaded, output)
    _raise_first(errors)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What holds for all files of a command."""

    dataset: str
    mapping: Path | None
    totals: ControlTotals | None
    again: bool

    def request(
        self, path: Path, sha256: str | None = None, apart: JudgeProcess | None = None
    ) -> LoadRequest:
        from daftari.operations.load.load_path import LoadRequest
        from daftari.rows.intake.totals import ControlTotals

        return LoadRequest(
            dataset=self.dataset,
            path=path,
            mapping=self.mapping,
            totals=self.totals or ControlTotals(),
            again=self.again,
            sha256=sha256,
            apart=apart,
        )


def _totals(stated: Iterable[str]) -> ControlTotals:
    from daftari.rows.intake.totals import ControlTotals

    rows, sums = None, {}
    for text in stated:
        name, _, value = text.partition("=")
        try:
            if name == "rows":
                rows = int(value)
            else:
                sums[name] = Decimal(value)
        except (ValueError, InvalidOperation):
            raise SettingError(
                f"--total {text}: {value!r} is not a number",
                hint="For example --total rows=1204 or --total amount=12.50",
            ) from None
    return ControlTotals(rows=rows, sums=sums)


@dataclass(frozen=True)
class _Place:
    """Where to load to. What it takes to get there is imported while a child starts and a file is hashed."""

    workspace: Path | None
    environment: str | None

    @cached_property
    def session(self) -> CommandSession:
        from daftari.cli.session import open_session

        return open_session(self.workspace, self.environment)


def _load(place: _Place, asked: _Asked, files: Sequence[Path]) -> tuple[list[Loaded], list[DaftariError]]:
    """Load each file; one that is refused does not keep the others back."""
    loaded, errors = [], []
    with ExitStack() as stack:
        begin, conn = stack.enter_context(rows_shown()), None
        for path in files:
            with started_judge(path) as apart:
                digest = None if asked.again or not path.is_file() else DigestInBackground(path)
                conn = conn or stack.enter_context(place.session.connection())
                one = _One(place=place, conn=conn, asked=asked, path=path, apart=apart, digest=digest)
                try:
                    loaded.append(one.load(begin(path)))
                except DaftariError as error:
                    errors.append(error)
            if conn.closed:
                break
    return loaded, errors


@dataclass(frozen=True, kw_only=True)
class _One:
    """One file of a command."""

    place: _Place
    conn: Connection[Any]
    asked: _Asked
    path: Path
    apart: JudgeProcess | None
    digest: DigestInBackground | None

    def load(self, advance: Callable[[int], None]) -> Loaded:
        from daftari.io.database.connection import database_errors_explained

        if self.apart is not None:
            settings = self.place.session.settings
            self.apart.prepare(
                JudgedFile(
                    root=settings.root,
                    dataset=self.asked.dataset,
                    path=self.path,
                    mapping=self.asked.mapping,
                    settings=settings,
                )
            )
        with database_errors_explained(self.conn):
            return self._known() or self._new(advance)

    @property
    def _sha256(self) -> str | None:
        return self.digest.hex() if self.digest else None

    def _known(self) -> Loaded | None:
        """What is known of it is found out before anything heavy is imported."""
        from daftari.operations.load.recognise_file import recognise_file

        if self._sha256 is None:
            return None
        return recognise_file(self.conn, self.asked.dataset, self.path.name, self._sha256)

    def _new(self, advance: Callable[[int], None]) -> Loaded:
        from daftari.cli.session import clock
        from daftari.operations.load.load_path import load_path

        request = self.asked.request(self.path, self._sha256, self.apart)
        workspace = self.place.session.workspace_of(self.asked.dataset)
        return load_path(self.conn, workspace, request, now=clock(), progress=advance)


def show_loaded(loaded: list[Loaded], output: Output) -> None:
    """Print what became of each file's rows."""
    if output is Output.JSON:
        print_json([asdict(one) for one in loaded])
        return
    fresh = [one for one in loaded if not one.known]
    if fresh:
        out.print(_table(fresh))
    for one in loaded:
        for line in _remarks(one):
            out.print(f"{one.source}: {line}", markup=False)
    if any(one.counts.quarantined for one in fresh):
        out.print(f"See them: daftari quarantine show {fresh[0].dataset}")


def _remarks(one: Loaded) -> Iterator[str]:
    if one.known:
        yield f"nothing new; run {one.run_id} loaded this content"
    for reason in one.reasons[:_REASONS]:
        yield f"{reason.rows:,} x {f'{reason.field} {reason.reason}'.strip()} ({reason.rule})"
    if len(one.reasons) > _REASONS:
        yield f"and {len(one.reasons) - _REASONS} more reasons"
    if one.mended:
        yield f"{one.mended:,} rows that were in quarantine are in order now"


def _table(loaded: list[Loaded]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for name in _COUNTS:
        table.add_column(name, justify="right")
    table.add_column("file", overflow="fold")  # last, as it may be long
    for one in loaded:
        table.add_row(*(f"{getattr(one.counts, name):,}" for name in _COUNTS), one.source)
    return table


def _explain(session: CommandSession, requests: list[LoadRequest], output: Output) -> None:
    from daftari.operations.load.load_path import prepare_load
    from daftari.rows.mapping.explain import explain

    found: list[Any] = [
        explain(prepared.plan, prepared.source)
        for prepared in (prepare_load(session.workspace_of(r.dataset), r) for r in requests)
    ]
    if output is Output.JSON:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        for line in one.lines():
            out.print(line, markup=False)


def _raise_first(errors: list[DaftariError]) -> None:
    """Say every refusal; the first gives the exit code."""
    for error in errors[1:]:
        err.print(f"error: {error}", markup=False, soft_wrap=True)
        if error.hint:
            err.print(f"hint: {error.hint}", markup=False, soft_wrap=True)
    if errors:
        raise errors[0]
