"""
Run pipelines one after another: load waiting files, check them, build the marts, check and publish those.

Each step imports its operations when it runs: dbt and Great Expectations take seconds to start.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from daftari.errors import ChecksFailed
from daftari.io.workspace.files import Pipeline, Workspace
from daftari.operations.schema.upkeep import keep_up
from daftari.operations.workspace.run_pipeline import Actions, run_pipeline
from daftari.operations.workspace.run_pipeline import PipelineRun as PipelineRun
from daftari.settings import Settings

if TYPE_CHECKING:
    from daftari.operations.marts.build_marts import Transformed


def run_pipelines(
    conn: Connection[Any],
    workspace: Workspace,
    settings: Settings,
    names: Sequence[str] = (),
    *,
    now: datetime,
) -> list[PipelineRun]:
    """
    Run the pipelines called *names*; by default all, in order of their references. *conn* must be in autocommit mode.

    Raises:
        DaftariError: as `run_pipeline`; pipelines after the one that failed are not run.
    """
    steps = _Steps(conn, workspace, settings)
    actions = Actions(check=steps.check, transform=steps.transform, check_marts=steps.check_marts)
    try:
        return [
            run_pipeline(conn, workspace, name, actions, now=now)
            for name in names or pipeline_order(workspace)
        ]
    finally:
        keep_up(conn, settings, workspace.contracts, now=now)


def pipeline_order(workspace: Workspace) -> list[str]:
    """Return every pipeline with contracts; one whose datasets others refer to comes first."""
    place = {contract.dataset.name: at for at, contract in enumerate(workspace.contracts)}
    return [
        pipeline.name
        for pipeline in sorted(
            (it for it in workspace.pipelines if it.contracts),
            key=lambda it: min(place[contract.dataset.name] for contract in it.contracts),
        )
    ]


class _Steps:
    """The steps after loading."""

    def __init__(self, conn: Connection[Any], workspace: Workspace, settings: Settings) -> None:
        self._conn = conn
        self._workspace = workspace
        self._settings = settings
        self._transformed: Transformed | None = None

    def check(self, pipeline: Pipeline) -> None:
        from daftari.operations.quality.run_checks import require_pass, run_checks

        require_pass(run_checks(self._conn, pipeline.contracts, lambda _dataset: None))

    def transform(self, pipeline: Pipeline) -> None:
        from daftari.operations.marts.build_marts import TransformOptions, build_marts

        options = TransformOptions.of(self._settings, pipelines=(pipeline.name,))
        self._transformed = build_marts(
            self._conn, self._workspace, options, lambda _begun, _total, _name: None
        )

    def check_marts(self, pipeline: Pipeline) -> None:
        done = self._transformed
        if done is None or not done.is_published:
            raise ChecksFailed(
                f"{pipeline.name}: {done.reason if done else 'nothing was built'}; published marts are unchanged",
                hint=f"dbt's log is {done.log}." if done else None,
            )
