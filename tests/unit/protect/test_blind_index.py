import pytest

from daftari.protect.blind_index import INDEX_BYTES, BlindIndex, normalised

KEY, OTHER = b"k" * 64, b"o" * 64


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("+254 712 345 678", "+254712345678"),
        ("a123456789s", "A123456789S"),
        (" 23456789\t", "23456789"),
        ("\uff12\uff13456789", "23456789"),  # full width
        ("Straße", "STRASSE"),
        ("Ng\u2019ang\u2019a", "NG\u2019ANG\u2019A"),
        ("e\u0301", "\u00c9"),  # composed and not
        ("a\u00a0b", "AB"),  # a space that does not break
    ],
)
def test_values_that_are_written_differently_are_found_as_one(one, another):
    assert BlindIndex(KEY).of(one) == BlindIndex(KEY).of(another)


@pytest.mark.parametrize(("one", "another"), [("12345678", "12345679"), ("", "0"), ("01-2", "012")])
def test_other_values_are_others(one, another):
    assert BlindIndex(KEY).of(one) != BlindIndex(KEY).of(another)


def test_normalising_twice_changes_nothing_more():
    for value in ("+254 712", "Straße", "İstanbul", "ﬁ", "ᾼ", "K"):
        assert normalised(normalised(value)) == normalised(value)


def test_the_indexes_of_two_fields_cannot_be_compared():
    assert BlindIndex(KEY).of("12345678") != BlindIndex(OTHER).of("12345678")


def test_an_index_is_hmac_sha256_cut_to_16_bytes():
    # python3 -c "import hmac; print(hmac.digest(b'k' * 64, b'12345678', 'sha256').hex())"
    assert BlindIndex(KEY).of("12345678").hex() == "39de2b4e76ed966d462c36aee0b59f6d"
    assert INDEX_BYTES == 16


def test_printing_an_index_shows_nothing_of_its_key():
    assert repr(BlindIndex(KEY)) == "BlindIndex(***)"
