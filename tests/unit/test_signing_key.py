import stat

import pytest

from daftari.errors import SigningKeyError
from daftari.io.audit import signing_key


def test_a_key_is_for_its_owner_alone_and_its_public_half_belongs_to_it(tmp_path):
    private = tmp_path / "audit" / "key.pem"
    public = signing_key.generate_signing_key(private)
    assert (stat.S_IMODE(private.stat().st_mode), public.name) == (0o600, "key.pub.pem")
    signed = signing_key.read_signing_key(private).sign(b"x")
    signing_key.read_public_key(public).verify(signed, b"x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path, mode):
    private = tmp_path / "key.pem"
    signing_key.generate_signing_key(private)
    private.chmod(mode)
    with pytest.raises(SigningKeyError, match=f"mode {mode:04o}; expected 0600"):
        signing_key.read_signing_key(private)


def test_a_key_is_never_replaced(tmp_path):
    private = tmp_path / "key.pem"
    signing_key.generate_signing_key(private)
    before = private.read_bytes()
    with pytest.raises(SigningKeyError, match="a key exists"):
        signing_key.generate_signing_key(private)
    assert private.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_and_not_quoted(tmp_path, content):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    for read in (signing_key.read_signing_key, signing_key.read_public_key):
        with pytest.raises(SigningKeyError, match="expected an Ed25519 key") as raised:
            read(path)
        assert "AAAA" not in str(raised.value)


def test_a_key_that_is_not_there_is_said_with_how_to_make_one(tmp_path):
    with pytest.raises(SigningKeyError, match="no such file") as raised:
        signing_key.read_signing_key(tmp_path / "key.pem")
    assert raised.value.hint == "`daftari audit keygen` makes one."
