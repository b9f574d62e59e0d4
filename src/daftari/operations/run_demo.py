"""
The main job on invented data: contracts applied, files loaded, marts built and checked, one report.

May be repeated: what is there already is left as it is, and files that are known are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

from psycopg import Connection

from daftari.demo.files import demo_files, write_files
from daftari.demo.words import ORGANISATION
from daftari.errors import SettingError
from daftari.io.marts import Published
from daftari.io.summary import DatasetSummary, monthly_spend, summarise
from daftari.io.workspace import Workspace, read_workspace
from daftari.operations.apply_contracts import apply
from daftari.operations.build_marts import Transformed, TransformOptions, build_marts
from daftari.operations.init_workspace import init_workspace
from daftari.operations.load_file import Loaded
from daftari.operations.load_path import Request, load_path
from daftari.operations.run_pipeline import INBOX, waiting
from daftari.settings import CONFIG_FILE, Settings

CURRENCY = "KES"
_SEED = 2026

#: Told what is being done, and how much of how much of it is done.
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Spend:
    department: str
    by_month: tuple[Decimal, ...]  #: in the order of the report's months

    @property
    def total(self) -> Decimal:
        return sum(self.by_month, Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Checks:
    passed: int
    failed: tuple[str, ...] = ()  #: each in a sentence
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    organisation: str
    folder: Path
    files: int  #: in the inbox
    new_files: int  #: that this run loaded
    datasets: tuple[DatasetSummary, ...]
    months: tuple[date, ...]
    spend: tuple[Spend, ...]  #: the department that spent most first
    checks: Checks
    published: tuple[Published, ...]  #: empty when a check failed: what was published before stays
    seconds: float


def prepare_demo(folder: Path, watch: Watch) -> None:
    """
    Make the workspace and its files in *folder*, whichever of the two is not there.

    Raises:
        SettingError: *folder* holds something else, such as a workspace of somebody's own.
    """
    if not (folder / CONFIG_FILE).is_file():
        watch("Making a workspace", 0, 1)
        init_workspace(folder, name=ORGANISATION)
    name = read_workspace(folder).name
    if name != ORGANISATION:
        raise SettingError(
            f"{folder}: is the workspace of {name!r}; expected a new folder, or one that the demo made",
            hint="Name another folder: daftari demo DIR",
        )
    if not (folder / INBOX).is_dir():
        watch("Making two years of files", 0, 1)
        _make_files(folder / INBOX)


def _make_files(inbox: Path) -> None:
    """All of them, or none: an inbox that is half full would be taken for the whole."""
    aside = inbox.with_name(f"{inbox.name}.new")
    write_files(demo_files(_SEED), aside)
    aside.rename(inbox)


def run_demo(conn: Connection[Any], settings: Settings, *, now: datetime, watch: Watch) -> DemoReport:
    """
    Do the main job in the workspace that `prepare_demo` made. *conn* must be in autocommit mode.

    Raises:
        DaftariError: what a step raised; run again, it goes on from there.
    """
    begun = perf_counter()
    workspace = read_workspace(settings.root)
    watch("Applying contracts", 0, 1)
    apply(conn, workspace.contracts, migrations_dir=settings.migrations_dir, now=now)
    loaded = _load(conn, workspace, now=now, watch=watch)
    transformed = build_marts(
        conn,
        workspace,
        TransformOptions(environment=settings.environment, data_dir=settings.data_dir),
        lambda done, total, _: watch("Building and testing marts", done, total),
    )
    return _report(conn, workspace, loaded, transformed, begun=begun)


def _load(conn: Connection[Any], workspace: Workspace, *, now: datetime, watch: Watch) -> list[Loaded]:
    names = [contract.dataset.name for contract in workspace.contracts]
    requests = [Request(dataset=name, path=path) for name in names for path in waiting(workspace.root, name)]
    loaded = []
    for done, request in enumerate(requests):
        watch(f"Loading {request.path.name}", done, len(requests))
        loaded.append(load_path(conn, workspace, request, now=now))
    return loaded


def _report(
    conn: Connection[Any],
    workspace: Workspace,
    loaded: Sequence[Loaded],
    transformed: Transformed,
    *,
    begun: float,
) -> DemoReport:
    summaries = summarise(conn)
    months, spend = _spend(conn) if transformed.is_published else ((), ())
    return DemoReport(
        organisation=workspace.name,
        folder=workspace.root,
        files=len(loaded),
        new_files=sum(not one.known for one in loaded),
        datasets=tuple(
            summaries[contract.dataset.name]
            for contract in workspace.contracts
            if contract.dataset.name in summaries
        ),
        months=months,
        spend=spend,
        checks=Checks(
            passed=transformed.tests_passed,
            failed=tuple(f"{it.kind} {it.name}: {it.message}" for it in transformed.failures),
            warnings=tuple(f"{it.kind} {it.name}: {it.message}" for it in transformed.warnings),
        ),
        published=transformed.published,
        seconds=perf_counter() - begun,
    )


def _spend(conn: Connection[Any]) -> tuple[tuple[date, ...], tuple[Spend, ...]]:
    by_department = monthly_spend(conn, currency=CURRENCY)
    months = sorted({month for spent in by_department.values() for month in spent})
    spend = [
        Spend(department=name, by_month=tuple(spent.get(month, Decimal(0)) for month in months))
        for name, spent in by_department.items()
    ]
    return tuple(months), tuple(sorted(spend, key=lambda it: it.total, reverse=True))
