"""
A blind index: equal values can be found and kept unique without opening them.

HMAC-SHA256 of the normalised value, under a key of its own for each field, so that the indexes of two fields
cannot be compared. 16 bytes are kept: for two different values among a billion to meet takes a chance below
one in 10^20, so that a unique constraint may stand on it, and an index entry stays short.
"""

from __future__ import annotations

import unicodedata

from daftari.protect.mac import Mac

INDEX_BYTES = 16


def normalised(value: str) -> str:
    """
    Return what is compared: without white space, in lower case, in Unicode's compatibility form.

    `+254 712 345 678` and `+254712345678` are one number; `a123456789s` and `A123456789S` one PIN.
    """
    if not value.isascii():
        value = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return "".join(value.split()).lower() if value.isascii() else "".join(value.split())


class BlindIndex:
    """The blind index of one field. *secret* is the key of that field alone."""

    __slots__ = ("_mac",)

    def __init__(self, secret: bytes) -> None:
        self._mac = Mac(secret)

    def __repr__(self) -> str:
        return "BlindIndex(***)"

    def of(self, value: str) -> bytes:
        return self.of_normalised(normalised(value).encode())

    def of_normalised(self, value: bytes) -> bytes:
        return self._mac.digest(value)[:INDEX_BYTES]
