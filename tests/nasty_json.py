"""JSON that spoils readers: a grammar of values, and of records and texts made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hypothesis import strategies as st

#: Values as they are sent. Each is JSON, or what careless programs take for it.
LITERALS = [
    "null",
    "true",
    "false",
    "NaN",
    "Infinity",
    "-Infinity",
    "0",
    "-0",
    "12.50",
    "1e2",
    "1E+2",
    "1e-400",
    "1e400",
    "1e1000000",
    "-1e999999999",
    "1e-999999999",
    "1e99999999999999999999",
    "0.0000000000000000000000000000000000000001",
    "9" * 40,
    "9" * 5000,
    "-" + "9" * 4301,
    "0." + "3" * 5000,
    "01",
    "+1",
    ".5",
    "1.",
    "undefined",
    "None",
    "0x10",
    "{}",
    "[]",
    '{"name": "Shop", "id": 7}',
    '["a", 1]',
    '{"a": 1, "a": 2}',
    '[{"a": NaN}]',
    '{"a": "\\ud83d"}',
    '{"\\ud83d": 1}',
    "[" * 50 + "]" * 50,
    "[" * 99 + "]" * 99,
    "[" * 100 + "]" * 100,
    "[" * 3000 + "]" * 3000,
    '{"a":' * 1500 + "1" + "}" * 1500,
    "[" + "0," * 3000 + "0]",
]
STRINGS = [
    "",
    " ",
    "Shop \\ud83d",
    "\\ude00x",
    "\\ud83d\\ude00",
    "\\ude00\\ud83d",
    "\\uD83D\\u0041",
    "a\\u0000b",
    "\\u0000",
    "x\\u200by",
    "\\ufeffx",
    "\\u200e",
    "\\u202ex",
    "\\u2028",
    "e\\u0301",
    "\\b\\f\\n\\r\\t",
    "\\/",
    "\\x41",
    "\\u12",
    "a\tb",
    "a\nb",
    'say "no"',
    "\\",
    "NaN",
    "1e5",
    "=1+1",
    "x" * 501,
    "ä" * 70_000,
    "\\n" * 40_000,
    "\ufffe",
    "\U0001f600",
]
TEXTS = st.sampled_from(STRINGS) | st.text(max_size=8).map(lambda text: json.dumps(text)[1:-1])
VALUES = st.one_of(
    st.sampled_from(LITERALS),
    TEXTS.map(lambda text: f'"{text}"'),
    st.integers(-(10**30), 10**30).map(str),
    st.recursive(
        st.sampled_from(LITERALS[:16]) | TEXTS.map(lambda text: f'"{text}"'),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]")
            | st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
                lambda parts: f"{{{','.join(f'{json.dumps(name)}:{one}' for name, one in parts.items())}}}"
            )
        ),
        max_leaves=6,
    ),
)


def record_text(good: Mapping[str, str]) -> st.SearchStrategy[str]:
    """The text of a record: *good* (values by field, as JSON) with a few fields changed, left out or repeated."""
    return st.lists(st.tuples(st.sampled_from(sorted(good)), VALUES | st.none()), max_size=3).flatmap(
        lambda changes: _written(dict(good), changes)
    )


def _written(record: dict[str, str], changes: list[tuple[str, str | None]]) -> st.SearchStrategy[str]:
    more = []
    for name, value in changes:
        if value is None:
            record.pop(name, None)
        elif len(changes) == 3 and name == changes[0][0]:
            more.append((name, value))  # sometimes a second time
        else:
            record[name] = value
    pairs = [*record.items(), *more]
    spaces = st.sampled_from(["", " ", "\t", "  "])
    return spaces.map(
        lambda space: f"{{{space}{f',{space}'.join(f'{json.dumps(k)}:{space}{v}' for k, v in pairs)}{space}}}"
    )
