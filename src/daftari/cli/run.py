"""daftari run: run pipelines, from their inboxes to their marts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, out, print_json
from daftari.cli.session import now, open_session
from daftari.operations.workspace.run_pipelines import PipelineRun, run_pipelines

app = typer.Typer(add_completion=False)


@app.command()
def run(
    pipelines: Annotated[
        list[str] | None, typer.Argument(help="The pipelines to run. Default: all, in order of dependency.")
    ] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Load the files in inbox/<dataset>/, check the tables, then build, check and publish the marts.

    After a failure, run it again: it continues from the step that failed. Each step logs one line to standard error.

    Example: daftari run expense-tracking
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        runs = run_pipelines(conn, session.workspace, session.settings, pipelines or (), now=now())
    _show(runs, output)


def _show(runs: Sequence[PipelineRun], output: Output) -> None:
    if output is Output.JSON:
        print_json([{**asdict(one), "counts": asdict(one.counts)} for one in runs])
        return
    table = Table("pipeline", "run", box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for name in ("files", "new", "received", "quarantined"):
        table.add_column(name, justify="right")
    table.add_column("steps")
    for one in runs:
        new = sum(not loaded.known for loaded in one.loaded)
        skipped = [str(step) for step, outcome in one.steps.items() if outcome == "skipped"]
        table.add_row(
            one.pipeline,
            str(one.run_id),
            f"{len(one.loaded):,}",
            f"{new:,}",
            f"{one.counts.received:,}",
            f"{one.counts.quarantined:,}",
            f"succeeded; skipped {', '.join(skipped)}" if skipped else "all succeeded",
        )
    out.print(table)
