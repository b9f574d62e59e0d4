"""
A large file judged in a process of its own.

The thread that sends rows takes the interpreter's lock each time the server has room for more, and judging holds
it: side by side in one process each waits for the other. Started before anything else is done, even before it is
known which settings hold, the child has its modules, contracts and the file's forms ready by the time that the
database has been asked what it knows.

Light to import: whoever starts a child wants it started at once.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from daftari.errors import DaftariError

if TYPE_CHECKING:
    import polars as pl

    from daftari.contract.model import Relationship
    from daftari.rows.intake.intake import Judged
    from daftari.settings import Settings

#: A file of fewer bytes is judged before a child would be ready.
LEAST_BYTES = 16 * 2**20


class JudgeLost(DaftariError):
    """The process that judged the rows of a file came to an end by itself. Nothing of the file was loaded."""

    code, exit_code, status = "judge_lost", 24, 503


class JudgeFault(Exception):
    """A fault of ours in the child. *frames* are places in the code, and no data."""

    def __init__(self, kind: str, frames: list[str]) -> None:
        super().__init__(kind, frames)
        self.kind = kind
        self.frames = frames


@dataclass(frozen=True, kw_only=True)
class JudgedFile:
    """What a child is to judge, and where its contract is."""

    root: Path  #: of the workspace
    dataset: str
    path: Path
    mapping: Path | None = None
    settings: Settings | None = (
        None  #: with which sealed fields find their keys; through the pipe, as all of this
    )


@dataclass(frozen=True, kw_only=True)
class JudgeOrder:
    """What a child must know before it can judge, and learns when the load has begun."""

    run_id: int
    today: date
    known: Mapping[Relationship, pl.DataFrame]  #: keys that exist, for each relationship


class JudgeProcess:
    """A child that is getting ready to judge one file: `prepare` it, then take the `judged`."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    def prepare(self, file: JudgedFile) -> None:
        """Have the child open *file* and find out how it is written. Waits for nothing; once."""
        with suppress(BrokenPipeError):  # it is gone, which shows when it is asked for what it judged
            self._tell(file)

    def _tell(self, what: JudgedFile | JudgeOrder) -> None:
        assert self._child.stdin is not None, "it was asked for"
        pickle.dump(what, self._child.stdin)
        self._child.stdin.flush()

    def judged(self, order: JudgeOrder) -> Iterator[Judged]:
        """
        Yield each block of the file judged. Once.

        Raises:
            SourceError, MappingError: the file cannot be read.
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
    """Start a child that ends with the block; None where the file is small, or standard input."""
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
    The very daftari that runs here, and no module that lies in the workspace.

    Of polars one thread: a second would take from the server, which has the other core, and hold memory.
    """
    path = [folder for folder in sys.path if folder]
    return (
        f"import os, sys; sys.path[:] = {path!r}; os.environ['POLARS_MAX_THREADS'] = '1'; "
        "from daftari.operations.load import judge_process_child; judge_process_child.main()"
    )
