"""Files that are complete or not there."""

import errno
import os
import signal
import subprocess
import sys

import psycopg
import pytest

from daftari.errors import disk_full
from daftari.io.workspace.whole_files import PRIVATE, whole_file, write_whole_file


def test_a_file_is_replaced_only_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as file:
        file.write(b"new, but")
        file.flush()
        raise RuntimeError
    assert path.read_text() == "old"
    write_whole_file(path, b"new")
    assert path.read_text() == "new"
    assert [it.name for it in tmp_path.iterdir()] == ["a.txt"]


def test_a_new_file_never_replaces_another(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(FileExistsError), whole_file(path, replaces=False) as file:
        path.write_text("of somebody else")
        file.write(b"mine")
    assert path.read_text() == "of somebody else"
    with pytest.raises(FileExistsError):
        write_whole_file(path, b"mine", replaces=False)
    assert [it.name for it in tmp_path.iterdir()] == ["a.txt"]


def test_a_private_file_is_never_open_to_others(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path, mode=PRIVATE) as file:
        assert [it.stat().st_mode & 0o777 for it in tmp_path.iterdir()] == [0o600]
        file.write(b"x")
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    program = (
        "import sys, os, signal; from pathlib import Path;"
        "from daftari.io.workspace.whole_files import whole_file\n"
        "with whole_file(Path(sys.argv[1])) as file:\n"
        "    file.write(b'secret'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = tmp_path / "a[1].txt"
    done = subprocess.run([sys.executable, "-c", program, path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    assert len(list(tmp_path.iterdir())) == 1
    write_whole_file(path, b"x")
    assert [it.name for it in tmp_path.iterdir()] == ["a[1].txt"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_seen_through_what_it_caused(number):
    try:
        try:
            raise OSError(number, os.strerror(number), "/data/x")
        except OSError as error:
            raise ValueError("later") from error
    except ValueError as error:
        full = disk_full(error)
    assert str(full) == "no space left on the disk for /data/x; expected some"
    assert disk_full(OSError(errno.EACCES, "no")) is None
    assert disk_full(None) is None
    assert str(disk_full(psycopg.errors.DiskFull("could not extend file"))) == (
        "no space left on the disk of the database; expected some"
    )
