"""
Vault: its transit engine as the wrapping key, its KV engine (version 2) for secrets.

The wrapping key never leaves Vault. Its versions are the epochs: `rotate` makes one. Trimming earlier versions
destroys what unwrapped older copies of the key store.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import hvac
import hvac.exceptions
import requests

from daftari.errors import KeysUnavailable
from daftari.io.keys.wrapping import Wrapped
from daftari.settings import Settings


class _Elsewhere(requests.RequestException):
    """Vault redirected us to another address."""


_CIPHERTEXT = re.compile(r"vault:v(\d+):.+")
_TIMEOUT_SECONDS = 10
_WORDS: dict[type[Exception], tuple[str, str]] = {
    hvac.exceptions.Forbidden: (
        "it does not accept this token",
        "Renew DAFTARI_VAULT_TOKEN, or widen the token's policy.",
    ),
    hvac.exceptions.InvalidPath: ("it has no such path", "Make it, or correct the settings that name it."),
    hvac.exceptions.VaultDown: ("it is sealed, or not ready", "Unseal it, then run this again."),
    hvac.exceptions.RateLimitExceeded: (
        "it accepts no more requests at the moment",
        "Run this again later.",
    ),
    hvac.exceptions.InvalidRequest: (
        "it did not accept what it was sent",
        "The key store is older than the last `daftari keys epoch`, or of another environment.",
    ),
    _Elsewhere: (
        "it redirected us to another address; the token is not sent there",
        "Set DAFTARI_VAULT_ADDRESS to the active node.",
    ),
    requests.RequestException: ("it cannot be reached", "Check DAFTARI_VAULT_ADDRESS, and that it runs."),
}
_SOME = 250  #: items of one request


@dataclass(frozen=True, kw_only=True)
class VaultAccess:
    """Vault's address, and our credentials."""

    address: str
    token: str = field(repr=False)
    namespace: str | None = None
    ca_file: str | None = None

    def client(self) -> hvac.Client:
        # hvac reads values that are not given from the environment.
        return hvac.Client(
            url=self.address,
            token=self.token,
            namespace=self.namespace or "",
            verify=self.ca_file or True,
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )


def vault_access(settings: Settings) -> VaultAccess:
    assert settings.vault_address and settings.vault_token, "settings that name Vault have both"
    return VaultAccess(
        address=settings.vault_address,
        token=settings.vault_token.get_secret_value(),
        namespace=settings.vault_namespace,
        ca_file=str(settings.root / settings.vault_ca_file) if settings.vault_ca_file else None,
    )


class VaultWrapping:
    """The key *key* of the transit engine mounted at *mount*."""

    def __init__(self, access: VaultAccess, *, key: str, mount: str = "transit") -> None:
        self._access = access
        self._key = key
        self._mount = mount
        self._transit = access.client().secrets.transit

    def __repr__(self) -> str:
        return f"VaultWrapping({self._mount}/{self._key} at {self._access.address})"

    @property
    def name(self) -> str:
        return f"vault {self._mount}/{self._key}"

    def begin(self) -> int:
        with self._explained():
            _require_here(
                self._transit.create_key(self._key, key_type="aes256-gcm96", mount_point=self._mount)
            )
        return self.latest()

    def latest(self) -> int:
        with self._explained():
            found = _data(self._transit.read_key(self._key, mount_point=self._mount))
        return int(found["latest_version"])

    def wrap(self, secrets: Sequence[bytes]) -> list[Wrapped]:
        wrapped: list[Wrapped] = []
        for some in _some(secrets):
            items = [{"plaintext": base64.b64encode(secret).decode()} for secret in some]
            with self._explained():
                answer = _data(
                    self._transit.encrypt_data(self._key, batch_input=items, mount_point=self._mount)
                )
            wrapped += [_wrapped(item) for item in self._results(answer, len(items))]
        return wrapped

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes]:
        plain: list[bytes] = []
        for some in _some(wrapped):
            items = [{"ciphertext": one.content.decode()} for one in some]
            with self._explained():
                answer = _data(
                    self._transit.decrypt_data(self._key, batch_input=items, mount_point=self._mount)
                )
            plain += [base64.b64decode(item["plaintext"]) for item in self._results(answer, len(items))]
        return plain

    def rewrap(self, wrapped: Sequence[Wrapped]) -> list[Wrapped]:
        renewed: list[Wrapped] = []
        for some in _some(wrapped):
            items = [{"ciphertext": one.content.decode()} for one in some]
            with self._explained():
                answer = _data(
                    self._transit.rewrap_data(
                        self._key, ciphertext=None, batch_input=items, mount_point=self._mount
                    )
                )
            renewed += [_wrapped(item) for item in self._results(answer, len(items))]
        return renewed

    def renew(self) -> int:
        with self._explained():
            _require_here(self._transit.rotate_key(self._key, mount_point=self._mount))
        return self.latest()

    def forget_before(self, epoch: int) -> None:
        with self._explained():
            # Trimming needs both; hvac refuses the two in one call where they are equal, which Vault allows.
            for least in ("min_decryption_version", "min_encryption_version"):
                _require_here(
                    self._transit.update_key_configuration(
                        self._key, **{least: epoch}, mount_point=self._mount
                    )
                )
            _require_here(self._transit.trim_key(self._key, epoch, mount_point=self._mount))

    def _results(self, answer: dict[str, Any], expected: int) -> list[dict[str, Any]]:
        """The items of a batch. Vault answers 200 or 400 where single ones failed, each with its error."""
        results = answer.get("batch_results", [])
        if len(results) != expected or any(item.get("error") for item in results):
            raise self._refused(
                "some keys of the store were not accepted; expected keys that it wrapped itself"
            )
        return list(results)

    def _refused(self, what: str, *, hint: str | None = None) -> KeysUnavailable:
        return KeysUnavailable(
            f"{self._access.address}: {self.name}: {what}",
            hint=hint
            or "The key store is older than the last `daftari keys epoch`, or of another environment.",
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        with vault_errors_explained(self._access, self.name):
            yield


def read_secrets(access: VaultAccess, path: str, *, mount: str) -> dict[str, str]:
    """
    Return the secrets at *path* of the KV engine (version 2) mounted at *mount*.

    Raises:
        KeysUnavailable: Vault cannot be reached, or this token may not read them.
    """
    with vault_errors_explained(access, f"secrets {mount}/{path}"):
        answer = _data(
            access.client().secrets.kv.v2.read_secret_version(
                path, mount_point=mount, raise_on_deleted_version=True
            )
        )
    return {str(name): str(value) for name, value in answer["data"].items()}


@contextmanager
def vault_errors_explained(access: VaultAccess, what: str) -> Iterator[None]:
    """
    Explain why Vault failed. Its own text is left out: it may hold what was sent.

    Raises:
        KeysUnavailable: always.
    """
    try:
        yield
    except (hvac.exceptions.VaultError, requests.RequestException, KeyError, ValueError) as error:
        said, hint = next(
            (words for kind, words in _WORDS.items() if isinstance(error, kind)),
            (f"it failed ({type(error).__name__})", "Look at Vault's own log."),
        )
    else:
        return
    raise KeysUnavailable(f"{access.address}: {what}: {said}; expected success", hint=hint) from None


def _wrapped(item: dict[str, Any]) -> Wrapped:
    found = _CIPHERTEXT.fullmatch(item["ciphertext"])
    if found is None:
        raise KeysUnavailable("Vault: found another kind of answer; expected vault:v<version>:…")
    return Wrapped(epoch=int(found[1]), content=item["ciphertext"].encode())


def _data(answer: Any) -> dict[str, Any]:
    """
    Return Vault's answer. A batch of which single items failed has status 400, and is returned as a response.

    Raises:
        _Elsewhere: it redirected us to another address, where the token is not sent.
        ValueError: it is not JSON.
    """
    _require_here(answer)
    return dict((answer.json() if isinstance(answer, requests.Response) else answer)["data"])


def _require_here(answer: Any) -> None:
    """Raises _Elsewhere: a standby node redirects, and has done nothing."""
    if isinstance(answer, requests.Response) and answer.is_redirect:
        raise _Elsewhere


def _some(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[at : at + _SOME] for at in range(0, len(items), _SOME))
