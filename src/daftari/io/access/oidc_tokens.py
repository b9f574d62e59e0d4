"""Callers that an OpenID Connect issuer authenticates, by JSON Web Tokens (RFC 7519, checked as RFC 8725 asks)."""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import requests

from daftari import log
from daftari.contract.access.caller import Caller
from daftari.errors import DaftariError, NotAuthenticated, SettingError
from daftari.settings import Settings

_KEPT_SECONDS = 600
_ASKED_AGAIN_SECONDS = 60
_TIMEOUT_SECONDS = 5
_MOST_BYTES = 2**20
_LONGEST_TOKEN = 16_384


@dataclass(frozen=True, kw_only=True)
class Issuer:
    issuer: str
    audience: str
    jwks: str  #: a file or an address
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    role_claim: str = "daftari_role"
    user_claim: str = "sub"
    leeway_seconds: int = 30


def issuer_of(settings: Settings) -> Issuer | None:
    """Return the issuer that the settings name; None where they name none."""
    if not (settings.oidc_issuer and settings.oidc_audience and settings.oidc_jwks):
        return None
    return Issuer(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        jwks=settings.oidc_jwks,
        algorithms=tuple(settings.oidc_algorithms.split(",")),
        role_claim=settings.oidc_role_claim,
        user_claim=settings.oidc_user_claim,
        leeway_seconds=settings.oidc_leeway_seconds,
    )


class Verifier:
    """
    Authenticates callers by tokens of one issuer, for the *roles* that contracts name.

    Its keys are kept for ten minutes, and read again at most once a minute for a token with an unknown key. When the
    issuer cannot be reached, the known keys stay valid.
    """

    def __init__(self, issuer: Issuer, roles: Collection[str]) -> None:
        self._issuer = issuer
        self._roles = frozenset(roles)
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._asked_at = float("-inf")
        self._lock = threading.Lock()

    def caller_of(self, token: str) -> Caller:
        """
        Return the caller of *token*, as sent to the API.

        Raises:
            NotAuthenticated: it is not signed with a key of the issuer, not for us, not valid now, or for no role of
                ours.
        """
        return self._caller(self._claims(token, self._issuer.audience))

    def person_of(self, token: str, *, client_id: str, nonce: str) -> Caller:
        """
        Return the caller of an ID token from the sign-in that *nonce* began (OpenID Connect Core 1.0, 3.1.3.7).

        Raises:
            NotAuthenticated: as above, or it is from another sign-in.
        """
        claims = self._claims(token, client_id)
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise NotAuthenticated
        if claims.get("azp", client_id) != client_id:
            raise NotAuthenticated
        return self._caller(claims)

    def _claims(self, token: str, audience: str) -> dict[str, Any]:
        if len(token) > _LONGEST_TOKEN:
            raise NotAuthenticated
        issuer = self._issuer
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in issuer.algorithms or header.get("crit"):
                raise NotAuthenticated
        except (jwt.PyJWTError, TypeError, ValueError):
            raise NotAuthenticated from None
        key = self._key(header.get("kid"))
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=audience,
                issuer=issuer.issuer,
                leeway=issuer.leeway_seconds,
                options={"require": ["exp", "iss", "aud", issuer.user_claim]},
            )
        except (jwt.PyJWTError, TypeError, ValueError):
            raise NotAuthenticated from None
        return claims

    def _caller(self, claims: dict[str, Any]) -> Caller:
        issuer = self._issuer
        user = claims[issuer.user_claim]
        if not isinstance(user, str) or not user or not user.isprintable():
            raise NotAuthenticated
        return Caller(name=f"oidc {user}", role=self._role(claims.get(issuer.role_claim)), user_id=user)

    def _role(self, said: Any) -> str:
        named = {
            it for it in (said if isinstance(said, list) else [said]) if isinstance(it, str)
        } & self._roles
        if len(named) != 1:
            raise NotAuthenticated
        return named.pop()

    def _key(self, key_id: str | None) -> jwt.PyJWK:
        with self._lock:
            age = time.monotonic() - self._asked_at
            if age > _KEPT_SECONDS or (key_id not in self._keys and age > _ASKED_AGAIN_SECONDS):
                self._renew()
            if key_id is None and len(self._keys) == 1:
                return next(iter(self._keys.values()))
            if key_id not in self._keys:
                raise NotAuthenticated
            return self._keys[key_id]

    def _renew(self) -> None:
        self._asked_at = time.monotonic()
        try:
            self._keys = keys_of(_document(self._issuer.jwks))
        except DaftariError as error:  # known keys stay valid
            log.get().warning("oidc_keys", problem=str(error))


def keys_of(document: bytes) -> dict[str | None, jwt.PyJWK]:
    """
    Return the signing keys of a JWK set (RFC 7517), by their ids.

    Raises:
        SettingError: it has none.
    """
    try:
        said = json.loads(document)["keys"]
        found = [jwt.PyJWK(it) for it in said if it.get("kty") != "oct" and it.get("use", "sig") == "sig"]
    except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError):
        raise SettingError("DAFTARI_OIDC_JWKS: found no JWK set; expected the keys of the issuer") from None
    if not found:
        raise SettingError("DAFTARI_OIDC_JWKS: found no signing key; expected the keys of the issuer")
    return {it.key_id: it for it in found}


def _document(place: str) -> bytes:
    if not place.startswith(("http://", "https://")):
        try:
            return Path(place).read_bytes()
        except OSError as error:
            raise SettingError(
                f"DAFTARI_OIDC_JWKS: {(error.strerror or '').lower()}; expected a file"
            ) from None
    return fetched(place, "DAFTARI_OIDC_JWKS")


def fetched(place: str, setting: str) -> bytes:
    """
    Return the content of an address of the issuer, up to a megabyte.

    Raises:
        SettingError: of *setting*: it cannot be read.
    """
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(place, timeout=_TIMEOUT_SECONDS, allow_redirects=False, stream=True)
            if answer.status_code != requests.codes.ok:
                raise SettingError(f"{setting}: answered {answer.status_code}; expected 200, and no redirect")
            return bytes(answer.raw.read(_MOST_BYTES, decode_content=True))
    except requests.RequestException as error:
        raise SettingError(f"{setting}: {type(error).__name__}; expected an answer from the issuer") from None
