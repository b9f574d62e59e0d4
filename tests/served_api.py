"""A real `daftari serve` of a workspace, for as long as a test needs it."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx2 as httpx

from daftari import cli

DAFTARI = Path(sys.executable).with_name("daftari")
_TENTHS = 300
#: Importing takes most of the time that a server needs to start. So servers are forked off a process that has
#: imported everything and has done nothing yet.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["daftari.cli.serve", "daftari.api.app", "daftari.web.routes", "uvicorn", "uvloop"]
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def process(root: Path, port: int = 0) -> Iterator[tuple[str, BaseProcess]]:
    """Its address and its process; what it says goes to serve.log in *root*."""
    port = port or free_port()
    log = root / "serve.log"
    words = ["daftari", "serve", "-w", str(root), "--port", str(port)]
    server = _FORKS.Process(target=_main, args=(words, dict(os.environ), log))
    server.start()
    try:
        yield _address(port, server.is_alive, log), server
    finally:
        server.terminate()
        server.join(20)


@contextmanager
def command(root: Path, *more: str) -> Iterator[str]:
    """Its address, where the server is the command itself, started as a user starts it."""
    port = free_port()
    log = root / "serve.log"
    words = [DAFTARI, "serve", "-w", str(root), "--port", str(port), *more]
    with log.open("wb") as out:
        server = subprocess.Popen(words, stdout=out, stderr=out)
    try:
        yield _address(port, lambda: server.poll() is None, log)
    finally:
        server.terminate()
        server.wait(20)


def _main(words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Be the command *words*."""
    with log.open("wb") as out:
        for said in (1, 2):
            os.dup2(out.fileno(), said)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = list(words)
    cli.main()


def _address(port: int, is_alive: Callable[[], bool], log: Path) -> str:
    """The address of a server, as soon as it answers there."""
    url = f"http://127.0.0.1:{port}"
    for _ in range(_TENTHS):
        try:
            httpx.get(f"{url}/healthz")
            break
        except httpx.TransportError:
            assert is_alive(), log.read_text()
            time.sleep(0.1)
    return url
