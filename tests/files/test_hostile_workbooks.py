"""A workbook made to cost much is answered with words or rows, within seconds, and takes little of the process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.hostile_workbooks import CORPUS, xlsx

from daftari.errors import SourceError
from daftari.io.delimited.header import Sought
from daftari.io.workbooks.sheet_store import store_rows
from daftari.io.workbooks.workbook import find_sheet

#: The process that asks takes about 75 MiB before.
MOST_MIB = 300
MOST_SECONDS = 45

_PROGRAM = """
import json, sys, time
from pathlib import Path
from daftari.errors import DaftariError
from daftari.io.files import open_source, sheets_of

def peak():
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))

for path in map(Path, sys.argv[1:]):
    begun, said, rows = time.perf_counter(), "", 0
    try:
        sheets_of(path)
        rows = sum(len(block.lines) for block in open_source(path).blocks())
    except DaftariError as error:
        said = str(error)
    print(json.dumps({"said": said, "rows": rows, "seconds": time.perf_counter() - begun, "peak": peak()}), flush=True)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What one process says of all of them, one after another."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = [one.write(folder) for one in CORPUS]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(CORPUS, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("hostile", CORPUS, ids=lambda one: one.name)
def test_it_is_read_or_refused_with_words(answers, hostile):
    answer = answers[hostile]
    if hostile.said is None:
        assert answer["said"] == ""
    else:
        assert answer["said"].startswith(f"{hostile.name}: ")
        assert hostile.said in answer["said"]
        assert len(answer["said"]) < 400


def test_each_is_answered_within_seconds(answers):
    assert {
        one.name: answer["seconds"] for one, answer in answers.items() if answer["seconds"] > MOST_SECONDS
    } == {}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_the_process_that_asks_takes_little_memory(answers):
    assert max(answer["peak"] for answer in answers.values()) < MOST_MIB


def test_a_full_disk_is_told(tmp_path):
    read = find_sheet(xlsx(tmp_path / "f.xlsx"), Sought(name="f.xlsx"))[1]
    with (
        Path("/dev/full").open("r+b", buffering=0) as full,
        pytest.raises(SourceError, match=r"f\.xlsx: its rows cannot be kept .* \(no space left on device\)"),
    ):
        store_rows(read(), full, tmp_path / "f.xlsx", "f.xlsx")
