"""
Which keys of a file may have occurred before in it, in constant memory.

A Bloom filter (B. H. Bloom, 1970) whose four bits for a key are in one word (after F. Putze et al., 2007): a "no" is
certain, a "yes" is not. At 10 million keys one new key in 900 gets a false "yes", at 100 million one in three: it
then takes the slower path, which is correct for both.
"""

from __future__ import annotations

import numpy as np
import polars as pl

_WORDS = 2**22  # 32 MiB
Words = np.ndarray[tuple[int], np.dtype[np.uint64]]


class Seen:
    """The keys so far."""

    def __init__(self) -> None:
        self._words: Words = np.zeros(_WORDS, dtype=np.uint64)

    def maybe_seen(self, keys: pl.DataFrame) -> pl.Series:
        """Return which rows of *keys* may have been in an earlier call, and remember them all."""
        hashes = (keys.hash_rows() if keys.width > 1 else keys.to_series().hash()).to_numpy()
        places, bits = hashes % _WORDS, _bits(hashes)
        met = self._holds(places, bits)
        while len(places):  # if several keys write one word, the last write wins: the others write again
            self._words[places] |= bits
            lost = ~self._holds(places, bits)
            places, bits = places[lost], bits[lost]
        return pl.Series(met)

    def _holds(self, places: Words, bits: Words) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        seen: np.ndarray[tuple[int], np.dtype[np.bool_]] = (self._words[places] & bits) == bits
        return seen


def _bits(hashes: Words) -> Words:
    """Return four bits of a word for each of *hashes*, from its upper half: the lower half chose the word."""
    one, lowest = np.uint64(1), np.uint64(63)
    bits = one << (hashes >> np.uint64(58))
    for shift in (34, 42, 50):
        bits |= one << (hashes >> np.uint64(shift) & lowest)
    return bits
