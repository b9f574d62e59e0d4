"""
HTTP connections that end where the other side is too slow, or its head too large.

uvicorn waits for as long as a client keeps a connection open, and collects a head of any size.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: From the first byte of a request, or the connection, to the end of its head.
HEAD_SECONDS = 10.0
MOST_HEAD_BYTES = 64 * 2**10
#: A body must bring `LEAST_BODY_BYTES` in each span of so many seconds, unless we are the ones who read slowly.
BODY_SECONDS = 15.0
LEAST_BODY_BYTES = 15 * 2**10
#: How long a response may wait for its reader while the buffer is full.
WRITE_SECONDS = 20.0


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with an end to waiting."""

    _timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(HEAD_SECONDS, self._cut)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            if self._head_bytes > MOST_HEAD_BYTES:
                self._answer(b"431 Request Header Fields Too Large")
                return
            self._head_bytes += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._wait(HEAD_SECONDS, self._cut)

    def on_headers_complete(self) -> None:
        self._in_head, self._body_bytes = False, 0
        self._wait(BODY_SECONDS, self._require_body)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop()
        self._in_head, self._head_bytes = True, 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()

    def _require_body(self) -> None:
        if self._body_bytes < LEAST_BODY_BYTES and not self.flow.read_paused:
            self._cut()
            return
        self._body_bytes = 0
        self._wait(BODY_SECONDS, self._require_body)

    def _wait(self, seconds: float, then: object) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, then)  # type: ignore[arg-type]

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        self._answer(b"408 Request Timeout")

    def _answer(self, status: bytes) -> None:
        """Close the connection, with a status if no response has begun."""
        self._stop()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
        self.transport.close()
