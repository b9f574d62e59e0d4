"""
Which keys of a file have perhaps been met before in it, in memory that does not grow with the file.

A Bloom filter (B. H. Bloom, 1970) with two hashes: a key that is new to it is surely new; one that is not has
perhaps been met. At 10 million keys one new key in 200 is taken for a known one, at 100 million one in four: it
then goes the slower way, which is right for either.
"""

from __future__ import annotations

import numpy as np
import polars as pl

_BITS = 2**28  # 32 MiB
Places = np.ndarray[tuple[int], np.dtype[np.uint64]]


class Seen:
    """Keys met so far."""

    def __init__(self) -> None:
        self._bits = np.zeros(_BITS // 8, dtype=np.uint8)

    def perhaps(self, keys: pl.DataFrame) -> pl.Series:
        """Return which rows of *keys* have perhaps been met in an earlier call, and remember them all."""
        hashes = (keys.hash_rows() if keys.width > 1 else keys.to_series().hash()).to_numpy()
        first, second = hashes % _BITS, (hashes >> np.uint64(32)) % _BITS
        met = self._holds(first) & self._holds(second)
        self._add(first)
        self._add(second)
        return pl.Series(met)

    def _holds(self, places: Places) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        bits = self._bits[places >> np.uint64(3)] >> (places & np.uint64(7)).astype(np.uint8)
        held: np.ndarray[tuple[int], np.dtype[np.bool_]] = bits & 1 == 1
        return held

    def _add(self, places: Places) -> None:
        # One bit of the eight at a time: whichever of several writes to a byte comes last, it sets the same one.
        within = (places & np.uint64(7)).astype(np.uint8)
        for bit in range(8):
            self._bits[places[within == bit] >> np.uint64(3)] |= np.uint8(1 << bit)
