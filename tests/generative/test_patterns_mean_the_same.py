"""Whatever pattern the contract reader lets through, PostgreSQL and polars take for the same set of texts."""

from __future__ import annotations

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daftari.contract.governable.patterns import UnportablePattern, portable

#: What patterns are made of: plain, escaped, and what the engines are known to quarrel about.
ATOMS = [
    *"aB9 _-.é٣\n\r",
    *[
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        r"\s",
        r"\S",
        r"\.",
        r"\-",
        r"\/",
        r"\n",
        r"\t",
        r"\u0661",
        r"\b",
        r"\x41",
        r"\p{L}",
    ],
    *[
        "[a-z]",
        "[^a]",
        r"[\d_-]",
        r"[^\s]",
        "[a-z&&b]",
        "[[:alpha:]]",
        "[]a]",
        "[-a]",
        "[a-]",
        r"[\]\[]",
        "[é-ü]",
        "[.]",
    ],
    *[
        "^",
        "$",
        "(?:",
        "(",
        ")",
        "(?i)",
        "(?=",
        "|",
        "*",
        "+",
        "?",
        "{2}",
        "{0,3}",
        "{2,}",
        "{,2}",
        "{",
        "}",
        "]",
        "#",
    ],
]
PATTERNS = st.lists(st.sampled_from(ATOMS), max_size=8).map("".join)
TEXTS = st.lists(
    st.text(st.sampled_from([*"aAbB09 _-./\\#]é٣١ü\n\r\t{}", "\u00a0", "K"]), max_size=6),
    min_size=1,
    max_size=20,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=PATTERNS, texts=TEXTS)
def test_a_pattern_that_is_let_through_matches_the_same_in_both(db, pattern, texts):
    try:
        anchored = f"^(?:{portable(pattern)})$"
    except UnportablePattern:
        return
    query = "select array_agg(t ~ %s order by n) from unnest(%s::text[]) with ordinality as of (t, n)"
    [in_postgresql] = db.execute(query, [anchored, texts]).fetchone()
    assert pl.Series(texts).str.contains(anchored).to_list() == in_postgresql
