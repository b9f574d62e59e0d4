"""
The main job on invented data: contracts applied, files loaded, tables checked, marts built and checked.

May be repeated: existing files and rows stay unchanged, and known files are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

from psycopg import Connection

from daftari.compile.quality.verdicts import CheckOutcome, CheckVerdict
from daftari.demo.files.write_files import demo_files, write_demo_files
from daftari.demo.organisation.words import ORGANISATION
from daftari.errors import SettingError
from daftari.io.runs.check_results import CheckedDataset
from daftari.io.runs.ledger import Loaded
from daftari.io.runs.spend_summary import monthly_spend, summarise
from daftari.io.workspace.files import Workspace, read_open_workspace, read_workspace
from daftari.operations.demo.demo_report import CURRENCY, Checks, DemoReport, Spend
from daftari.operations.load.load_path import LoadRequest, load_path
from daftari.operations.marts.build_marts import Failure, Transformed, TransformOptions, build_marts
from daftari.operations.quality.run_checks import run_checks
from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.operations.workspace.init_workspace import init_workspace
from daftari.operations.workspace.run_pipeline import INBOX, files_in_inbox
from daftari.settings import CONFIG_FILE, Settings

_SEED = 2026

#: Called with the current task, and how much of how much of it is done.
Watch = Callable[[str, int, int], None]


def prepare_demo(folder: Path, watch: Watch) -> None:
    """
    Make the workspace and its files in *folder*, as far as they are missing.

    Raises:
        SettingError: *folder* holds something else, such as another workspace.
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
        watch("Writing two years of files", 0, 1)
        _make_files(folder / INBOX)


def _make_files(inbox: Path) -> None:
    """Write all files or none: a half-full inbox would look complete."""
    unfinished = inbox.with_name(f"{inbox.name}.new")
    write_demo_files(demo_files(_SEED), unfinished)
    unfinished.rename(inbox)


def run_demo(conn: Connection[Any], settings: Settings, *, now: datetime, watch: Watch) -> DemoReport:
    """
    Run the main job in the workspace that `prepare_demo` made. *conn* must be in autocommit mode.

    Marts are built only when every table passed its checks.

    Raises:
        DaftariError: as raised by a step; the next run continues from there.
    """
    begun = perf_counter()
    workspace = read_open_workspace(settings)
    watch("Applying contracts", 0, 1)
    rights = workspace.rights(settings.role_prefix)
    apply_contracts(conn, workspace.contracts, migrations_dir=settings.migrations_dir, rights=rights, now=now)
    loaded = _load(conn, workspace, now=now, watch=watch)
    on_tables = _check(conn, workspace, watch)
    transformed = None if on_tables.failed else _transform(conn, workspace, settings, watch)
    summaries = summarise(conn)
    months, spend = _spend(conn) if transformed and transformed.is_published else ((), ())
    return DemoReport(
        organisation=workspace.name,
        folder=workspace.root,
        files=len(loaded),
        new_files=sum(not one.known for one in loaded),
        datasets=tuple(summaries[name] for name in _datasets(workspace) if name in summaries),
        months=months,
        spend=spend,
        on_tables=on_tables,
        on_marts=_on_marts(transformed) if transformed else Checks(passed=0),
        published=tuple(sorted(mart.name for mart in transformed.published)) if transformed else (),
        seconds=perf_counter() - begun,
    )


def _datasets(workspace: Workspace) -> list[str]:
    return [contract.dataset.name for contract in workspace.contracts]


def _load(conn: Connection[Any], workspace: Workspace, *, now: datetime, watch: Watch) -> list[Loaded]:
    requests = [
        LoadRequest(dataset=name, path=path)
        for name in _datasets(workspace)
        for path in files_in_inbox(workspace.root, name)
    ]
    loaded = []
    for done, request in enumerate(requests):
        watch(f"Loading {request.path.name}", done, len(requests))
        loaded.append(load_path(conn, workspace, request, now=now))
    return loaded


def _check(conn: Connection[Any], workspace: Workspace, watch: Watch) -> Checks:
    names = _datasets(workspace)
    checked = run_checks(
        conn,
        workspace.contracts,
        lambda name: watch(f"Checking {name}", names.index(name), len(names)),
    )
    return Checks(
        passed=sum(one.count(CheckVerdict.PASSED) for one in checked),
        failed=_told(checked, {CheckVerdict.FAILED, CheckVerdict.NOT_EVALUATED}),
        warnings=_told(checked, {CheckVerdict.WARNED}),
    )


def _told(checked: Sequence[CheckedDataset], verdicts: set[CheckVerdict]) -> tuple[str, ...]:
    def sentence(dataset: str, outcome: CheckOutcome) -> str:
        return f"{dataset}: {outcome.description}: {outcome.reason} ({outcome.check})"

    return tuple(
        sentence(one.dataset, outcome)
        for one in checked
        for outcome in one.outcomes
        if outcome.verdict in verdicts
    )


def _transform(conn: Connection[Any], workspace: Workspace, settings: Settings, watch: Watch) -> Transformed:
    return build_marts(
        conn,
        workspace,
        TransformOptions.of(settings),
        lambda done, total, _: watch("Building and testing marts", done, total),
    )


def _on_marts(transformed: Transformed) -> Checks:
    def sentence(failure: Failure) -> str:
        return f"{failure.kind} {failure.name}: {failure.message}"

    return Checks(
        passed=transformed.tests_passed,
        failed=tuple(map(sentence, transformed.failures)),
        warnings=tuple(map(sentence, transformed.warnings)),
    )


def _spend(conn: Connection[Any]) -> tuple[tuple[date, ...], tuple[Spend, ...]]:
    by_department = monthly_spend(conn, currency=CURRENCY)
    months = sorted({month for spent in by_department.values() for month in spent})
    spend = [
        Spend(department=name, by_month=tuple(spent.get(month, Decimal(0)) for month in months))
        for name, spent in by_department.items()
    ]
    return tuple(months), tuple(sorted(spend, key=lambda it: it.total, reverse=True))
