"""
The child of `judge_process`: prepares a file, and judges it when the database's state is known.

Standard input brings a `JudgedFile` and then a `JudgeOrder`; standard output takes the judged blocks, at last None;
an error ends it. All are pickles, between two processes of one program. When the parent ends, the child ends too.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import BinaryIO

from daftari.errors import DaftariError, disk_full
from daftari.io.keys.sealer import Sealer
from daftari.io.workspace.files import read_open_workspace, read_workspace
from daftari.operations.load.judge_process import JudgedFile, JudgeFault, JudgeOrder
from daftari.operations.load.open_file import WantedFile, open_file
from daftari.rows.formats.late_evidence import StyleChanged
from daftari.rows.intake.intake import Intake, Judged, take_in
from daftari.rows.rules.rules import rulebook

_PIPE_BYTES = 2**20


def main() -> None:
    """Judge one file, as standard input asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # other output goes to standard error
    _widen(said)
    try:
        _say_all(said, sys.stdin.buffer)
    except (BrokenPipeError, EOFError):  # the parent needs no more
        os._exit(0)


def _widen(pipe: BinaryIO) -> None:
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _say_all(said: BinaryIO, asked: BinaryIO) -> None:
    try:
        for judged in _judged(asked):
            _say(said, judged)
            del judged  # before the next one is made
        _say(said, None)
    except (DaftariError, StyleChanged) as error:  # the parent handles them
        _say(said, error)
    except (BrokenPipeError, EOFError):
        raise
    except Exception as error:
        fault = JudgeFault(type(error).__name__, traceback.format_tb(error.__traceback__))
        _say(said, disk_full(error) or fault)


def _judged(asked: BinaryIO) -> Iterator[Judged]:
    file: JudgedFile = pickle.load(asked)  # noqa: S301 -- see above
    wanted = WantedFile(dataset=file.dataset, path=file.path, mapping=file.mapping, sheet=file.sheet)
    # the parent computes its hash
    workspace = (
        read_open_workspace(file.settings, only=file.dataset)
        if file.settings
        else read_workspace(file.root, only=file.dataset)
    )
    opened = open_file(workspace, wanted, sha256="unknown")
    plan = opened.settled
    order: JudgeOrder = pickle.load(asked)  # noqa: S301
    book = rulebook(
        opened.contract.dataset,
        today=order.today,
        known=order.existing.keys,
        standing=order.existing.standing,
    )
    seal = Sealer(workspace.open_keys, opened.contract.dataset).seal
    intake = Intake(book=book, plan=plan, run_id=order.run_id, seal=seal)
    yield from take_in(opened.source.blocks(), intake)


def _say(said: BinaryIO, what: object) -> None:
    said.write(pickle.dumps(what, protocol=5))  # written completely or not at all
    said.flush()
