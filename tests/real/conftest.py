"""Real input lies outside the repository; without it these tests are skipped, saying so."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def real_data():
    folder = Path(os.environ.get("DAFTARI_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "MANIFEST.csv").is_file():
        pytest.skip(f"real input is not at {folder}; set DAFTARI_REAL_DATA")
    return folder
