"""
What Vault answers on the paths that Daftari asks, on a loopback port: transit and KV, version 2.

After its published HTTP API: paths, methods, bodies, status codes and `errors`. It is for failures that a real
server does not give when asked; `tests/system/test_openbao.py` has the rest on a real one.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "s.a-token-that-shows-nowhere"


@dataclass
class Vault:
    address: str = ""
    keys: dict[str, dict[int, AESGCM]] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)  #: min_decryption_version
    encrypts: dict[str, int] = field(default_factory=dict)  #: min_encryption_version; 0: the latest
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    fails: dict[str, tuple[int, list[str]]] = field(default_factory=dict)  #: by a part of the path
    sends_to: str | None = None  #: an address to which every request is redirected
    asked: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)  #: that came with them
    lock: Any = field(default_factory=Lock)

    def answer(  # noqa: C901 -- one branch a path
        self, method: str, path: str, body: dict[str, Any], token: str | None
    ) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        self.tokens.append(token)
        for part, (status, errors) in self.fails.items():
            if part in path:
                return status, {"errors": errors}
        if token != TOKEN:
            return 403, {"errors": ["permission denied"]}
        with self.lock:
            match [method, *path.removeprefix("/v1/").split("/")]:
                case ["POST", "transit", "keys", name]:
                    self.keys.setdefault(name, {1: AESGCM(os.urandom(32))})
                    self.least.setdefault(name, 1)
                    return 204, None
                case ["GET", "transit", "keys", name] if name in self.keys:
                    return 200, {"data": {"name": name, "latest_version": max(self.keys[name])}}
                case ["POST", "transit", "keys", name, "rotate"] if name in self.keys:
                    self.keys[name][max(self.keys[name]) + 1] = AESGCM(os.urandom(32))
                    return 204, None
                case ["POST", "transit", "keys", name, "config"] if name in self.keys:
                    self.least[name] = body.get("min_decryption_version", self.least[name])
                    self.encrypts[name] = body.get("min_encryption_version", self.encrypts.get(name, 0))
                    return 204, None
                case ["POST", "transit", "keys", name, "trim"] if name in self.keys:
                    return self._trim(name, body["min_available_version"])
                case ["POST", "transit", "encrypt" | "decrypt" | "rewrap" as what, name] if name in self.keys:
                    return self._batch(what, name, body["batch_input"])
                case ["GET", "secret", "data", *rest] if "/".join(rest) in self.secrets:
                    return 200, {"data": {"data": self.secrets["/".join(rest)], "metadata": {"version": 1}}}
        return 404, {"errors": []}

    def _trim(self, name: str, version: int) -> tuple[int, Any]:
        if not self.encrypts.get(name):
            return 400, {
                "errors": ["minimum available version cannot be set when minimum encryption version is not"]
            }
        if version > self.least[name]:
            return 400, {
                "errors": ["minimum available version cannot be greater than minimum decryption version"]
            }
        self.keys[name] = {at: key for at, key in self.keys[name].items() if at >= version}
        return 204, None

    def _batch(self, what: str, name: str, items: list[dict[str, str]]) -> tuple[int, Any]:
        results = [self._one(what, name, item) for item in items]
        failed = any("error" in result for result in results)
        return 400 if failed else 200, {"data": {"batch_results": results}}

    def _one(self, what: str, name: str, item: dict[str, str]) -> dict[str, Any]:
        keys = self.keys[name]
        plain = item.get("plaintext", "")
        if what != "encrypt":
            _, version, text = item["ciphertext"].split(":")
            number = int(version[1:])
            if number not in keys or number < self.least[name]:
                return {"error": "ciphertext or signature version is disallowed by policy (too old)"}
            content = base64.b64decode(text)
            try:
                plain = keys[number].decrypt(content[:12], content[12:], b"").decode()
            except InvalidTag:
                return {"error": "cipher: message authentication failed"}
        if what == "decrypt":
            return {"plaintext": plain}
        latest, nonce = max(keys), os.urandom(12)
        sealed = base64.b64encode(nonce + keys[latest].encrypt(nonce, plain.encode(), b"")).decode()
        return {"ciphertext": f"vault:v{latest}:{sealed}", "key_version": latest}


@contextmanager
def vault_server(certificate: Path | None = None) -> Iterator[Vault]:
    """With a *certificate* (PEM, its key in the same file) by TLS."""
    vault = Vault()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, said = vault.answer(self.command, self.path, body, self.headers.get("X-Vault-Token"))
            content = b"" if said is None or vault.sends_to else json.dumps(said).encode()
            self.send_response(307 if vault.sends_to else status)
            if vault.sends_to:
                self.send_header("Location", vault.sends_to + self.path)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any  # noqa: N815 -- http.server's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vault.address = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield vault
    finally:
        server.shutdown()
        server.server_close()
