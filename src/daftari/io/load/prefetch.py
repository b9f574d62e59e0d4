"""Prefetch: items made in a separate thread before their consumer needs them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


def prefetch(items: Iterable[T], *, depth: int = 2) -> Iterator[T]:
    """
    Yield *items* in order while a thread makes the next ones, at most *depth* of them unclaimed.

    An error of the thread is raised here, after the items before it. When the consumer stops early, the thread stops
    after its current item.
    """
    line = _Line[T](queue.Queue(maxsize=depth))
    thread = threading.Thread(target=line.fill, args=(items,), name="prefetch", daemon=True)
    thread.start()
    try:
        yield from line.items()
    finally:
        line.stopped.set()
        thread.join()


class _End:
    """Mark the end, after the last item; with the error that ended them, if there was one."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


@dataclass(frozen=True)
class _Line(Generic[T]):
    made: queue.Queue[T | _End]
    stopped: threading.Event = field(default_factory=threading.Event)

    def fill(self, items: Iterable[T]) -> None:
        end = _End()
        try:
            for item in items:
                if not self._put(item):
                    return
        except BaseException as error:
            end = _End(error)
        self._put(end)

    def _put(self, item: T | _End) -> bool:
        """Wait for room; return whether the consumer still runs."""
        while not self.stopped.is_set():
            try:
                self.made.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def items(self) -> Iterator[T]:
        while not isinstance(item := self.made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
