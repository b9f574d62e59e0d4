"""
Judge process: a large file is judged in a separate process.

The thread that sends rows takes the interpreter's lock each time the server can accept more, and judging holds that
lock: in one process they would wait for each other. The child starts first, even before the settings are read. So
its modules, contracts and the file's formats are ready when the database's state is known.

Light to import, so that the child starts at once.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from daftari.errors import DaftariError

if TYPE_CHECKING:
    from daftari.rows.intake.intake import Judged
    from daftari.rows.rules.references import ExistingRows
    from daftari.settings import Settings

#: A smaller file is judged before a child would be ready.
LEAST_BYTES = 16 * 2**20


class JudgeLost(DaftariError):
    """The judge process ended by itself. Nothing of the file was loaded."""

    code, exit_code, status = "judge_lost", 24, 503


class JudgeFault(Exception):
    """A bug in the child. *frames* are places in the code, without data."""

    def __init__(self, kind: str, frames: list[str]) -> None:
        super().__init__(kind, frames)
        self.kind = kind
        self.frames = frames


@dataclass(frozen=True, kw_only=True)
class JudgedFile:
    """The file to judge, and where its contract is."""

    root: Path  #: of the workspace
    dataset: str
    path: Path
    mapping: Path | None = None
    sheet: str | None = None
    settings: Settings | None = (
        None  #: for the keys of sealed fields; sent through the pipe, like everything here
    )


@dataclass(frozen=True, kw_only=True)
class JudgeOrder:
    """What a child needs to know before it can judge, once the load has begun."""

    run_id: int
    today: date
    existing: ExistingRows


class JudgeProcess:
    """A child that prepares to judge one file: first `prepare`, then `judged`."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    def prepare(self, file: JudgedFile) -> None:
        """Make the child open *file* and detect its formats. Does not wait; call it once."""
        with suppress(BrokenPipeError):  # it has ended, which shows when its results are read
            self._tell(file)

    def _tell(self, what: JudgedFile | JudgeOrder) -> None:
        assert self._child.stdin is not None, "it was asked for"
        pickle.dump(what, self._child.stdin)
        self._child.stdin.flush()

    def judged(self, order: JudgeOrder) -> Iterator[Judged]:
        """
        Yield each judged block of the file. Call it once.

        Raises:
            SourceError, MappingError: the file cannot be read.
            StyleChanged: its styles must be inferred from all of it.
            JudgeLost: the child ended before the file did.
        """
        assert self._child.stdout is not None, "it was asked for"
        try:
            self._tell(order)
            while (said := pickle.load(self._child.stdout)) is not None:  # noqa: S301 -- as above
                if isinstance(said, Exception):
                    raise said
                yield said
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise JudgeLost(
                f"the process that judged the rows ended ({_how(self._child.wait())}) before the file did;"
                " nothing was loaded",
                hint="Load the file again. If that happens again, the machine may be short of memory.",
            ) from None


def _how(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"


@contextmanager
def started_judge(path: Path) -> Iterator[JudgeProcess | None]:
    """Start a child that ends with the block; None for a small file, or standard input."""
    if not path.is_file() or path.stat().st_size < LEAST_BYTES:
        yield None
        return
    child = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
        [sys.executable, "-I", "-c", _program()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a library's message may quote a row
    )
    assert child.stdin is not None and child.stdout is not None, "both were asked for"
    try:
        yield JudgeProcess(child)
    finally:
        child.kill()
        child.stdout.close()
        child.wait()


def _program() -> str:
    """
    The child's program: the running daftari, never a module that lies in the workspace.

    polars gets one thread: a second would compete with the server, which has the other core, and use memory.
    """
    path = [folder for folder in sys.path if folder]
    return (
        f"import os, sys; sys.path[:] = {path!r}; os.environ['POLARS_MAX_THREADS'] = '1'; "
        "from daftari.operations.load import judge_process_child; judge_process_child.main()"
    )
