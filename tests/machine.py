"""What a test may need and a machine may lack: where it is missing, the test is skipped and says what."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

_BESIDE = Path(__file__).parents[2] / "shared" / "data"


def real_files(*, in_module: bool = False) -> Path:
    """Return the folder of real files. *in_module*: called while a module is imported, which is then skipped."""
    folder = Path(os.environ.get("DAFTARI_REAL_DATA") or _BESIDE)
    if not (folder / "MANIFEST.csv").is_file():
        pytest.skip(f"no real files in {folder}: set DAFTARI_REAL_DATA", allow_module_level=in_module)
    return folder


def has_pgcrypto(conn: Connection[Any]) -> bool:
    """Whether pgcrypto can be installed on this server."""
    return bool(conn.execute("select from pg_available_extensions where name = 'pgcrypto'").fetchall())
