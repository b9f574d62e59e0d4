"""Real files are not in the repository; without them these tests are skipped, and say so."""

import pytest
from tests.real_files import real_files


@pytest.fixture(scope="session")
def real_data():
    return real_files()
