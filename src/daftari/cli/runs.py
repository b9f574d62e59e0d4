"""`daftari runs`: what each load, replay and check did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, out, print_json
from daftari.cli.session import open_session
from daftari.errors import UnknownName
from daftari.operations.runs.show_runs import RunRecord, ShownRun, show_run, show_runs
from daftari.rows.intake.remarks import LeftOut

app = typer.Typer(invoke_without_command=True, help="Show runs: what each load, replay and check did.")

_COUNTS = ("received", "inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined")
_SHOWN = ("received", "inserted", "updated", "quarantined")


@app.callback()
def runs(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Only runs of this dataset.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 20,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    List runs, newest first.

    Example: daftari runs --dataset expenses
    """
    if context.invoked_subcommand is not None:
        return
    session = open_session(workspace, env)
    names = [dataset] if dataset else [it.dataset.name for it in session.workspace.contracts]
    for name in names:
        session.workspace.dataset(name)
    with session.connection() as conn:
        found = show_runs(conn, names, limit=limit)
    if output is Output.JSON:
        print_json([asdict(one) for one in found])
    elif found:
        out.print(_table(found))
    else:
        out.print("There are no runs.")


@app.command()
def show(
    run: Annotated[int, typer.Argument(help="The number of the run.")],
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Show what a run did: its counts, its reasons for rejection, and how its file was read.

    Example: daftari runs show 17
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        names = [it.dataset.name for it in session.workspace.contracts]
        found = show_run(conn, run, names, with_audit=False)
    if found is None:
        raise UnknownName("runs", "run", str(run), known=[])
    if output is Output.JSON:
        print_json({**asdict(found.run), "reasons": [asdict(one) for one in found.reasons]})
        return
    for line in _lines(found):
        out.print(line, markup=False)


def _table(found: list[RunRecord]) -> Table:
    table = Table(
        "run", "what", "status", box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0)
    )
    for name in _SHOWN:
        table.add_column(name, justify="right")
    table.add_column("from", overflow="fold")
    for one in found:
        figures = (f"{getattr(one, name):,}" for name in _SHOWN)
        table.add_row(str(one.run_id), f"{one.kind} {one.dataset}", one.status, *figures, one.source or "")
    return table


def _lines(shown: ShownRun) -> Iterator[str]:
    run = shown.run
    error = f" ({run.error_code})" if run.error_code else ""
    yield f"run {run.run_id}: {run.kind} of {run.dataset}, {run.status}{error}"
    yield f"  from: {run.source or 'nothing'}; by {run.actor}; started {run.started_at:%Y-%m-%d %H:%M} UTC"
    yield f"  {', '.join(f'{getattr(run, name):,} {name}' for name in _COUNTS)}"
    left_out = LeftOut(**{name: rows for name, rows in (run.left_out or {}).items() if name != "header"})
    if left_out.rows:
        yield f"  left out: {left_out}"
    yield from (f"  {remark['says']}" for remark in run.remarks or ())
    for reason in shown.reasons:
        yield f"  {reason.rows:,} x {f'{reason.field} {reason.reason}'.strip()} ({reason.rule})"
    if run.quarantined:
        yield f"Show rejected rows: daftari quarantine show {run.dataset} --run {run.run_id}"
    if run.inserted or run.updated:
        yield f"Undo it: daftari undo {run.run_id}"
