"""Around every request: its id, the limit of its body, response headers, a log line, metrics."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daftari import log
from daftari.api.problems import Problem, problem

MOST_BYTES = 16 * 2**20
#: The limit of an uploaded file, which is streamed to disk.
MOST_BYTES_OF_A_FILE = 4 * 2**30
_FILES = re.compile(r"/api/[^/]+/files|/load/[^/]+/file")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}

#: A request id must only be unique: a prefix of this process, then a number.
_PROCESS, _NUMBERS = uuid.uuid4().hex[:20], itertools.count()

REQUESTS = Counter("daftari_http_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "daftari_http_request_duration_seconds",
    "From the first byte to the last.",
    ["route"],
)


class TooLarge(Exception):
    """The body of a request is larger than it may be."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


class RequestMiddleware:
    """The outermost ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = _id_of(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500
        began = time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in message["headers"]}
                added = {**_HEADERS, "x-request-id": request_id}
                if scope["scheme"] == "https":
                    added["strict-transport-security"] = "max-age=31536000; includeSubDomains"
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in added.items()
                        if name.encode() not in own
                    ),
                ]
            await send(message)

        try:
            await self._limited(scope, receive, answer, headers)
        except Exception as error:
            # The response is already sent. The server outside would log the error's text, which may quote a row.
            log.get(request_id=request_id).error("fault", exc_info=error)
        finally:
            _note(scope, status, time.perf_counter() - began)

    async def _limited(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]) -> None:
        most = MOST_BYTES_OF_A_FILE if _FILES.fullmatch(scope["path"]) else MOST_BYTES
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > most:
            await too_large(most)(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise TooLarge(most)
            return message

        await self._app(scope, counted, send)


def too_large(most: int) -> Problem:
    detail = f"The body is larger than the limit of {most // 2**20:,} MiB."
    return problem(413, "too_large", detail, hint="Send it in several requests.")


def _id_of(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if _ID.fullmatch(given) else f"{_PROCESS}{next(_NUMBERS):012x}"


def _note(scope: Scope, status: int, seconds: float) -> None:
    state: dict[str, Any] = scope["state"]
    # The route and not the path: paths contain keys of rows.
    route = getattr(scope.get("route"), "path", "none")
    REQUESTS.labels(scope["method"], route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
    if route in ("/healthz", "/readyz", "/metrics") and status < 400:
        return
    log.get().info(
        "request",
        request_id=state["request_id"],
        method=scope["method"],
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        caller=state.get("caller"),
    )
