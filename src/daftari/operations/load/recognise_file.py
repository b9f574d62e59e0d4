"""Recognise a file whose content was loaded before. Light to import: a known file costs little more than its hash."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from daftari.io.runs import ledger
from daftari.io.runs.ledger import Loaded


def recognise_file(conn: Connection[Any], dataset: str, name: str, sha256: str) -> Loaded | None:
    """Return the result of the earlier load of this content for a file called *name*; None where it is new."""
    run_id = ledger.known_run(conn, dataset, sha256)
    return None if run_id is None else Loaded(dataset=dataset, source=name, run_id=run_id, known=True)
