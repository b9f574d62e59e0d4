"""
The child of `read_workbook`: does one thing with one workbook, and ends.

Standard input brings a `ReadingOrder`, standard output takes the answer or an error; both are pickles, between two
processes of one program.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from typing import Any

from daftari.errors import DaftariError
from daftari.io.reader_process.read_workbook import ReaderFault, ReadingOrder, Wanted
from daftari.io.reader_process.reading_limits import limit_reading
from daftari.io.workbooks.sheet_store import store_rows
from daftari.io.workbooks.workbook import find_sheet, sheets_with_rows


def main() -> None:
    """Do what standard input asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # other output goes to standard error
    order: ReadingOrder = pickle.load(sys.stdin.buffer)  # noqa: S301 -- see above
    limit_reading(order.path.stat().st_size)
    said.write(pickle.dumps(_done(order), protocol=5))
    said.flush()
    os._exit(0)  # nothing of it is needed any more


def _done(order: ReadingOrder) -> Any:
    try:
        return _do(order)
    except (DaftariError, MemoryError) as error:
        return error
    except Exception as error:
        return ReaderFault(type(error).__name__, traceback.format_tb(error.__traceback__))


def _do(order: ReadingOrder) -> Any:
    if order.wanted is Wanted.NAMES:
        return sheets_with_rows(order.path, order.sought.name)
    sheet, read = find_sheet(order.path, order.sought)
    if order.wanted is Wanted.SHEET:
        return sheet
    assert order.rows_to is not None, "rows are asked for with a file"
    with os.fdopen(order.rows_to, "r+b") as file:
        return store_rows(read(), file, order.path, order.sought.name)
