"""A256CBC-HS512, the authenticated encryption of RFC 7518, section 5.2.5. pgcrypto can compute it too."""

from __future__ import annotations

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from daftari.protect.mac import Mac

KEY_BYTES = 64
TAG_BYTES = 32
_BLOCK_BYTES = 16


class A256CBCHS512:
    """
    Encrypts and decrypts under one key, with the interface of `cryptography`'s AEADs. Not thread-safe.

    Creating OpenSSL's cipher takes fifteen times as long as encrypting a short text, so one cipher serves all
    messages. CBC XORs each block with the previous one; each message restarts the chain by XORing its first block
    with the last block of the previous message and with its own IV.
    """

    __slots__ = ("_decryptor", "_encryptor", "_key", "_last_in", "_last_out", "_mac")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"expected a key of {KEY_BYTES} bytes")
        self._mac = Mac(key[:32], "sha512")
        self._key = algorithms.AES256(key[32:])
        self._encryptor: CipherContext | None = None
        self._decryptor: CipherContext | None = None
        self._last_out = self._last_in = 0

    def __repr__(self) -> str:
        return "A256CBCHS512(***)"

    def encrypt(self, iv: bytes, data: bytes, associated: bytes) -> bytes:
        """Return the ciphertext of *data* and its tag."""
        if self._encryptor is None:
            self._encryptor = Cipher(self._key, modes.CBC(bytes(_BLOCK_BYTES))).encryptor()
        missing = _BLOCK_BYTES - len(data) % _BLOCK_BYTES
        text = self._encryptor.update(_first_block(data + bytes([missing]) * missing, iv, self._last_out))
        self._last_out = int.from_bytes(text[-_BLOCK_BYTES:])
        return text + self._tag(iv, text, associated)

    def decrypt(self, iv: bytes, data: bytes, associated: bytes) -> bytes:
        """
        Return the plain text of *data*, a ciphertext with its tag.

        Raises:
            InvalidTag: it was not encrypted with this key, IV and associated data.
        """
        text, tag = data[:-TAG_BYTES], data[-TAG_BYTES:]
        is_whole = bool(text) and len(text) % _BLOCK_BYTES == 0
        if not hmac.compare_digest(tag, self._tag(iv, text, associated)) or not is_whole:
            raise InvalidTag
        if self._decryptor is None:
            self._decryptor = Cipher(self._key, modes.CBC(bytes(_BLOCK_BYTES))).decryptor()
        padded = _first_block(self._decryptor.update(text), iv, self._last_in)
        self._last_in = int.from_bytes(text[-_BLOCK_BYTES:])
        return padded[: -padded[-1]]

    def _tag(self, iv: bytes, text: bytes, associated: bytes) -> bytes:
        bits = (8 * len(associated)).to_bytes(8, "big")
        return self._mac.digest(associated + iv + text + bits)[:TAG_BYTES]


def _first_block(data: bytes, iv: bytes, last: int) -> bytes:
    first = int.from_bytes(data[:_BLOCK_BYTES]) ^ int.from_bytes(iv) ^ last
    return first.to_bytes(_BLOCK_BYTES) + data[_BLOCK_BYTES:]
