"""
dbt in a separate process, started by `daftari.io.marts.dbt`, which talks to it through pipes.

The first line of standard input is JSON: the arguments for dbt, variables for its environment, and a file of dbt's
that must be deleted. So a password appears in no process list. Standard input then stays open while the parent lives:
when it closes, this process ends at once, and no orphan continues to write tables after a `kill -9`.

Standard output is one JSON document per line: `{"log": …}`, `{"started": name, "of": total}`, and at last
`{"results": […], "error": …}`. Values of rows that a database error quotes are removed from all of them.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from daftari.io.database.messages import without_values


def main() -> None:
    """Run dbt once, as standard input asks, and write the results to standard output."""
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # dbt reads its profile's variables here; this process has no other use
    os.environ.update(request["environment"])  # noqa: TID251
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # other output goes to standard error
    from dbt.cli.main import dbtRunner  # three seconds

    try:
        result = dbtRunner(callbacks=[lambda event: _hand_on(event, said)]).invoke(request["arguments"])
    finally:
        Path(request["discard"]).unlink(missing_ok=True)
    found = getattr(result.result, "results", None) or []
    error = without_values(str(result.exception)) if result.exception else None
    _say(said, {"results": [_result(one) for one in found], "error": error})


def _die_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _hand_on(event: Any, said: TextIO) -> None:
    if event.info.name == "LogStartLine":
        _say(said, {"started": event.data.node_info.node_name, "of": event.data.total})
    if event.info.level in {"info", "warn", "error"} and event.info.msg.strip():
        _say(said, {"log": f"{event.info.ts.ToJsonString()} {without_values(event.info.msg)}"})


def _result(result: Any) -> dict[str, Any]:
    return {
        "name": result.node.name,
        "kind": str(result.node.resource_type),
        "status": str(result.status),
        "failures": result.failures,
        "message": without_values(result.message or ""),
        "seconds": round(result.execution_time, 3),
    }


def _say(said: TextIO, document: dict[str, Any]) -> None:
    said.write(json.dumps(document) + "\n")
    said.flush()
