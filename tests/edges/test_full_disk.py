"""A disk that fills up: what a command says, that nothing is half done, and that the same command heals it."""

import gzip
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.clinic import HEADER, open_wards, write_workspace

BYTES = 4 * 2**20


@dataclass
class Disk:
    folder: Path

    def fill(self, *, leave=0):
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (2**16, 2**12, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    continue
            file.truncate(file.tell() - leave)

    def free(self):
        (self.folder / "filler").unlink()


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={BYTES}", "none", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("only root can mount a small disk, and this run may not")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def run(database_url, tmp_path):
    def run(*arguments, **environment):
        path = os.pathsep.join(sys.path)
        said = {**os.environ, "DAFTARI_DATABASE_URL": database_url, "PYTHONPATH": path, **environment}
        return subprocess.run(
            [sys.executable, "-m", "daftari", *map(str, arguments)],
            env=said, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def assert_full(done):
    assert (done.returncode, done.stdout) == (34, "")
    assert done.stderr.startswith("error: no space left on the disk")
    assert done.stderr.endswith("hint: Free some space, then do the same again: nothing is half done.\n")


def test_apply_changes_nothing_and_works_once_there_is_space(disk, run, db):
    write_workspace(disk.folder / "w")
    disk.fill()
    assert_full(run("apply", "--workspace", disk.folder / "w"))
    assert db.execute("select to_regclass('ops.visits')").fetchone() == (None,)
    assert not list((disk.folder / "w").rglob("versions/*"))

    disk.free()
    assert run("apply", "--workspace", disk.folder / "w").returncode == 0
    assert len(list((disk.folder / "w/migrations/versions").glob("*.py"))) == 1


def test_a_load_does_not_call_a_whole_archive_damaged(disk, run, db):
    write_workspace(disk.folder / "w")
    assert run("apply", "--workspace", disk.folder / "w").returncode == 0
    open_wards(db)
    rows = "".join(f"v{n},2026-03-0{n % 9 + 1},A,Wanjiku,10,note\n" for n in range(40_000))
    path = disk.folder / "visits.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n{rows}".encode()))
    temporary = {"TMPDIR": str(disk.folder)}
    disk.fill(leave=2**18)  # a folder where nothing at all can be written is not taken for temporary files
    assert_full(run("load", "visits", path, "--workspace", disk.folder / "w", **temporary))
    assert db.execute("select count(*) from ops.visits").fetchone() == (0,)

    disk.free()
    done = run("load", "visits", path, "--workspace", disk.folder / "w", **temporary)
    assert done.returncode == 0, done.stderr
    assert db.execute("select count(*) from ops.visits").fetchone() == (40_000,)


def test_an_export_of_rejected_rows_leaves_no_part_of_them(disk, run, db, tmp_path):
    write_workspace(tmp_path / "w")
    assert run("apply", "--workspace", tmp_path / "w").returncode == 0
    open_wards(db)
    (tmp_path / "visits.csv").write_text(
        f"{HEADER}\nv1,2026-03-01,A,Wanjiku,10,note\nv2,never,A,Otieno,10,asthma\n"
    )
    run("load", "visits", tmp_path / "visits.csv", "--workspace", tmp_path / "w")
    disk.fill()
    export = ("quarantine", "export", "visits", "--to", disk.folder / "out", "--workspace", tmp_path / "w")
    assert run(*export).returncode == 34
    assert [it for it in disk.folder.rglob("*") if it.is_file()] == [disk.folder / "filler"]

    disk.free()
    assert run(*export).returncode == 0
    (path,) = (disk.folder / "out").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Otieno" in path.read_text()
