"""
Read a workbook: a small one here, another one in a reader process.

A file can then take neither the memory nor the time of a server: the child ends where it passes a limit, and the file
is refused with words.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import IO, Any

from daftari.errors import SourceError
from daftari.io.delimited.header import Sought
from daftari.io.reader_process.reading_limits import MOST_MEMORY, most_seconds
from daftari.io.workbooks.sheet_store import SheetStore
from daftari.io.workbooks.sheet_table import Sheet
from daftari.io.workbooks.workbook import find_sheet, sheets_with_rows

#: A workbook that unpacks to no more, of a kind that is read row by row, cannot take much.
_SMALL_BYTES = 8 * 2**20
_STREAMED = ("xl/workbook.xml", "content.xml")
#: As many reader processes at once; further callers wait.
_places = threading.BoundedSemaphore(2)


class Wanted(Enum):
    NAMES = "names"  #: of the sheets with rows
    SHEET = "sheet"  #: the one to read, without its rows
    ROWS = "rows"  #: of that sheet, in a file


@dataclass(frozen=True, kw_only=True)
class ReadingOrder:
    """What a reader process is to do."""

    wanted: Wanted
    path: Path
    sought: Sought
    rows_to: int | None = None  #: a file descriptor


class ReaderFault(Exception):
    """A bug in the child. *frames* are places in the code, without data."""

    def __init__(self, kind: str, frames: list[str]) -> None:
        super().__init__(kind, frames)
        self.kind = kind
        self.frames = frames


def open_sheet(path: Path, sought: Sought) -> Sheet:
    """
    Open the sheet that the mapping names, or the only one with rows, or the one with the best known header.

    Raises:
        SourceError: the workbook is damaged or has no such sheet, the sheet is ambiguous, or reading it takes more
            than a workbook may take.
    """
    if _is_small(path):
        found, read = find_sheet(path, sought)
        return replace(found, store=lambda: SheetStore.of(read(), path, sought.name))
    sheet: Sheet = _answer(ReadingOrder(wanted=Wanted.SHEET, path=path, sought=sought))
    return replace(sheet, store=partial(_stored, path, sought))


def sheet_names(path: Path, name: str) -> tuple[str, ...]:
    """Return the names of the sheets that have rows, the hidden ones last. Raises as `open_sheet`."""
    if _is_small(path):
        return sheets_with_rows(path, name)
    found: tuple[str, ...] = _answer(ReadingOrder(wanted=Wanted.NAMES, path=path, sought=Sought(name=name)))
    return found


def _is_small(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as package:
        unpacked = sum(one.file_size for one in package.infolist())
        return unpacked <= _SMALL_BYTES and any(one in package.NameToInfo for one in _STREAMED)


def _stored(path: Path, sought: Sought) -> SheetStore:
    file = tempfile.TemporaryFile(prefix="daftari-")  # noqa: SIM115 - lives as long as the store
    order = ReadingOrder(wanted=Wanted.ROWS, path=path, sought=sought, rows_to=file.fileno())
    return SheetStore(file, _answer(order, file))


def _answer(order: ReadingOrder, file: IO[bytes] | None = None) -> Any:
    with _places:
        child = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [sys.executable, "-I", "-c", _program()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a library's message may quote a row
            pass_fds=() if file is None else (file.fileno(),),
        )
        try:
            said, _ = child.communicate(pickle.dumps(order))
        finally:
            child.kill()
            child.wait()
    try:
        answer = pickle.loads(said)  # noqa: S301 -- of our own program
    except (EOFError, pickle.UnpicklingError):
        raise _too_much(order, child.returncode) from None
    if isinstance(answer, MemoryError):
        raise _too_much(order, 0)
    if isinstance(answer, Exception):
        raise answer
    return answer


def _too_much(order: ReadingOrder, status: int) -> SourceError:
    name = order.sought.name
    hint = "Save the sheet as CSV, and load that; a CSV file may have any size."
    if status == -signal.SIGXCPU:
        seconds = most_seconds(order.path.stat().st_size)
        return SourceError(
            f"{name}: takes more than {seconds} s to read, the most for a workbook of its size", hint=hint
        )
    return SourceError(
        f"{name}: takes more than {MOST_MEMORY // 2**20:,} MiB of memory to read, the most for a workbook",
        hint=hint,
    )


def _program() -> str:
    """The child's program: the running daftari, never a module that lies in the workspace."""
    path = [folder for folder in sys.path if folder]
    return (
        f"import os, sys; sys.path[:] = {path!r}; os.environ['POLARS_MAX_THREADS'] = '1'; "
        "from daftari.io.reader_process import reader_child; reader_child.main()"
    )
