from __future__ import annotations

import pytest

from daftari.demo.files.expected import DemoFile, Truth, truth_of
from daftari.demo.files.write_files import demo_files


@pytest.fixture(scope="session")
def files() -> tuple[DemoFile, ...]:
    return tuple(demo_files(2026))


@pytest.fixture(scope="session")
def truth(files: tuple[DemoFile, ...]) -> Truth:
    return truth_of(files)
