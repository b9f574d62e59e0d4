"""
Build the marts in a separate schema, test them there, and publish those that passed: in one run of dbt.

When one test fails, nothing is published, and readers keep the old marts. The reasons are in
docs/decisions/0003-write-audit-publish.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from psycopg import Connection

from daftari.compile.access.access_policies import Rights
from daftari.compile.marts.dbt_files import staging_files
from daftari.errors import ChecksFailed
from daftari.io.marts import publish
from daftari.io.marts.dbt import NodeResult, Progress, Start, connection_variables, run_dbt
from daftari.io.marts.publish import Published
from daftari.io.runs import ledger
from daftari.io.runs.ledger import RunCounts
from daftari.io.workspace.files import Pipeline, Workspace
from daftari.io.workspace.generated_files import write_generated
from daftari.operations.marts.apply_mart_rights import apply_mart_rights
from daftari.settings import Settings


@dataclass(frozen=True, kw_only=True)
class TransformOptions:
    environment: str  #: dev, staging or prod: dbt's target
    data_dir: Path  #: folder of dbt's own files and its log
    pipelines: tuple[str, ...] = ()  #: only what depends on these; empty: all
    full_refresh: bool = False  #: rebuild incremental models from nothing
    role_prefix: str | None = None  #: of the roles that read marts

    @classmethod
    def of(
        cls, settings: Settings, *, pipelines: Sequence[str] = (), full_refresh: bool = False
    ) -> TransformOptions:
        """Return the options that *settings* give."""
        return cls(
            environment=settings.environment,
            data_dir=settings.data_dir,
            pipelines=tuple(pipelines),
            full_refresh=full_refresh,
            role_prefix=settings.role_prefix,
        )


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failed test, or a model that could not be built."""

    name: str
    kind: str  #: test, model …
    rows: int | None  #: rows that a test found; None where it could not run
    message: str  #: without values of rows


@dataclass(frozen=True, kw_only=True)
class Transformed:
    run_id: int
    models: tuple[str, ...]  #: built, including staging views
    tests_passed: int
    warnings: tuple[Failure, ...]
    failures: tuple[Failure, ...]
    skipped: int  #: models and tests not run, because something before them failed
    published: tuple[Published, ...]  #: empty when anything failed: readers see the old marts
    unbuilt: tuple[str, ...]  #: published marts that no model makes any more
    generated: tuple[Path, ...]  #: staging files that had to be rewritten
    seconds: float
    log: Path

    @property
    def is_published(self) -> bool:
        return bool(self.published)

    @property
    def reason(self) -> str:
        """Why nothing was published, in a sentence; empty when it was."""
        if self.failures:
            return f"{len(self.failures)} of the models and tests failed"
        if not self.tests_passed:
            return "no test ran, so the result is untested"
        return "" if self.published else "no mart was built"


def build_marts(
    conn: Connection[Any], workspace: Workspace, options: TransformOptions, progress: Progress
) -> Transformed:
    """
    Bring the published marts up to date. *conn* must be in autocommit mode.

    Raises:
        DbtFailed: dbt could not read the project.
        DatabaseError: another transform runs, or a mart cannot be published.
        Drift: the workspace's contracts are not applied, or other roles than its readers could read a mart.
        UnknownName: there is no such pipeline.
    """
    begun = perf_counter()
    for name in options.pipelines:
        workspace.pipeline(name)
    for contract in workspace.contracts:
        ledger.require_contract(conn, contract)
    generated = [path for pipeline in workspace.pipelines for path in _write_staging(pipeline)]
    start = _start(conn, workspace, options)
    with ledger.ledger_run(conn, "transform", in_turn=True) as run_id:
        publish.begin_build(conn, run_id)
        results = run_dbt(start, progress)
        built = _summary(results, run_id=run_id, generated=generated, log=start.log)
        if built.failures or not built.tests_passed:
            ledger.refuse_run(conn, run_id, "checks_failed")
        else:
            rights = workspace.rights(options.role_prefix)
            built = _publish(conn, built, rights, is_whole=not options.pipelines)
    return replace(built, seconds=round(perf_counter() - begun, 2))


def require_published(transformed: Transformed) -> None:
    """
    Stop unless the marts were published.

    Raises:
        ChecksFailed: they are unchanged.
    """
    if not transformed.is_published:
        raise ChecksFailed(
            f"transform: {transformed.reason}; published marts are unchanged",
            hint=f"The built marts are in the schema {publish.BUILD_SCHEMA}; dbt's log is {transformed.log}.",
        )


def _publish(conn: Connection[Any], built: Transformed, rights: Rights, *, is_whole: bool) -> Transformed:
    with conn.transaction():
        unbuilt = publish.unbuilt(conn) if is_whole else ()
        published = publish.publish_marts(conn)
        apply_mart_rights(conn, rights, {it.name for it in published})
        ledger.finish_run(conn, built.run_id, RunCounts())
    return replace(built, published=published, unbuilt=unbuilt)


def _write_staging(pipeline: Pipeline) -> tuple[Path, ...]:
    return write_generated(pipeline.path / "transform" / "staging", staging_files(pipeline.contracts))


def _start(conn: Connection[Any], workspace: Workspace, options: TransformOptions) -> Start:
    return Start(
        project=workspace.root,
        arguments=dbt_arguments(workspace, options),
        environment={
            **connection_variables(conn, schema=publish.BUILD_SCHEMA),
            "DAFTARI_DB_APPLICATION": publish.APPLICATION,
        },
        # separate from dbt by hand, whose other settings would make both read the whole project again each time
        target=options.data_dir / "dbt",
        log=options.data_dir / "logs" / "transform.log",
    )


def dbt_arguments(workspace: Workspace, options: TransformOptions) -> list[str]:
    root = str(workspace.root)
    return [
        "build",
        *("--project-dir", root, "--profiles-dir", root, "--target", options.environment),
        # replaces dbt_project.yml's, which is for dbt by hand
        *("--vars", json.dumps({"time_zone": workspace.time_zone})),
        # dbt's output may quote rows: its messages are taken from its events, and cleaned, instead
        *("--log-level", "none", "--log-level-file", "none", "--no-use-colors"),
        *("--exclude-resource-type", "unit_test"),  # they test the project, not the data
        # for a selection, skip tests that need a mart outside it: the build schema does not have it
        *("--indirect-selection", "buildable"),
        *(["--full-refresh"] if options.full_refresh else []),
        *_selection(options.pipelines),
    ]


def _selection(pipelines: Sequence[str]) -> list[str]:
    """Everything that depends on the models of *pipelines*, and what that depends on, which must be built too."""
    return ["--select", *(f"@path:pipelines/{name}/transform" for name in pipelines)] if pipelines else []


def _summary(
    results: Sequence[NodeResult], *, run_id: int, generated: Sequence[Path], log: Path
) -> Transformed:
    return Transformed(
        run_id=run_id,
        models=tuple(r.name for r in results if r.kind == "model" and r.status == "success"),
        tests_passed=sum(r.kind == "test" and r.status == "pass" for r in results),
        warnings=tuple(_failure(r) for r in results if r.status == "warn"),
        failures=tuple(_failure(r) for r in results if r.status in {"fail", "error", "partial success"}),
        skipped=sum(r.status == "skipped" for r in results),
        published=(),
        unbuilt=(),
        generated=tuple(generated),
        seconds=0.0,  # known at the end
        log=log,
    )


def _failure(result: NodeResult) -> Failure:
    return Failure(
        name=result.name, kind=result.kind, rows=result.failures, message=" ".join(result.message.split())
    )
