"""What time makes necessary, while the server runs."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread

from daftari.api.service import Service, clock
from daftari.errors import DaftariError
from daftari.operations.schema.upkeep import CHECKPOINT_EVERY, keep_up


class Upkeep(Thread):
    """Keeps up when it starts, and then as often as a checkpoint is due. Several servers may do so at once."""

    def __init__(self, service: Service) -> None:
        super().__init__(name="upkeep", daemon=True)
        self._service = service
        self._ends = Event()

    def run(self) -> None:
        contracts = list(self._service.contracts.values())
        while True:
            with suppress(DaftariError), self._service.connection() as conn:
                keep_up(conn, self._service.settings, contracts, now=clock())
            if self._ends.wait(CHECKPOINT_EVERY.total_seconds()):
                return

    def stop(self) -> None:
        self._ends.set()
        self.join()
