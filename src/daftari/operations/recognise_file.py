"""Whether a file of this content was loaded before. Light to import: a known file costs little more than its hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg import Connection

from daftari.io import ledger
from daftari.io.digest import digest
from daftari.io.ledger import Loaded


def recognise_file(conn: Connection[Any], dataset: str, path: Path) -> tuple[str | None, Loaded | None]:
    """Return the sha256 of *path*, None where it is no file, and what is known of it, None where it is new."""
    if not path.is_file():
        return None, None
    sha256 = digest(path)
    run_id = ledger.known_run(conn, dataset, sha256)
    known = None if run_id is None else Loaded(dataset=dataset, source=path.name, run_id=run_id, known=True)
    return sha256, known
