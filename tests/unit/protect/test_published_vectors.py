"""The algorithms are the published ones: RFC 7518 B.3, NIST's test case 16 of GCM, RFC 4231 and RFC 5869."""

import hmac

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from tests.vectors import GCM_16, RFC_7518_B3

from daftari.protect.cbc_hmac import A256CBCHS512
from daftari.protect.mac import Mac, expand


def test_a256cbc_hs512_makes_and_opens_the_vector_of_rfc_7518():
    one, aead = RFC_7518_B3, A256CBCHS512(RFC_7518_B3.key)
    assert aead.encrypt(one.nonce, one.plain, one.associated) == one.cipher + one.tag
    assert aead.decrypt(one.nonce, one.cipher + one.tag, one.associated) == one.plain


def test_a256cbc_hs512_makes_the_vector_after_other_messages_too():
    one, aead = RFC_7518_B3, A256CBCHS512(RFC_7518_B3.key)
    for length in (0, 15, 16, 17, 40):
        sealed = aead.encrypt(bytes(16), b"m" * length, b"")
        assert aead.decrypt(bytes(16), sealed, b"") == b"m" * length
    assert aead.encrypt(one.nonce, one.plain, one.associated) == one.cipher + one.tag
    assert aead.decrypt(one.nonce, one.cipher + one.tag, one.associated) == one.plain


@pytest.mark.parametrize("changed", ["key", "nonce", "associated", "cipher", "tag"])
def test_a256cbc_hs512_refuses_whatever_differs_in_one_bit(changed):
    parts = vars(RFC_7518_B3) | {changed: _flipped(getattr(RFC_7518_B3, changed))}
    with pytest.raises(InvalidTag):
        A256CBCHS512(parts["key"]).decrypt(
            parts["nonce"], parts["cipher"] + parts["tag"], parts["associated"]
        )


def test_the_librarys_gcm_makes_nists_vector():
    sealed = AESGCM(GCM_16.key).encrypt(GCM_16.nonce, GCM_16.plain, GCM_16.associated)
    assert sealed == GCM_16.cipher + GCM_16.tag


@pytest.mark.parametrize(
    ("name", "key", "message", "digest"),
    [
        # RFC 4231, test case 2
        (
            "sha256",
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        # test case 6: a key longer than a block of SHA-256, and than one of SHA-512
        (
            "sha256",
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            "sha512",
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            (
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
            ),
        ),
    ],
)
def test_a_mac_is_hmac(name, key, message, digest):
    for at in (0, 7):  # part of the message as prefix
        mac = Mac(key, name, prefix=message[:at])
        assert [mac.digest(message[at:]).hex() for _ in range(2)] == [digest, digest]


def test_a_mac_agrees_with_the_librarys_for_every_length_of_key():
    for length in (0, 1, 63, 64, 65, 127, 128, 129):
        key = bytes(range(length))
        assert Mac(key, "sha512").digest(b"m") == hmac.digest(key, b"m", "sha512")


@pytest.mark.parametrize("length", [32, 64, 96, 128])
def test_expand_is_that_of_hkdf(length):
    secret = bytes(range(64))
    assert expand(secret, b"info", length) == HKDFExpand(SHA512(), length, b"info").derive(secret)


def _flipped(content):
    return bytes([content[0] ^ 1]) + content[1:]
