"""Rotate keys: give every person a new key, and re-encrypt their values in small transactions, while others work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from psycopg import Connection

from daftari.contract.model import Contract, Dataset
from daftari.io.keys import KeyStore, sealed_rows
from daftari.io.keys.sealer import Sealer
from daftari.protect.sealed_columns import sealed_fields

#: Rows per transaction: less than a second's work, so that nobody waits long for a row.
ROWS = 2_000


@dataclass(frozen=True, kw_only=True)
class Rotated:
    generation: int
    rows: int  #: with a re-encrypted value
    erased: int  #: destroyed keys: values under them stay unchanged, and nobody can open them


def rotate_keys(
    conn: Connection[Any],
    keys: KeyStore,
    contracts: Sequence[Contract],
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Rotated:
    """
    Re-encrypt all values of *contracts* under new versions of their keys. *conn* must be in autocommit mode.

    Old versions are kept for opening: backups and the audit hold values under them. Killed at any moment, every value
    still opens, and the next call continues.

    Raises:
        CannotOpen: a value is damaged, or the key store does not know its key.
        KeysUnavailable: the key store cannot be used.
    """
    datasets = [it.dataset for it in contracts if sealed_fields(it.dataset)]
    if dry_run:
        state = keys.state()
        generation = state.generation if state.is_rotating else state.generation + 1
        return Rotated(generation=generation, rows=_outdated(conn, datasets, generation), erased=0)
    generation = keys.begin_rotation()
    rows, erased = 0, 0
    for dataset in datasets:
        gone: set[bytes] = set()
        while (done := _reseal_some(conn, keys, dataset, generation, gone)) is not None:
            rows += done
            progress(done)
        erased += len(gone)
    keys.end_rotation()
    return Rotated(generation=generation, rows=rows, erased=erased)


def _outdated(conn: Connection[Any], datasets: Sequence[Dataset], generation: int) -> int:
    """At most this many values of one field are re-encrypted, over all datasets."""
    return sum(
        max(sealed_rows.counts(conn, it, field, version=generation)[1] for field in sealed_fields(it))
        for it in datasets
    )


def _reseal_some(
    conn: Connection[Any], keys: KeyStore, dataset: Dataset, generation: int, gone: set[bytes]
) -> int | None:
    """Re-encrypt some rows; return how many, or None when none is left. Adds destroyed keys to *gone*."""
    with conn.transaction():
        rows = sealed_rows.lock_outdated(conn, dataset, version=generation, gone=gone, limit=ROWS)
        if rows.is_empty():
            return None
        sealer = Sealer(lambda: keys, dataset)
        missing = sealer.destroyed(rows)
        gone |= missing
        is_open = ~_any_under(rows, dataset, missing)
        rows = rows.filter(is_open)
        if rows.is_empty():
            return 0
        sealed_rows.replace_sealed(conn, dataset, sealer.seal(sealer.open(rows)))
        return rows.height


def _any_under(rows: pl.DataFrame, dataset: Dataset, missing: set[bytes]) -> pl.Series:
    """Which rows hold a value under one of the *missing* keys; a person's values have one key."""
    return rows.select(
        pl.any_horizontal(
            pl.col(field.name).bin.slice(2, 8).is_in(list(missing)).fill_null(False)
            for field in sealed_fields(dataset)
        )
    ).to_series()
