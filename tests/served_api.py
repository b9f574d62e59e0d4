"""A real `daftari serve` of a workspace, for as long as a test needs it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

DAFTARI = Path(sys.executable).with_name("daftari")
_TENTHS = 300


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def process(root: Path, *more: str, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its address and its process; what it says goes to serve.log in *root*."""
    port = port or free_port()
    log = root / "serve.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [DAFTARI, "serve", "-w", str(root), "--port", str(port), *more], stdout=out, stderr=out
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(_TENTHS):
            try:
                httpx.get(f"{url}/healthz")
                break
            except httpx.TransportError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
        yield url, server
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def serving(root: Path) -> Iterator[str]:
    with process(root) as (url, _):
        yield url
