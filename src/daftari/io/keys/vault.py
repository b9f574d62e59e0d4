"""
Vault: its transit engine as the wrapping key, its KV engine (version 2) for secrets.

The wrapping key never leaves Vault. Its versions are the epochs: `rotate` makes one. Trimming earlier versions
destroys what unwrapped older copies of the key store.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from daftari.errors import KeysUnavailable
from daftari.io.keys.vault_session import VaultAccess, VaultSession
from daftari.io.keys.wrapping import Wrapped

_CIPHERTEXT = re.compile(r"vault:v(\d+):.+")
_SOME = 250  #: items of one request


class VaultWrapping:
    """The key *key* of the transit engine mounted at *mount*."""

    def __init__(self, access: VaultAccess, *, key: str, mount: str = "transit") -> None:
        self._session = VaultSession(access)
        self._key = key
        self._mount = mount

    def __repr__(self) -> str:
        return f"VaultWrapping({self._mount}/{self._key} at {self._session.address})"

    @property
    def name(self) -> str:
        return f"vault {self._mount}/{self._key}"

    def begin(self) -> int:
        self._ask(lambda transit, at: transit.create_key(self._key, key_type="aes256-gcm96", mount_point=at))
        return self.latest()

    def latest(self) -> int:
        found = self._ask(lambda transit, at: transit.read_key(self._key, mount_point=at))
        return int(found["data"]["latest_version"])

    def wrap(self, secrets: Sequence[bytes]) -> list[Wrapped]:
        wrapped: list[Wrapped] = []
        for some in _some(secrets):
            items = [{"plaintext": base64.b64encode(secret).decode()} for secret in some]
            wrapped += map(_wrapped, self._batch("encrypt_data", items))
        return wrapped

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes]:
        plain: list[bytes] = []
        for some in _some(wrapped):
            items = [{"ciphertext": one.content.decode()} for one in some]
            plain += [base64.b64decode(item["plaintext"]) for item in self._batch("decrypt_data", items)]
        return plain

    def rewrap(self, wrapped: Sequence[Wrapped]) -> list[Wrapped]:
        renewed: list[Wrapped] = []
        for some in _some(wrapped):
            items = [{"ciphertext": one.content.decode()} for one in some]
            renewed += map(_wrapped, self._batch("rewrap_data", items, ciphertext=None))
        return renewed

    def renew(self) -> int:
        self._ask(lambda transit, at: transit.rotate_key(self._key, mount_point=at))
        return self.latest()

    def forget_before(self, epoch: int) -> None:
        # Trimming needs both; hvac refuses the two in one call where they are equal, which Vault allows.
        for least in ("min_decryption_version", "min_encryption_version"):
            self._ask(
                lambda transit, at, least=least: transit.update_key_configuration(
                    self._key, **{least: epoch}, mount_point=at
                )
            )
        self._ask(lambda transit, at: transit.trim_key(self._key, epoch, mount_point=at))

    def _ask(self, request: Callable[..., Any]) -> dict[str, Any]:
        """*request* is made with the transit engine and where it is mounted."""
        return self._session.ask(self.name, lambda client: request(client.secrets.transit, self._mount))

    def _batch(self, what: str, items: list[dict[str, str]], **more: Any) -> list[dict[str, Any]]:
        """Vault answers 200 or 400 where single ones failed, each with its error."""
        answer = self._ask(
            lambda transit, at: getattr(transit, what)(self._key, batch_input=items, mount_point=at, **more)
        )
        results = answer["data"].get("batch_results", [])
        if len(results) != len(items) or any(item.get("error") for item in results):
            raise KeysUnavailable(
                f"{self._session.address}: {self.name}: some keys of the store were not accepted; "
                "expected keys that it wrapped itself",
                hint="The key store is older than the last `daftari keys epoch`, or of another environment.",
            )
        return list(results)


def read_secrets(access: VaultAccess, path: str, *, mount: str) -> dict[str, str]:
    """
    Return the secrets at *path* of the KV engine (version 2) mounted at *mount*.

    Raises:
        KeysUnavailable: Vault cannot be reached, or this token may not read them.
    """
    answer = VaultSession(access).ask(
        f"secrets {mount}/{path}",
        lambda client: client.secrets.kv.v2.read_secret_version(
            path, mount_point=mount, raise_on_deleted_version=True
        ),
    )
    return {str(name): str(value) for name, value in answer["data"]["data"].items()}


def _wrapped(item: dict[str, Any]) -> Wrapped:
    found = _CIPHERTEXT.fullmatch(item["ciphertext"])
    if found is None:
        raise KeysUnavailable("Vault: found another kind of answer; expected vault:v<version>:…")
    return Wrapped(epoch=int(found[1]), content=item["ciphertext"].encode())


def _some(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[at : at + _SOME] for at in range(0, len(items), _SOME))
