"""A wrapping key in its own file, for one machine. Keep its only backup elsewhere, and renew that at each epoch."""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from daftari.errors import KeysUnavailable
from daftari.io.keys.private_files import (
    private_folder,
    read_private_file,
    require_private,
    write_private_file,
)
from daftari.io.keys.wrapping import Wrapped

_KEY_BYTES, _NONCE_BYTES = 32, 12


class FileWrapping:
    """The setting `kek_file`: AES-256-GCM under keys in a JSON file, by epoch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[int, AESGCM] = {}

    def __repr__(self) -> str:
        return f"FileWrapping({self._path})"

    @property
    def name(self) -> str:
        return "file"

    def latest(self) -> int:
        return max(self._read())

    def begin(self) -> int:
        private_folder(self._path.parent)
        with self._locked():
            if not self._path.exists():
                self._write({1: os.urandom(_KEY_BYTES)})
        return self.latest()

    def wrap(self, secrets: Sequence[bytes]) -> list[Wrapped]:
        epoch = self.latest()
        key = self._keys[epoch]
        found = []
        for secret in secrets:
            nonce = os.urandom(_NONCE_BYTES)
            found.append(Wrapped(epoch=epoch, content=nonce + key.encrypt(nonce, secret, b"")))
        return found

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes]:
        keys = self._keys
        if any(one.epoch not in keys for one in wrapped):
            keys = self._read()
        found = []
        for one in wrapped:
            if one.epoch not in keys:
                raise KeysUnavailable(
                    f"{self._path}: no key of epoch {one.epoch}; expected it, as the key store has keys of that epoch",
                    hint="The key store is older than the last `daftari keys epoch`: restore the current one.",
                )
            nonce, content = one.content[:_NONCE_BYTES], one.content[_NONCE_BYTES:]
            try:
                found.append(keys[one.epoch].decrypt(nonce, content, b""))
            except InvalidTag:
                raise KeysUnavailable(
                    f"{self._path}: its key of epoch {one.epoch} does not unwrap the store's keys; expected the one "
                    "that wrapped them",
                    hint="The two files are of different workspaces or environments.",
                ) from None
        return found

    def rewrap(self, wrapped: Sequence[Wrapped]) -> list[Wrapped]:
        return self.wrap(self.unwrap(wrapped))

    def renew(self) -> int:
        with self._locked():
            kept = self._document()
            epoch = max(kept) + 1
            self._write({**kept, epoch: os.urandom(_KEY_BYTES)})
        return epoch

    def forget_before(self, epoch: int) -> None:
        with self._locked():
            kept = self._document()
            if min(kept) < epoch:
                self._write({number: key for number, key in kept.items() if number >= epoch})

    def _read(self) -> dict[int, AESGCM]:
        self._keys = {number: AESGCM(key) for number, key in self._document().items()}
        return self._keys

    def _document(self) -> dict[int, bytes]:
        try:
            document = json.loads(read_private_file(self._path))
            keys = {int(number): base64.b64decode(key) for number, key in document["epochs"].items()}
        except FileNotFoundError:
            raise KeysUnavailable(
                f"{self._path}: does not exist; expected the file that unwraps the key store",
                hint="Restore its backup. Without it, no sealed value can be opened.",
            ) from None
        except (ValueError, KeyError, AttributeError, TypeError):
            keys = {}
        if not keys or any(len(key) != _KEY_BYTES for key in keys.values()):
            raise KeysUnavailable(
                f"{self._path}: not readable as a file of wrapping keys; expected the one that Daftari wrote",
                hint="Restore its backup.",
            )
        return keys

    def _write(self, keys: dict[int, bytes]) -> None:
        epochs = {str(number): base64.b64encode(key).decode() for number, key in keys.items()}
        write_private_file(self._path, json.dumps({"epochs": epochs}).encode())
        self._keys = {number: AESGCM(key) for number, key in keys.items()}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        path = self._path.with_name(self._path.name + ".lock")
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            require_private(path)
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
