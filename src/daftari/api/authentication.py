"""Who calls: by the bearer token of the request."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from daftari.api.service import Service, now
from daftari.errors import NotAuthenticated
from daftari.io import tokens
from daftari.io.callers import Caller

#: For how long a revoked token may still be known to a server.
_REMEMBERED_SECONDS = 5
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class _Known:
    caller: Caller
    until: float


class Callers:
    """The callers that were met lately, by the digests of their tokens."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[bytes, _Known] = {}
        self._lock = threading.Lock()

    async def of(self, request: Request) -> Caller:
        """
        Return who makes *request*.

        Raises:
            NotAuthenticated: nobody that is known.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.startswith(tokens.PREFIX):
            raise NotAuthenticated
        digest = tokens.digest(token)
        known = self._known.get(digest)
        if known is None or known.until < time.monotonic():
            caller = await run_in_threadpool(self._ask, token)
            self._remember(digest, caller)
        else:
            caller = known.caller
        request.state.caller = caller.name
        return caller

    def _ask(self, token: str) -> Caller:
        with self._service.connection() as conn:
            return tokens.caller_of(conn, token, now())

    def _remember(self, digest: bytes, caller: Caller) -> None:
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[digest] = _Known(caller, time.monotonic() + _REMEMBERED_SECONDS)
