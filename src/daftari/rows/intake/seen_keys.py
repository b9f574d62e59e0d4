"""
Which keys of a file have perhaps been met before in it, in memory that does not grow with the file.

A Bloom filter (B. H. Bloom, 1970) whose four bits for a key are in one word (after F. Putze et al., 2007): a key that
is new to it is surely new; one that is not has perhaps been met. At 10 million keys one new key in 900 is taken for a
known one, at 100 million one in three: it then goes the slower way, which is right for either.
"""

from __future__ import annotations

import numpy as np
import polars as pl

_WORDS = 2**22  # 32 MiB
Words = np.ndarray[tuple[int], np.dtype[np.uint64]]


class Seen:
    """Keys met so far."""

    def __init__(self) -> None:
        self._words: Words = np.zeros(_WORDS, dtype=np.uint64)

    def perhaps(self, keys: pl.DataFrame) -> pl.Series:
        """Return which rows of *keys* have perhaps been met in an earlier call, and remember them all."""
        hashes = (keys.hash_rows() if keys.width > 1 else keys.to_series().hash()).to_numpy()
        places, bits = hashes % _WORDS, _bits(hashes)
        met = self._holds(places, bits)
        while len(places):  # of several that write one word the last one stays: the others write again
            self._words[places] |= bits
            lost = ~self._holds(places, bits)
            places, bits = places[lost], bits[lost]
        return pl.Series(met)

    def _holds(self, places: Words, bits: Words) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        held: np.ndarray[tuple[int], np.dtype[np.bool_]] = (self._words[places] & bits) == bits
        return held


def _bits(hashes: Words) -> Words:
    """Four bits of a word for each of *hashes*, by its upper half: the lower one chose the word."""
    one, lowest = np.uint64(1), np.uint64(63)
    bits = one << (hashes >> np.uint64(58))
    for shift in (34, 42, 50):
        bits |= one << (hashes >> np.uint64(shift) & lowest)
    return bits
