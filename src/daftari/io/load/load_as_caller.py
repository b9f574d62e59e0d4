"""
A file's rows, written in the role of the caller who sent it: like `bulk_load`, but for other users than operators.
"""

from __future__ import annotations

import hashlib
from typing import Any

from psycopg import Connection

from daftari.compile.access.roles import Roles
from daftari.contract.access.caller import RequestContext
from daftari.contract.model import Dataset
from daftari.io.access.callers import speak_for
from daftari.io.load.bulk_load import LoadedRows
from daftari.io.runs.ledger import RunCounts
from daftari.io.write.caller_write import CallerWrite
from daftari.rows.intake.batch import Batch


class LoadAsCaller:
    """The same steps as `BulkLoad`; rows stay in memory only for their batch."""

    def __init__(
        self, conn: Connection[Any], dataset: Dataset, run_id: int, place: tuple[RequestContext, Roles]
    ) -> None:
        context, roles = place
        self._conn = conn
        self._context = context
        self._run_id = run_id
        self._table = dataset.name
        self._writing = CallerWrite(conn, dataset, context.caller, roles)
        self._digest = hashlib.sha256()
        self._has_updated = False

    @property
    def digest(self) -> str:
        """sha256 over the rows as sent to the server, in hex."""
        return self._digest.hexdigest()

    @property
    def operation(self) -> str:
        return "merge" if self._has_updated else "insert"

    def prepare(self, *, large: bool) -> None:  # noqa: ARG002 -- as `BulkLoad`, which may defer indexes
        speak_for(self._conn, self._context)

    def land(self, batch: Batch) -> tuple[LoadedRows, ...]:
        """
        Land *batch*.

        Raises:
            AccessRefused: the caller's role may not insert at all.
            RowsElsewhere: a batch from another process came without its rows.
        """
        if batch.height == 0:
            return ()
        self._digest.update(batch.body)
        fates = self._writing.write(batch)
        counts = RunCounts.of(fate.status for fate in fates.values())
        self._has_updated |= counts.updated > 0
        refused = {line: fate.why for line, fate in fates.items() if fate.why is not None}
        return (LoadedRows(batch=batch, counts=counts, refused=refused),)

    def finish(self) -> tuple[LoadedRows, ...]:
        return ()
