"""Seals and opens the rows of one dataset, and fetches the keys as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import polars as pl

from daftari.contract.model import Dataset
from daftari.errors import KeysUnavailable
from daftari.protect.blind_index import BlindIndex
from daftari.protect.keys import DataKey, index_owner, owner_of
from daftari.protect.sealed_columns import Keys, open_rows, seal_rows, sealed_fields, subjects, used_keys

if TYPE_CHECKING:
    from daftari.io.keys import KeyStore


class Sealer:
    """For one load, in one thread at a time. A dataset without sealed fields needs no key store."""

    def __init__(self, open_keys: Callable[[], KeyStore] | None, dataset: Dataset) -> None:
        self._dataset = dataset
        self._is_needed = bool(sealed_fields(dataset))
        if self._is_needed and open_keys is None:
            raise KeysUnavailable(
                f"{dataset.name}: has sealed fields, and no key store was given; expected one",
                hint="Open the workspace with its settings.",
            )
        self._store = open_keys() if self._is_needed and open_keys is not None else None
        self._known: dict[str, DataKey] = {}
        self._keys: Keys | None = None

    def seal(self, rows: pl.DataFrame) -> pl.DataFrame:
        """
        Return *rows* with sealed fields sealed, and blind indexes after all other columns.

        Every key is in the store when this returns.

        Raises:
            KeysUnavailable: the store cannot be used.
        """
        if self._store is None or not any(it.name in rows.columns for it in sealed_fields(self._dataset)):
            return rows
        people = subjects(rows, self._dataset).unique().to_list()
        self._fetch(person for person in people if person not in self._known)
        if self._keys is None:
            self._keys = Keys(of=self._known, indexes=self._blind_indexes(self._store))
        return seal_rows(rows, self._dataset, self._keys)

    def open(self, rows: pl.DataFrame) -> pl.DataFrame:
        """
        Return *rows*, as they are in the database, with sealed fields as text.

        Raises:
            CannotOpen: a value cannot be opened.
            KeyDestroyed: the person of a value was erased.
            KeysUnavailable: the store cannot be used.
        """
        if not self._is_needed or self._store is None:
            return rows
        used = used_keys(rows, self._dataset)
        known = self._store.key_versions(used, of=self._dataset.name)
        for key_id, version in used - set(known):
            self._store.key_version(key_id, version, of=self._dataset.name)
        return open_rows(rows, self._dataset, known)

    def destroyed(self, rows: pl.DataFrame) -> set[bytes]:
        """
        Return the ids of destroyed keys that values of *rows* were sealed under.

        Raises:
            CannotOpen: the store does not know a key.
        """
        if not self._is_needed or self._store is None:
            return set()
        used = used_keys(rows, self._dataset)
        return {key_id for key_id, _ in used - set(self._store.key_versions(used, of=self._dataset.name))}

    def is_rotating(self) -> bool:
        return self._is_needed and self._store is not None and self._store.state().is_rotating

    def _fetch(self, people: Iterable[str]) -> None:
        assert self._store is not None, "asked when sealing"
        owners = {owner_of(self._dataset, person): person for person in people}
        found = self._store.keys_for(owners)
        self._known.update((person, found[owner]) for owner, person in owners.items())

    def _blind_indexes(self, store: KeyStore) -> dict[str, BlindIndex]:
        owners = {
            index_owner(self._dataset, field.name): field.name
            for field in sealed_fields(self._dataset)
            if field.index_column
        }
        # One version forever: entries must stay comparable.
        found = store.keys_for(owners, version=1)
        return {name: BlindIndex(found[owner].secret) for owner, name in owners.items()}
