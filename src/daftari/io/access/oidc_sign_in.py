"""
Sign-in of a browser through an OpenID Connect issuer (Core 1.0, authorization code flow, with PKCE of RFC 7636).

`state`, `nonce` and the code verifier are derived from one secret that only the browser keeps. So the server stores
nothing for a sign-in that is never finished.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from daftari import log
from daftari.contract.access.caller import Caller
from daftari.errors import NotAuthenticated, SettingError
from daftari.io.access.oidc_tokens import Verifier, fetched
from daftari.settings import Settings, is_safe_address

_TIMEOUT_SECONDS = 5
_KEPT_SECONDS = 600
_ENDPOINTS = ("authorization_endpoint", "token_endpoint")
_WHERE = "DAFTARI_OIDC_ISSUER"


@dataclass(frozen=True, kw_only=True)
class Client:
    """The client that the issuer knows this control room as."""

    issuer: str
    client_id: str
    client_secret: str | None
    redirect_uri: str


def client_of(settings: Settings) -> Client:
    """Return the client that the settings name; None where people do not sign in through an issuer."""
    assert settings.oidc_client_id and settings.oidc_issuer and settings.public_url, "settings are whole"
    secret = settings.oidc_client_secret
    return Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        redirect_uri=f"{settings.public_url.rstrip('/')}/sign-in/issuer/back",
    )


def new_secret() -> str:
    return secrets.token_urlsafe(32)


class SignIn:
    """Sign-in through one issuer. Its endpoints are read from its well-known address and kept for ten minutes."""

    def __init__(self, client: Client, verifier: Verifier) -> None:
        self._client = client
        self._verifier = verifier
        self._endpoints: dict[str, str] = {}
        self._asked_at = float("-inf")
        self._lock = threading.Lock()

    @property
    def host(self) -> str:
        """The issuer's name for people."""
        return urlsplit(self._client.issuer).hostname or self._client.issuer

    def way_there(self, secret: str) -> str:
        """
        Return the issuer's address to which a browser that keeps *secret* is sent.

        Raises:
            SettingError: the issuer does not name that address.
        """
        address, _ = self._session().create_authorization_url(
            self._endpoint("authorization_endpoint"),
            state=_derived(secret, "state"),
            code_verifier=_derived(secret, "verifier"),
            nonce=_derived(secret, "nonce"),
        )
        return str(address)

    def caller_from(self, secret: str, query: str) -> Caller:
        """
        Return the caller who came back with *query* in a browser that kept *secret*.

        Raises:
            NotAuthenticated: the issuer refused, the sign-in began in another browser, or the token is not for us, not
                for this sign-in, or for no role of ours.
            SettingError: the issuer does not name its token endpoint.
        """
        said = {name: values[0] for name, values in parse_qs(query).items() if len(values) == 1}
        is_ours = hmac.compare_digest(said.get("state", "").encode(), _derived(secret, "state").encode())
        # RFC 9207: a response of another issuer.
        if not is_ours or "code" not in said or said.get("iss", self._client.issuer) != self._client.issuer:
            raise NotAuthenticated
        token = self._id_token(said["code"], _derived(secret, "verifier"))
        return self._verifier.person_of(
            token, client_id=self._client.client_id, nonce=_derived(secret, "nonce")
        )

    def _id_token(self, code: str, verifier: str) -> str:
        session = self._session()
        try:
            answer: dict[str, Any] = session.fetch_token(
                self._endpoint("token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=self._client.redirect_uri,
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except (AuthlibBaseError, requests.RequestException, ValueError) as error:
            log.get().warning("oidc_sign_in", problem=type(error).__name__)
            raise NotAuthenticated from None
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotAuthenticated
        return token

    def _session(self) -> OAuth2Session:
        session = OAuth2Session(
            self._client.client_id,
            self._client.client_secret,
            scope="openid",
            redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
        )
        session.trust_env = False
        return session

    def _endpoint(self, name: str) -> str:
        with self._lock:
            if time.monotonic() - self._asked_at > _KEPT_SECONDS:
                self._endpoints = _endpoints(self._client.issuer)
                self._asked_at = time.monotonic()
            return self._endpoints[name]


def _derived(secret: str, what: str) -> str:
    mac = hmac.digest(secret.encode(), f"daftari sign-in {what}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _endpoints(issuer: str) -> dict[str, str]:
    """The issuer's metadata (OpenID Connect Discovery 1.0, section 4); it must be about this issuer."""
    document = fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration", _WHERE)
    try:
        said = json.loads(document)
        found = {name: said[name] for name in _ENDPOINTS}
        is_its_own = said["issuer"] == issuer
    except (ValueError, KeyError, TypeError):
        raise SettingError(f"{_WHERE}: found no description of an issuer at its well-known address") from None
    if not is_its_own or not all(isinstance(it, str) and is_safe_address(it) for it in found.values()):
        raise SettingError(
            f"{_WHERE}: found another issuer, or endpoints without https; expected this issuer, and https"
        )
    return found
