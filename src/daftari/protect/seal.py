"""
The format of a sealed value: encrypted, bound to its field and person, naming its key and algorithm.

    byte 0        form, 1
    byte 1        algorithm: 1 A256GCM, 2 A256CBC-HS512
    bytes 2-9     key id
    bytes 10-11   version of that key
    then          nonce (12 or 16 bytes), ciphertext, tag (16 or 32 bytes)

Associated data: the first 12 bytes, `dataset.field`, a zero byte, the subject. docs/decisions/0008 explains why
the nonce is derived from the sealed value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from daftari.contract.model import Field
from daftari.errors import CannotOpen
from daftari.protect.cbc_hmac import A256CBCHS512
from daftari.protect.keys import KEY_ID_BYTES, DataKey
from daftari.protect.mac import Mac, expand

FORM = 1
HEADER_BYTES = 2 + KEY_ID_BYTES + 2


class Algorithm(IntEnum):
    A256GCM = 1
    A256CBC_HS512 = 2


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


#: bytes of key, nonce and tag
_SIZES = {Algorithm.A256GCM: (32, 12, 16), Algorithm.A256CBC_HS512: (64, 16, 32)}
_NONCE_KEY_BYTES = 32


def algorithm_of(field: Field) -> Algorithm:
    """Return A256GCM, except if SQL may open the field: pgcrypto has no AEAD, but the parts of A256CBC-HS512."""
    return Algorithm.A256CBC_HS512 if field.protection.revealable else Algorithm.A256GCM


@dataclass(frozen=True, kw_only=True)
class Header:
    algorithm: Algorithm
    key_id: bytes
    version: int


def read_header(sealed: bytes, *, of: str) -> Header:
    """
    Return the key and algorithm of a sealed value.

    Raises:
        CannotOpen: these are not the bytes of a sealed value; *of* is their field.
    """
    try:
        algorithm = Algorithm(sealed[1])
        _, nonce, tag = _SIZES[algorithm]
        if sealed[0] != FORM or len(sealed) < HEADER_BYTES + nonce + tag:
            raise ValueError
    except (ValueError, IndexError):
        raise CannotOpen(of) from None
    version = int.from_bytes(sealed[HEADER_BYTES - 2 : HEADER_BYTES], "big")
    return Header(algorithm=algorithm, key_id=bytes(sealed[2 : 2 + KEY_ID_BYTES]), version=version)


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldSecret:
    """The secrets derived from a data key for one field: they open its values, and no others of the person."""

    encryption: bytes
    nonce: bytes

    def __repr__(self) -> str:
        return "FieldSecret(***)"


def derive(key: DataKey, field: str, algorithm: Algorithm) -> FieldSecret:
    length, _, _ = _SIZES[algorithm]
    info = b"daftari field %d %s" % (algorithm, field.encode())
    derived = expand(key.secret, info, length + _NONCE_KEY_BYTES)
    return FieldSecret(encryption=derived[:length], nonce=derived[length:])


class FieldKey:
    """Seals and opens the values of one field (`dataset.field`) of one subject. Not thread-safe."""

    __slots__ = ("_aead", "_associated", "_field", "_header", "_nonce", "_nonce_bytes")

    def __init__(self, key: DataKey, field: str, subject: str, algorithm: Algorithm) -> None:
        secret = derive(key, field, algorithm)
        self._field = field
        self._header = bytes([FORM, algorithm]) + key.key_id + key.version.to_bytes(2, "big")
        self._associated = self._header + field.encode() + b"\0" + subject.encode()
        self._nonce = Mac(secret.nonce, prefix=self._associated + b"\0")
        self._nonce_bytes = _SIZES[algorithm][1]
        self._aead: _Aead = (
            AESGCM(secret.encryption) if algorithm is Algorithm.A256GCM else A256CBCHS512(secret.encryption)
        )

    def __repr__(self) -> str:
        return f"FieldKey({self._field}, ***)"

    def seal(self, value: str, row: str = "") -> bytes:
        """Seal *value*. Equal values give equal bytes only within one *row*, a text that names it in its dataset."""
        return self.seal_bytes(value.encode(), row.encode())

    def seal_bytes(self, plain: bytes, row: bytes) -> bytes:
        """As `seal`, with *value* and *row* in UTF-8."""
        nonce = self._nonce.digest(row + b"\0" + plain)[: self._nonce_bytes]
        return self._header + nonce + self._aead.encrypt(nonce, plain, self._associated)

    def open(self, sealed: bytes) -> str:
        """
        Open a value that was sealed under this key.

        Raises:
            CannotOpen: it was sealed for another field, subject or key, or is damaged.
        """
        start = HEADER_BYTES + self._nonce_bytes
        try:
            if sealed[:HEADER_BYTES] != self._header:
                raise InvalidTag
            return self._aead.decrypt(sealed[HEADER_BYTES:start], sealed[start:], self._associated).decode()
        except (InvalidTag, ValueError):
            raise CannotOpen(self._field) from None
