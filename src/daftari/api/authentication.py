"""The caller of a request, by its bearer token: from `daftari token` or from an OpenID Connect issuer."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from daftari.api.rate_limits import RateLimits
from daftari.api.service import Service, clock
from daftari.contract.access.caller import Caller
from daftari.errors import NotAuthenticated
from daftari.operations.access.authenticate import authenticate, digest_of_token

#: How long a server may still accept a revoked token.
_REMEMBERED_SECONDS = 5
_MOST_REMEMBERED = 10_000
_BURST_SECONDS = 2


@dataclass(frozen=True)
class _Known:
    caller: Caller
    until: float


class Callers:
    """A cache of recent callers, by the digests of their tokens."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[bytes, _Known] = {}
        self._lock = threading.Lock()
        rate = service.settings.rate_limit_per_second
        self._limits = RateLimits(rate, max(1, rate * _BURST_SECONDS))
        self._verifier = service.verifier

    async def of(self, request: Request) -> Caller:
        """
        Return the caller of *request*.

        Raises:
            NotAuthenticated: the token is missing or not valid.
            TooManyRequests: by this caller, or with invalid tokens from this address.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = digest_of_token(token)
        known = self._known.get(key)
        if known is not None and known.until >= time.monotonic():
            caller = known.caller
        else:
            try:
                caller = await run_in_threadpool(self._ask, scheme, token)
            except NotAuthenticated:
                count_failure(self._service, request)
                raise
            self._remember(key, caller)
        request.state.caller = caller.name
        self._limits.take(caller.name)
        return caller

    def _ask(self, scheme: str, token: str) -> Caller:
        if scheme.lower() != "bearer":
            raise NotAuthenticated
        return authenticate(token, self._verifier, self._service.connection, now=clock())

    def _remember(self, key: bytes, caller: Caller) -> None:
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = _Known(caller, time.monotonic() + _REMEMBERED_SECONDS)


def count_failure(service: Service, request: Request) -> None:
    """Count an invalid token. Raise TooManyRequests if there are too many from one address."""
    if service.settings.rate_limit_per_second and request.client is not None:
        service.failures.take(request.client.host)
