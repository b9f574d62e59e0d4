from __future__ import annotations

import polars as pl
import pytest

from daftari.contract.governable.patterns import UnportablePattern, portable


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", ""),
        ("^[A-Z]{2}-[0-9]+$", "^[A-Z]{2}-[0-9]+$"),
        (r"\d{3}", "[0-9]{3}"),  # ECMA-262's digits, not Unicode's
        (r"\w+\s?", r"[A-Za-z0-9_]+[ \t\n\r\f\v]?"),
        (r"\D", "[^0-9]"),
        (r"[\d.-]", "[0-9.-]"),
        ("a.c", r"a[^\n\r]c"),
        (r"a\.c", r"a\.c"),
        ("(?:a|b)*?", "(?:a|b)*?"),
        ("(a)(b)?", "(a)(b)?"),
        (r"[^\]]", r"[^\]]"),
        (r"\u00e9é", r"\u00e9é"),
        ("a{0,255}", "a{0,255}"),
        ("a{3,}", "a{3,}"),
    ],
)
def test_a_common_pattern_is_spelt_out_and_stays_the_same_afterwards(pattern, expected):
    assert portable(pattern) == expected
    assert portable(expected) == expected
    assert pl.Series(["x"]).str.contains(expected).len() == 1  # the Rust engine takes it


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("(?=a)", "(?=a: a lookaround, a name or a flag"),
        ("(?i)a", "(?i): a lookaround, a name or a flag"),
        ("(?P<n>a)", "(?P<: a lookaround, a name or a flag"),
        (r"(a)\1", r"\1"),
        (r"\bword\b", r"\b"),  # a backspace to PostgreSQL
        (r"\p{L}", r"\p"),
        (r"\x41", r"\x"),  # PostgreSQL takes as many digits as there are
        (r"\u12", r"\u without four hexadecimal digits"),
        ("(a", "a group that is not closed"),
        ("a)", ") without an opening one"),
        ("*a", "* with nothing before it to repeat"),
        ("a|*", "* with nothing before it to repeat"),
        ("^*", "* with nothing before it to repeat"),
        ("a++", "+ with nothing before it to repeat"),
        ("a{2}{3}", "{ with nothing before it to repeat"),
        ("a{", "{ that does not begin a number of repetitions"),
        ("a{,3}", "{ that does not begin a number of repetitions"),
        ("a{256}", "{256}: more than 255, or the larger first"),
        ("a{3,2}", "{3,2}: more than 255, or the larger first"),
        ("a}", "} without a backslash before it"),
        ("a]", "] without a backslash before it"),
        ("[a", "an end in the middle of an expression"),
        ("a\\", "an end in the middle of an expression"),
        ("[]a]", "an empty set []"),
        ("[[:alpha:]]", "[ inside a set without a backslash before it"),
        ("[a-z&&b]", "&& inside a set"),
        ("[a--b]", "-- inside a set"),
        (r"[\D]", r"\D"),
    ],
)
def test_what_the_engines_read_differently_is_refused_by_name(pattern, found):
    with pytest.raises(UnportablePattern) as raised:
        portable(pattern)
    assert str(raised.value) == found
