"""Where the real files are that tests read; without them a test is skipped and says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[2] / "shared" / "data"


def real_files(*, in_module: bool = False) -> Path:
    """Return the folder of real files. *in_module*: called while a module is imported, which is then skipped."""
    folder = Path(os.environ.get("DAFTARI_REAL_DATA") or _BESIDE)
    if not (folder / "MANIFEST.csv").is_file():
        pytest.skip(f"no real files in {folder}: set DAFTARI_REAL_DATA", allow_module_level=in_module)
    return folder
