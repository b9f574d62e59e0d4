"""Runs dbt once, in a separate process, and returns its results."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from psycopg import Connection

from daftari.errors import DaftariError

#: Called with the number of nodes begun, their total, and the name of the latest.
Progress = Callable[[int, int, str], None]

#: No network, no stored values, nothing in the home folder.
_QUIET = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_STORE_FAILURES": "false", "DO_NOT_TRACK": "1"}


class DbtFailed(DaftariError):
    """dbt could not read the project or reach the database; no model was built."""

    code, exit_code, status = "transform_failed", 42, 500


@dataclass(frozen=True, kw_only=True)
class NodeResult:
    """The result of one model or test."""

    name: str
    kind: str  #: model, test, operation …
    status: str  #: success, pass, warn, fail, error, skipped
    failures: int | None  #: rows that a test found; None for a model
    message: str  #: without values of rows
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Start:
    """The input of one run of dbt."""

    project: Path  #: folder with dbt_project.yml and profiles.yml
    arguments: Sequence[str]
    environment: Mapping[str, str]  #: see `connection_variables`
    target: Path  #: where dbt writes its output: compiled SQL, manifest.json
    log: Path  #: gets a copy of dbt's messages


def connection_variables(conn: Connection[Any], *, schema: str) -> dict[str, str]:
    """Return the variables that the workspace's profiles.yml needs to reach the database of *conn*."""
    given = conn.info.get_parameters()
    found = {
        "DAFTARI_DB_HOST": conn.info.host,
        "DAFTARI_DB_PORT": str(conn.info.port),
        "DAFTARI_DB_USER": conn.info.user,
        "DAFTARI_DB_PASSWORD": conn.info.password,
        "DAFTARI_DB_NAME": conn.info.dbname,
        "DAFTARI_DB_SSLMODE": given.get("sslmode", "prefer"),
        "DAFTARI_DBT_SCHEMA": schema,
    }
    return {name: value for name, value in found.items() if value}


def run_dbt(start: Start, progress: Progress) -> tuple[NodeResult, ...]:
    """
    Run dbt and return the result of each node, including failed ones.

    Raises:
        DbtFailed: dbt did not get as far as running a node.
    """
    start.log.parent.mkdir(parents=True, exist_ok=True)
    with (
        start.log.open("w", encoding="utf-8") as log,
        subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [sys.executable, "-I", "-c", _child()],
            cwd=start.project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as child,
    ):
        assert child.stdin is not None and child.stdout is not None, "both were asked for"
        child.stdin.write(json.dumps(_request(start)) + "\n")
        child.stdin.flush()
        last = _listen(child.stdout, log, progress)
    if last is None or (last["error"] and not last["results"]):
        raise DbtFailed(
            f"transform: dbt stopped before any model: {_first_line(last)}",
            hint=f"The whole log is {start.log}.",
        )
    return tuple(NodeResult(**result) for result in last["results"])


def _request(start: Start) -> dict[str, Any]:
    return {
        "arguments": [*start.arguments, "--target-path", str(start.target)],
        "environment": {**start.environment, **_QUIET},
        # it has the messages of failed tests and models, with the values that the server quotes in them
        "discard": str(start.target / "run_results.json"),
    }


def _child() -> str:
    """The child's program: the running daftari, never a module that lies in the workspace."""
    path = [folder for folder in sys.path if folder]
    return f"import sys; sys.path[:] = {path!r}; from daftari.io.marts import dbt_child; dbt_child.main()"


def _listen(stdout: IO[str], log: IO[str], progress: Progress) -> dict[str, Any] | None:
    """Follow the child to its end; return its last document, or None when it died before that."""
    begun = 0
    for document in _documents(stdout):
        if "results" in document:
            return document
        if "started" in document:
            begun += 1
            progress(begun, document["of"], document["started"])
        else:
            log.write(document["log"] + "\n")
    return None


def _documents(stdout: IO[str]) -> Iterator[dict[str, Any]]:
    for line in stdout:
        yield json.loads(line)


def _first_line(last: dict[str, Any] | None) -> str:
    lines = [line.strip() for line in (last or {}).get("error", "").splitlines() if line.strip()]
    return " ".join(lines[:3]) or "it ended without a message"
