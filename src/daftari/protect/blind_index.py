"""
Blind indexes: find equal values and enforce uniqueness without opening sealed values.

HMAC-SHA256 of the normalised value, with a separate key for each field, so that the indexes of two fields cannot be
compared. Truncated to 16 bytes: the chance of a collision among a billion values is below one in 10^20, so a unique
constraint can use it, and an index entry stays short.
"""

from __future__ import annotations

import unicodedata

from daftari.protect.mac import Mac

INDEX_BYTES = 16


def normalised(value: str) -> str:
    """
    Return the form to compare: without white space, in lower case, in Unicode's compatibility form.

    `+254 712 345 678` and `+254712345678` are one number; `a123456789s` and `A123456789S` one PIN.
    """
    if not value.isascii():
        value = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return "".join(value.split()).lower() if value.isascii() else "".join(value.split())


class BlindIndex:
    """The blind index of one field. *secret* is the key of this field only."""

    __slots__ = ("_mac",)

    def __init__(self, secret: bytes) -> None:
        self._mac = Mac(secret)

    def __repr__(self) -> str:
        return "BlindIndex(***)"

    def of(self, value: str) -> bytes:
        return self.of_normalised(normalised(value).encode())

    def of_normalised(self, value: bytes) -> bytes:
        return self._mac.digest(value)[:INDEX_BYTES]
