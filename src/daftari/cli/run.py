"""daftari run: a pipeline from its inbox to its marts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, out, print_json
from daftari.cli.session import CommandSession, clock, open_session
from daftari.errors import ChecksFailed
from daftari.operations.workspace.run_pipeline import Actions, PipelineRun, run_pipeline

if TYPE_CHECKING:
    from psycopg import Connection

    from daftari.io.workspace.files import Pipeline, Workspace
    from daftari.operations.marts.build_marts import Transformed

app = typer.Typer(add_completion=False)


@app.command()
def run(
    pipelines: Annotated[
        list[str] | None, typer.Argument(help="The pipelines to run. Default: all, in the order they need.")
    ] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Load what waits in inbox/<dataset>/, check it, build the marts, check and publish those.

    After a failure, run it again: it goes on from the step that failed. One log line a step, on standard error.

    Example: daftari run expense-tracking
    """
    session = open_session(workspace, env)
    names = pipelines or _in_order(session.workspace)
    with session.connection() as conn:
        actions = _Actions(session, conn)
        runs = [
            run_pipeline(conn, session.workspace, name, actions.of_pipeline(), now=clock()) for name in names
        ]
    _show(runs, output)


def _in_order(workspace: Workspace) -> list[str]:
    """Every pipeline, one whose datasets others refer to before those others."""
    place = {contract.dataset.name: at for at, contract in enumerate(workspace.contracts)}
    return [
        pipeline.name
        for pipeline in sorted(
            (it for it in workspace.pipelines if it.contracts),
            key=lambda it: min(place[contract.dataset.name] for contract in it.contracts),
        )
    ]


class _Actions:
    """The operations behind the steps. Each is imported when its step is taken: dbt and GX take seconds to start."""

    def __init__(self, session: CommandSession, conn: Connection[Any]) -> None:
        self._session = session
        self._conn = conn
        self._transformed: Transformed | None = None

    def of_pipeline(self) -> Actions:
        return Actions(check=self._check, transform=self._transform, check_marts=self._check_marts)

    def _check(self, pipeline: Pipeline) -> None:
        from daftari.operations.quality.run_checks import require_pass, run_checks

        require_pass(run_checks(self._conn, pipeline.contracts, lambda _dataset: None))

    def _transform(self, pipeline: Pipeline) -> None:
        from daftari.operations.marts.build_marts import TransformOptions, build_marts

        settings = self._session.settings
        options = TransformOptions(
            environment=settings.environment,
            data_dir=settings.data_dir,
            pipelines=(pipeline.name,),
            role_prefix=settings.role_prefix,
        )
        self._transformed = build_marts(
            self._conn, self._session.workspace, options, lambda _begun, _total, _name: None
        )

    def _check_marts(self, pipeline: Pipeline) -> None:
        done = self._transformed
        if done is None or not done.is_published:
            raise ChecksFailed(
                f"{pipeline.name}: {done.reason if done else 'nothing was built'}; published marts are as they were",
                hint=f"What dbt said is in {done.log}." if done else None,
            )


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
            f"went well; skipped {', '.join(skipped)}" if skipped else "all went well",
        )
    out.print(table)
