import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from daftari.contract.model import Field, LogicalType, Protection
from daftari.errors import CannotOpen
from daftari.protect.cbc_hmac import A256CBCHS512
from daftari.protect.keys import DataKey
from daftari.protect.seal import Algorithm, FieldKey, algorithm_of, derive, read_header

VALUE = "+254712345678"
GCM, CBC = Algorithm.A256GCM, Algorithm.A256CBC_HS512
EACH = pytest.mark.parametrize("algorithm", list(Algorithm))


def key(number=1, version=1):
    return DataKey(key_id=number.to_bytes(8, "big"), version=version, secret=bytes([number]) * 64)


def field_key(algorithm=GCM, *, of=None, field="users.phone", subject="U1"):
    return FieldKey(of or key(), field, subject, algorithm)


@EACH
@given(value=st.text(), row=st.text())
def test_what_was_sealed_opens_again(algorithm, value, row):
    one = field_key(algorithm)
    assert one.open(one.seal(value, row)) == value


@pytest.mark.parametrize(("algorithm", "aead", "nonce"), [(GCM, AESGCM, 12), (CBC, A256CBCHS512, 16)])
def test_a_sealed_value_is_laid_out_as_described(algorithm, aead, nonce):
    of = key(7, version=258)
    sealed = field_key(algorithm, of=of).seal(VALUE)
    header = bytes([1, algorithm, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2])
    assert sealed[:12] == header
    secret = derive(of, "users.phone", algorithm).encryption
    plain = aead(secret).decrypt(sealed[12 : 12 + nonce], sealed[12 + nonce :], header + b"users.phone\0U1")
    assert plain == VALUE.encode()


@EACH
def test_the_header_says_by_what_a_value_was_sealed(algorithm):
    header = read_header(field_key(algorithm, of=key(9, version=3)).seal(VALUE), of="users.phone")
    assert (header.algorithm, header.key_id, header.version) == (algorithm, key(9).key_id, 3)


@EACH
@pytest.mark.parametrize(
    "other",
    [
        {"field": "users.national_id"},
        {"subject": "U2"},
        {"subject": ""},
        {"of": key(2)},
        {"of": key(1, version=2)},
        # the same characters, parted elsewhere
        {"field": "users.phoneU", "subject": "1"},
    ],
    ids=str,
)
def test_it_opens_for_no_other_field_subject_or_key(algorithm, other):
    sealed = field_key(algorithm).seal(VALUE)
    with pytest.raises(CannotOpen) as caught:
        field_key(algorithm, **other).open(sealed)
    assert VALUE not in str(caught.value)


@EACH
def test_it_does_not_open_with_any_one_bit_flipped(algorithm):
    one = field_key(algorithm)
    sealed = one.seal(VALUE)
    for at in range(8 * len(sealed)):
        flipped = bytearray(sealed)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(CannotOpen):
            one.open(bytes(flipped))
    assert one.open(sealed) == VALUE


@EACH
def test_what_is_cut_off_is_no_sealed_value(algorithm):
    one = field_key(algorithm)
    sealed = one.seal("")
    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            one.open(sealed[:length])


@pytest.mark.parametrize(
    "content",
    [b"", b"\1", bytes(12), b"\2\1" + bytes(60), b"\1\3" + bytes(60), b"\1\1" + bytes(37)],
    ids=repr,
)
def test_bytes_of_another_form_have_no_header(content):
    with pytest.raises(CannotOpen):
        read_header(content, of="users.phone")


@EACH
def test_the_same_value_looks_the_same_in_its_own_row_alone(algorithm):
    one = field_key(algorithm)
    assert one.seal(VALUE, "R1") == field_key(algorithm).seal(VALUE, "R1")
    others = [
        one.seal(VALUE, "R2"),
        one.seal(VALUE + "9", "R1"),
        field_key(algorithm, subject="U2").seal(VALUE, "R1"),
        field_key(algorithm, field="users.other").seal(VALUE, "R1"),
        field_key(algorithm, of=key(2)).seal(VALUE, "R1"),
        field_key(algorithm, of=key(1, version=2)).seal(VALUE, "R1"),
    ]
    nonces = {sealed[12:24] for sealed in [one.seal(VALUE, "R1"), *others]}
    assert len(nonces) == 7


def test_a_key_of_one_field_is_not_that_of_another():
    secrets = [derive(key(), name, it) for name in ("users.phone", "users.kin") for it in Algorithm]
    assert len({part for secret in secrets for part in (secret.encryption, secret.nonce)}) == 8


@pytest.mark.parametrize(
    ("protection", "expected"),
    [(Protection(sealed=True), GCM), (Protection(sealed=True, revealable=True), CBC)],
)
def test_what_sql_may_reveal_is_sealed_so_that_pgcrypto_can_open_it(protection, expected):
    assert algorithm_of(Field(name="f", logical_type=LogicalType.STRING, protection=protection)) is expected


@pytest.mark.parametrize(
    "secret",
    [key(0x53), derive(key(0x53), "users.phone", GCM), field_key(of=key(0x53)), A256CBCHS512(b"S" * 64)],
    ids=lambda it: type(it).__name__,
)
def test_printing_a_key_shows_nothing_of_it(secret):
    told = f"{secret!r} {secret} {[secret]}"
    assert "SSS" not in told and "535353" not in told
    derived = derive(key(0x53), "users.phone", GCM)
    assert repr(derived.encryption) not in told and derived.encryption.hex() not in told
