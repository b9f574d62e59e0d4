"""The sealed cells of rejected rows, as received: users who may see them can correct them in place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import polars as pl

from daftari.contract.model import Dataset
from daftari.errors import CannotOpen, KeyDestroyed
from daftari.protect.keys import DataKey, KeyOwner
from daftari.protect.seal import Algorithm, FieldKey, read_header

if TYPE_CHECKING:
    from daftari.io.keys import KeyStore

Cells = dict[str, str | None]


class SealedCells:
    """Seals and opens them, for one dataset. Without a key store nothing is kept."""

    def __init__(self, open_keys: Callable[[], KeyStore] | None, dataset: Dataset) -> None:
        self._open_keys = open_keys
        self._place = f"{dataset.name}._quarantined"
        # The person of a rejected row is not known: it uses the dataset's own key.
        self._owner = KeyOwner(scope=f"dataset:{dataset.name}")

    def seal(self, rejected: pl.DataFrame, run_id: int) -> pl.DataFrame:
        """
        Return rejected rows (as in `rules.REJECTED`) of a run with their cells sealed.

        Raises:
            KeysUnavailable: the store cannot be used.
        """
        if rejected.is_empty() or self._open_keys is None:
            return rejected.with_columns(cells=pl.lit(None, pl.Binary))
        key = self._key(self._open_keys().keys_for([self._owner])[self._owner])
        sealed = [
            None if cells is None else key.seal(cells, f"{run_id}:{line}")
            for line, cells in rejected.select("line", "cells").iter_rows()
        ]
        return rejected.with_columns(cells=pl.Series(sealed, dtype=pl.Binary))

    def open(self, sealed: Iterable[bytes | None]) -> list[Cells | None]:
        """
        Open sealed cells; None for cells that were not kept, or can no longer be opened.

        Raises:
            KeysUnavailable: the store cannot be used.
        """
        return [None if it is None else self._opened(bytes(it)) for it in sealed]

    def _opened(self, sealed: bytes) -> Cells | None:
        if self._open_keys is None:
            return None
        try:
            header = read_header(sealed, of=self._place)
            key = self._open_keys().key_version(header.key_id, header.version, of=self._place)
            found: Cells = json.loads(self._key(key).open(sealed))
        except (CannotOpen, KeyDestroyed):
            return None
        return found

    def _key(self, key: DataKey) -> FieldKey:
        return FieldKey(key, self._place, "", Algorithm.A256GCM)
