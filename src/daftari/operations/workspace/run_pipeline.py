"""
Load new files, check them, build the marts, check those. Continues from the step that failed.

Every step may be repeated: files of known content are skipped, checks and marts are rebuilt. So loading always runs.
Later steps that succeeded last time are skipped when the last run failed and nothing is new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from psycopg import Connection

from daftari import log
from daftari.contract.model import Dataset
from daftari.errors import DaftariError
from daftari.io.runs import ledger, pipeline_steps
from daftari.io.runs.ledger import Loaded, RunCounts
from daftari.io.runs.pipeline_steps import StepRecord
from daftari.io.workspace.files import Pipeline, Workspace
from daftari.operations.load.load_path import LoadRequest, load_path
from daftari.operations.load.rejected_share import refusal_of_share

#: Where files wait, under the workspace: inbox/<dataset>/.
INBOX = "inbox"


class PipelineStep(StrEnum):
    LOAD = "load"
    CHECK = "check"
    TRANSFORM = "transform"
    CHECK_MARTS = "check_marts"


@dataclass(frozen=True, kw_only=True)
class PipelineRun:
    pipeline: str
    run_id: int
    loaded: tuple[Loaded, ...]
    steps: Mapping[PipelineStep, str]  #: how each ended: succeeded or skipped

    @property
    def counts(self) -> RunCounts:
        return sum((one.counts for one in self.loaded), start=RunCounts())


@dataclass(frozen=True, kw_only=True)
class Actions:
    """The steps after loading. Each raises a DaftariError when the pipeline must stop."""

    check: Callable[[Pipeline], Any]
    transform: Callable[[Pipeline], Any]
    check_marts: Callable[[Pipeline], Any]


@dataclass
class _Running:
    conn: Connection[Any]
    workspace: Workspace
    pipeline: Pipeline
    run_id: int
    now: datetime
    loaded: list[Loaded] = field(default_factory=list)


def run_pipeline(
    conn: Connection[Any], workspace: Workspace, name: str, actions: Actions, *, now: datetime
) -> PipelineRun:
    """
    Run the pipeline called *name* on the files in its datasets' inboxes. *conn* must be in autocommit mode.

    Raises:
        UnknownName: there is no such pipeline.
        TooManyRejected: more rows are in quarantine than the contract tolerates; marts are not built.
        DaftariError: as raised by a step; the next run continues from that step.
    """
    pipeline = workspace.pipeline(name)
    last = pipeline_steps.last_steps(conn, name)
    with ledger.ledger_run(conn, "pipeline") as run_id:
        running = _Running(conn, workspace, pipeline, run_id, now)
        steps = {PipelineStep.LOAD: _take(running, PipelineStep.LOAD, lambda: _load_inbox(running))}
        datasets = [contract.dataset.name for contract in pipeline.contracts]
        is_new = pipeline_steps.is_anything_new(conn, name, run_id, datasets)
        done = finished_before(last, anything_new=is_new)
        for step, action in (
            (PipelineStep.CHECK, actions.check),
            (PipelineStep.TRANSFORM, actions.transform),
            (PipelineStep.CHECK_MARTS, actions.check_marts),
        ):
            steps[step] = (
                _skip(running, step) if step in done else _take(running, step, partial(action, pipeline))
            )
        ledger.finish_run(conn, run_id, RunCounts())
    return PipelineRun(pipeline=name, run_id=run_id, loaded=tuple(running.loaded), steps=steps)


def finished_before(last: Mapping[str, str], *, anything_new: bool) -> set[PipelineStep]:
    """
    Return the steps that need not be repeated: those before the one that failed, when nothing is new since.

    Marts are tested as they are built, so failed tests are repeated with the build.
    """
    failed = next((step for step in PipelineStep if last.get(step) == "failed"), None)
    if anything_new or failed is None:
        return set()
    again_from = PipelineStep.TRANSFORM if failed is PipelineStep.CHECK_MARTS else failed
    order = list(PipelineStep)
    return {step for step in order[1 : order.index(again_from)] if last.get(step) in ("succeeded", "skipped")}


def _take(running: _Running, step: PipelineStep, action: Callable[[], Any]) -> str:
    """Run one step; one log line and one row record how it ended."""
    begun, started_at = perf_counter(), pipeline_steps.database_time(running.conn)
    try:
        action()
    except BaseException as error:
        code = error.code if isinstance(error, DaftariError) else type(error).__name__
        _record(running, step, "failed", started_at, error_code=code)
        _say(running, step, "failed", seconds=perf_counter() - begun, error=code)
        raise
    _record(running, step, "succeeded", started_at)
    _say(running, step, "succeeded", seconds=perf_counter() - begun)
    return "succeeded"


def _skip(running: _Running, step: PipelineStep) -> str:
    _record(running, step, "skipped", pipeline_steps.database_time(running.conn))
    _say(running, step, "skipped", seconds=0)
    return "skipped"


def _record(
    running: _Running, step: PipelineStep, status: str, started_at: datetime, *, error_code: str | None = None
) -> None:
    if running.conn.closed:
        return  # the ledger will show the run as abandoned
    record = StepRecord(
        run_id=running.run_id,
        pipeline=running.pipeline.name,
        step=step,
        status=status,
        error_code=error_code,
        started_at=started_at,
    )
    pipeline_steps.record_step(running.conn, record)


def _say(running: _Running, step: PipelineStep, outcome: str, *, seconds: float, **facts: str) -> None:
    logger = log.get(pipeline=running.pipeline.name, run_id=running.run_id, step=str(step))
    say = logger.error if outcome == "failed" else logger.info
    counted = _facts(running) if step is PipelineStep.LOAD else {}
    say("step", outcome=outcome, seconds=round(seconds, 3), **facts, **counted)


def _facts(running: _Running) -> dict[str, int]:
    counts = sum((one.counts for one in running.loaded), start=RunCounts())
    return {"files": len(running.loaded), **vars(counts)}


def _load_inbox(running: _Running) -> None:
    for contract in running.pipeline.contracts:
        dataset = contract.dataset
        files = files_in_inbox(running.workspace.root, dataset.name)
        for path in files:
            request = LoadRequest(dataset=dataset.name, path=path)
            running.loaded.append(load_path(running.conn, running.workspace, request, now=running.now))
        _require_few_rejected(running.conn, dataset, [one.run_id for one in running.loaded])


def files_in_inbox(root: Path, dataset: str) -> list[Path]:
    """Return the files in the inbox of *dataset*, in order of their names, without manifests and hidden files."""
    folder = root / INBOX / dataset
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [p for p in found if p.is_file() and not p.name.startswith(".") and p.stem != "manifest"]


def _require_few_rejected(conn: Connection[Any], dataset: Dataset, runs: Sequence[int]) -> None:
    received, refused = pipeline_steps.refused_of_files(conn, dataset.name, runs)
    error = refusal_of_share(dataset, received, refused, then="run again")
    if error is not None:
        raise error
