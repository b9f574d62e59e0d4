"""
Requests that write, gathered: those that come while others are being written are written together, in one statement.

A single post so costs a share of a run, of its audit and of its commit.
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
from daftari.operations.write.requests import MOST_RECORDS, RequestAnswer, WriteContext, WriteRequest
from daftari.operations.write.write_rows import write_rows
from daftari.rows.intake.records import cell

_MOMENT_SECONDS = 0.01
#: The most records of a request that is written with single ones.
_FEW = 100
_HOUR_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    dataset: str
    errand: RequestContext
    request: WriteRequest
    answer: asyncio.Future[RequestAnswer]

    @property
    def group(self) -> _Group:
        """Requests of one group may be written together: one table, one role, one person, one purpose."""
        kind = self.request.is_new, self.request.is_partial
        return self.dataset, replace(self.errand, request_id=""), kind


_Group = tuple[str, RequestContext, tuple[bool, bool]]
_Queue = queue.SimpleQueue[_Waiting | None]


class WriteQueue:
    """
    Two threads that write what is handed to them: requests of a few records, and larger ones.

    So nobody's single record waits for somebody's ten thousand. More threads would wait for one another's rows.
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

    async def write(self, dataset: str, errand: RequestContext, request: WriteRequest) -> RequestAnswer:
        answer: asyncio.Future[RequestAnswer] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(dataset=dataset, errand=errand, request=request, answer=answer)
        (self._few if len(request.records) <= _FEW else self._many).put(waiting)
        return await answer

    def close(self) -> None:
        """Write what waits, and end."""
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
        except Exception as error:  # whatever it is, somebody waits to be told
            if len(group) == 1:
                _tell(group, [error])
                return
            for one in group:  # it may be for one of them: each is written for itself
                self._write([one])
            return
        _tell(group, found)

    def _answers(self, group: list[_Waiting]) -> list[RequestAnswer | Exception]:
        service, first = self._service, group[0]
        desk = WriteContext(
            contract=service.contracts[first.dataset],
            context=first.errand,
            roles=service.roles,
            known=service.datasets,
            open_keys=lambda: service.keys,
        )
        with service.connection() as conn:
            return write_rows(conn, desk, [one.request for one in group], now=clock())


def _tell(group: list[_Waiting], found: Sequence[RequestAnswer | Exception]) -> None:
    """Give each its answer: all at once, as every call to where they wait takes its time."""

    def tell() -> None:
        for one, answer in zip(group, found, strict=True):
            if one.answer.done():  # whoever asked is gone
                continue
            if isinstance(answer, Exception):
                one.answer.set_exception(answer)
            else:
                one.answer.set_result(answer)

    with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
        group[0].answer.get_loop().call_soon_threadsafe(tell)


def _gathered(line: _Queue, expected: int) -> list[_Waiting | None]:
    """
    Return what waits, and what comes within a moment until it is as many as before: who was just answered asks again.

    A request that comes alone waits for nobody. None, which ends the line, is the last where it is found.
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
    Cut a group so that no part has more records than a request may have, and no two requests of one are about one row.

    The later of two such begins from what the earlier has left, and each is told the truth of its own.
    """
    if group[0].request.is_partial:
        return [[one] for one in group]
    parts: list[list[_Waiting]] = []
    size, taken = 0, set[tuple[str | None, ...]]()
    for one in group:
        records = one.request.records
        keys = {tuple(cell(it.get(name)) for name in key) for it in records if it is not None}
        if not parts or size + len(records) > MOST_RECORDS or not taken.isdisjoint(keys):
            parts.append([])
            size, taken = 0, set()
        parts[-1].append(one)
        size += len(records)
        taken |= keys
    return parts
