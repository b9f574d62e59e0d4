"""
Load what arrived, check it, build the marts, check those. Goes on from the step that failed.

Every step may be repeated: files of known content are passed over, checks and marts are made anew. So loading
always runs; the steps after it that went well last time are skipped when the last run failed and nothing is new.
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
from daftari.errors import DaftariError, TooManyRejected
from daftari.io import ledger, pipelines
from daftari.io.digest import digest
from daftari.io.ledger import Counts, Loaded
from daftari.io.pipelines import StepRecord
from daftari.io.workspace import Pipeline, Workspace
from daftari.operations.load_path import Request, load_path

#: Where files wait, under the workspace: inbox/<dataset>/.
INBOX = "inbox"


class Step(StrEnum):
    LOAD = "load"
    CHECK = "check"
    TRANSFORM = "transform"
    CHECK_MARTS = "check_marts"


@dataclass(frozen=True, kw_only=True)
class PipelineRun:
    pipeline: str
    run_id: int
    loaded: tuple[Loaded, ...]
    steps: Mapping[Step, str]  #: how each ended: succeeded or skipped

    @property
    def counts(self) -> Counts:
        return sum((one.counts for one in self.loaded), start=Counts())


@dataclass(frozen=True, kw_only=True)
class Actions:
    """What the steps after loading do. Each raises a DaftariError when the pipeline must stop."""

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
        DaftariError: what a step raised; the next run goes on from that step.
    """
    pipeline = workspace.pipeline(name)
    last = pipelines.last_steps(conn, name)
    with ledger.run(conn, "pipeline") as run_id:
        running = _Running(conn, workspace, pipeline, run_id, now)
        steps = {Step.LOAD: _take(running, Step.LOAD, lambda: _load_inbox(running))}
        datasets = [contract.dataset.name for contract in pipeline.contracts]
        is_new = pipelines.is_anything_new(conn, name, run_id, datasets)
        done = finished_before(last, anything_new=is_new)
        for step, action in (
            (Step.CHECK, actions.check),
            (Step.TRANSFORM, actions.transform),
            (Step.CHECK_MARTS, actions.check_marts),
        ):
            steps[step] = (
                _skip(running, step) if step in done else _take(running, step, partial(action, pipeline))
            )
        ledger.finish(conn, run_id, Counts())
    return PipelineRun(pipeline=name, run_id=run_id, loaded=tuple(running.loaded), steps=steps)


def finished_before(last: Mapping[str, str], *, anything_new: bool) -> set[Step]:
    """
    Return the steps that need not be repeated: those before the one that failed, when nothing new came since.

    Marts are tested as they are built, so tests that failed are repeated with the building.
    """
    failed = next((step for step in Step if last.get(step) == "failed"), None)
    if anything_new or failed is None:
        return set()
    again_from = Step.TRANSFORM if failed is Step.CHECK_MARTS else failed
    order = list(Step)
    return {step for step in order[1 : order.index(again_from)] if last.get(step) in ("succeeded", "skipped")}


def _take(running: _Running, step: Step, action: Callable[[], Any]) -> str:
    """Take one step; one log line and one row say how it ended."""
    begun, started_at = perf_counter(), pipelines.database_time(running.conn)
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


def _skip(running: _Running, step: Step) -> str:
    _record(running, step, "skipped", pipelines.database_time(running.conn))
    _say(running, step, "skipped", seconds=0)
    return "skipped"


def _record(
    running: _Running, step: Step, status: str, started_at: datetime, *, error_code: str | None = None
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
    pipelines.record_step(running.conn, record)


def _say(running: _Running, step: Step, outcome: str, *, seconds: float, **facts: str) -> None:
    logger = log.get(pipeline=running.pipeline.name, run_id=running.run_id, step=str(step))
    say = logger.error if outcome == "failed" else logger.info
    counted = _facts(running) if step is Step.LOAD else {}
    say("step", outcome=outcome, seconds=round(seconds, 3), **facts, **counted)


def _facts(running: _Running) -> dict[str, int]:
    counts = sum((one.counts for one in running.loaded), start=Counts())
    return {"files": len(running.loaded), **vars(counts)}


def _load_inbox(running: _Running) -> None:
    for contract in running.pipeline.contracts:
        dataset = contract.dataset
        files = waiting(running.workspace.root, dataset.name)
        for path in files:
            request = Request(dataset=dataset.name, path=path)
            running.loaded.append(load_path(running.conn, running.workspace, request, now=running.now))
        _require_few_rejected(running.conn, dataset, files)


def waiting(root: Path, dataset: str) -> list[Path]:
    """Return the files in the inbox of *dataset*, in the order of their names. Manifests and hidden files are none."""
    folder = root / INBOX / dataset
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [p for p in found if p.is_file() and not p.name.startswith(".") and p.stem != "manifest"]


def _require_few_rejected(conn: Connection[Any], dataset: Dataset, files: Sequence[Path]) -> None:
    received, refused = pipelines.refused_of_files(conn, dataset.name, [digest(path) for path in files])
    if received and refused / received > dataset.max_rejected_ratio:
        raise TooManyRejected(
            f"{dataset.name}: {refused:,} of {received:,} rows are in quarantine ({refused / received:.1%}); "
            f"the contract tolerates {dataset.max_rejected_ratio:.1%}",
            hint=f"Look at them with `daftari quarantine show {dataset.name}`, mend and replay them, then run again.",
        )
