"""Vault's address, how we log in to it, and requests to it whose failures are explained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions
import requests

from daftari.errors import KeysUnavailable
from daftari.settings import Settings

_TIMEOUT_SECONDS = 10


class _Elsewhere(requests.RequestException):
    """Vault redirected us to another address."""


_WORDS: dict[type[Exception], tuple[str, str]] = {
    hvac.exceptions.Forbidden: (
        "it does not accept this token",
        "Renew the token, or widen its policy: docs/vault.md has the one that is needed.",
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


@dataclass(frozen=True, kw_only=True)
class VaultToken:
    """A token that somebody else renews."""

    token: str = field(repr=False)
    name = "token"

    def log_in(self, _: hvac.Client) -> str:
        return self.token


@dataclass(frozen=True, kw_only=True)
class AppRole:
    """Vault's login for machines: the id of a role, and a secret that goes with it."""

    role_id: str
    secret_id: str = field(repr=False)
    mount: str = "approle"
    name = "AppRole"

    def log_in(self, client: hvac.Client) -> str:
        answer = client.auth.approle.login(
            self.role_id, self.secret_id, use_token=False, mount_point=self.mount
        )
        return _token_in(answer)


@dataclass(frozen=True, kw_only=True)
class KubernetesLogin:
    """Vault's login for pods, by the token of their service account, which Kubernetes renews in its file."""

    role: str
    token_file: Path
    mount: str = "kubernetes"
    name = "Kubernetes"

    def log_in(self, client: hvac.Client) -> str:
        try:
            account = self.token_file.read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise KeysUnavailable(
                f"{self.token_file}: cannot be read; expected the token of a service account",
                hint="In a pod, set automountServiceAccountToken, or DAFTARI_VAULT_KUBERNETES_TOKEN_FILE.",
            ) from error
        answer = client.auth.kubernetes.login(self.role, account, use_token=False, mount_point=self.mount)
        return _token_in(answer)


VaultLogin = VaultToken | AppRole | KubernetesLogin


@dataclass(frozen=True, kw_only=True)
class VaultAccess:
    """Vault's address, and how we log in."""

    address: str
    login: VaultLogin
    namespace: str | None = None
    ca_file: str | None = None


def vault_access(settings: Settings) -> VaultAccess:
    assert settings.vault_address, "settings that name Vault have its address"
    return VaultAccess(
        address=settings.vault_address,
        login=_login_of(settings),
        namespace=settings.vault_namespace,
        ca_file=str(settings.root / settings.vault_ca_file) if settings.vault_ca_file else None,
    )


def _login_of(settings: Settings) -> VaultLogin:
    mount = {"mount": settings.vault_auth_mount} if settings.vault_auth_mount else {}
    if settings.vault_kubernetes_role:
        token_file = settings.root / settings.vault_kubernetes_token_file
        return KubernetesLogin(role=settings.vault_kubernetes_role, token_file=token_file, **mount)
    if settings.vault_role_id and settings.vault_secret_id:
        secret = settings.vault_secret_id.get_secret_value()
        return AppRole(role_id=settings.vault_role_id, secret_id=secret, **mount)
    assert settings.vault_token, "settings that name Vault have one way to log in"
    return VaultToken(token=settings.vault_token.get_secret_value())


class VaultSession:
    """Logged in when the first request is made, and again when the token has expired."""

    def __init__(self, access: VaultAccess) -> None:
        self.address = access.address
        self._access = access
        self._client: hvac.Client | None = None

    def ask(self, what: str, request: Callable[[hvac.Client], Any]) -> dict[str, Any]:
        """
        Return Vault's answer to *request*; *what* names it in errors.

        A batch of which single items failed has status 400, and is an answer. `{}` if there is none.

        Raises:
            KeysUnavailable: Vault cannot be reached, or did not do it.
        """
        with self._explained(what):
            try:
                return _answer(request(self._logged_in()))
            except hvac.exceptions.Forbidden:
                if isinstance(self._access.login, VaultToken):
                    raise
            self._client = None
            return _answer(request(self._logged_in()))

    def _logged_in(self) -> hvac.Client:
        if self._client is None:
            # hvac reads values that are not given from the environment.
            client = hvac.Client(
                url=self._access.address,
                token="",
                namespace=self._access.namespace or "",
                verify=self._access.ca_file or True,
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            client.token = self._log_in(client)
            self._client = client
        return self._client

    def _log_in(self, client: hvac.Client) -> str:
        login = self._access.login
        try:
            return login.log_in(client)
        except (hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest):
            raise KeysUnavailable(
                f"{self.address}: login by {login.name}: it is not accepted; expected a role that may log in",
                hint="Check the role and its secret in the settings, and DAFTARI_VAULT_AUTH_MOUNT.",
            ) from None

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Vault's own text is left out of errors: it may hold what was sent."""
        try:
            yield
        except (hvac.exceptions.VaultError, requests.RequestException, KeyError, ValueError) as error:
            said, hint = next(
                (words for kind, words in _WORDS.items() if isinstance(error, kind)),
                (f"it failed ({type(error).__name__})", "Look at Vault's own log."),
            )
        else:
            return
        raise KeysUnavailable(f"{self.address}: {what}: {said}; expected success", hint=hint) from None


def _token_in(answer: Any) -> str:
    return str(_answer(answer)["auth"]["client_token"])


def _answer(answer: Any) -> dict[str, Any]:
    """
    Raises:
        _Elsewhere: a standby node redirects, and has done nothing.
        ValueError: it is not JSON.
    """
    if not isinstance(answer, requests.Response):
        return dict(answer)
    if answer.is_redirect:
        raise _Elsewhere
    return dict(answer.json()) if answer.content else {}
