"""
Batch write requests: requests that arrive while others are being written are then written together, in one statement.

They share one run, its audit and one commit, so that a single POST costs less.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from daftari.api.service import Service, clock
from daftari.contract.access.caller import RequestContext
from daftari.errors import DaftariError
from daftari.operations.write.forget_answers import forget_answers
from daftari.operations.write.write_requests import MOST_RECORDS, RequestAnswer, WriteContext, WriteRequest
from daftari.operations.write.write_rows import write_rows
from daftari.rows.intake.records import NotARecord, cell

_MOMENT_SECONDS = 0.01
#: Requests with at most so many records share a batch; larger ones have their own thread.
_FEW = 100
_HOUR_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    dataset: str
    context: RequestContext
    request: WriteRequest
    answer: asyncio.Future[RequestAnswer]

    @property
    def group(self) -> _Group:
        """The requests of one group may be written together: same table, role, person and purpose."""
        kind = self.request.is_new, self.request.is_partial
        return self.dataset, replace(self.context, request_id=""), kind


_Group = tuple[str, RequestContext, tuple[bool, bool]]
_Queue = queue.SimpleQueue[_Waiting | None]


class WriteQueue:
    """
    Two threads that write: one for requests of a few records, one for larger requests.

    A single record therefore does not wait for ten thousand others. More threads would wait for each other's row locks.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._few, self._many = _Queue(), _Queue()
        self._threads = [
            threading.Thread(target=self._run, args=[line], name="writer", daemon=True)
            for line in (self._few, self._many)
        ]
        for thread in self._threads:
            thread.start()

    async def write(self, dataset: str, context: RequestContext, request: WriteRequest) -> RequestAnswer:
        answer: asyncio.Future[RequestAnswer] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(dataset=dataset, context=context, request=request, answer=answer)
        (self._few if len(request.records) <= _FEW else self._many).put(waiting)
        return await answer

    def close(self) -> None:
        """Write the waiting requests, then stop."""
        for line in (self._few, self._many):
            line.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self, line: _Queue) -> None:
        expected, forget_at = 1, 0.0
        while (found := _gathered(line, expected if line is self._few else 1))[-1] is not None:
            expected = len(found)
            self._write_all(found)
            if line is self._few and time.monotonic() >= forget_at:
                forget_at = time.monotonic() + _HOUR_SECONDS
                self._forget()
        self._write_all(found)

    def _write_all(self, found: list[_Waiting | None]) -> None:
        groups: dict[_Group, list[_Waiting]] = {}
        for one in found:
            if one is not None:
                groups.setdefault(one.group, []).append(one)
        for group in groups.values():
            for part in _parts(group, self._service.datasets[group[0].dataset].key):
                self._write(part)

    def _forget(self) -> None:
        with suppress(DaftariError), self._service.connection() as conn:
            forget_answers(conn, now=clock())

    def _write(self, group: list[_Waiting]) -> None:
        try:
            found = self._answers(group)
        except Exception as error:  # whatever the error is, a caller waits for the answer
            if len(group) == 1:
                _deliver(group, [error])
                return
            for one in group:  # only one of them may have caused it: write each separately
                self._write([one])
            return
        _deliver(group, found)

    def _answers(self, group: list[_Waiting]) -> list[RequestAnswer | Exception]:
        service, first = self._service, group[0]
        write_context = WriteContext(
            contract=service.contracts[first.dataset],
            context=first.context,
            roles=service.roles,
            known=service.datasets,
            open_keys=lambda: service.keys,
        )
        with service.connection() as conn:
            return write_rows(conn, write_context, [one.request for one in group], now=clock())


def _deliver(group: list[_Waiting], found: Sequence[RequestAnswer | Exception]) -> None:
    """Give each request its answer, in one call: each call into the event loop takes time."""

    def deliver() -> None:
        for one, answer in zip(group, found, strict=True):
            if one.answer.done():  # the caller has disconnected
                continue
            if isinstance(answer, Exception):
                one.answer.set_exception(answer)
            else:
                one.answer.set_result(answer)

    with suppress(RuntimeError):  # the loop is closed, and no caller is waiting
        group[0].answer.get_loop().call_soon_threadsafe(deliver)


def _gathered(line: _Queue, expected: int) -> list[_Waiting | None]:
    """
    Return the waiting requests; wait a moment for as many as last time, since callers just answered often ask again.

    A single request does not wait. None, which ends the queue, is the last item if it is found.
    """
    found = [line.get()]
    until = time.monotonic() + _MOMENT_SECONDS
    while found[-1] is not None:
        left = until - time.monotonic() if len(found) < expected else 0
        try:
            found.append(line.get(timeout=left) if left > 0 else line.get_nowait())
        except queue.Empty:
            break
    return found


def _parts(group: list[_Waiting], key: Sequence[str]) -> list[list[_Waiting]]:
    """
    Split a group: no part exceeds the records of one request, and no two requests of a part concern the same row.

    The later request then starts from the result of the earlier one, and each gets its own correct answer.
    """
    if group[0].request.is_partial:
        return [[one] for one in group]
    parts: list[list[_Waiting]] = []
    size, taken = 0, set[tuple[str | None, ...]]()
    for one in group:
        records = one.request.records
        keys = {tuple(cell(it.get(name)) for name in key) for it in records if not isinstance(it, NotARecord)}
        if not parts or size + len(records) > MOST_RECORDS or not taken.isdisjoint(keys):
            parts.append([])
            size, taken = 0, set()
        parts[-1].append(one)
        size += len(records)
        taken |= keys
    return parts
