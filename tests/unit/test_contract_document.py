from __future__ import annotations

from decimal import Decimal

import pytest

from daftari.contract.reader.document import MOST_VALUES, Number, parse_document, parse_list
from daftari.errors import ContractError


def faults(text: str) -> list[str]:
    with pytest.raises(ContractError) as raised:
        parse_document(text, source="c.yaml")
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 2026-01-01", "2026-01-01"),  # JSON Schema judges text
        ("a: 12:30", "12:30"),
        ("a: yes", "yes"),  # a word since YAML 1.2
        ("a: true", True),
        ("a: ~", None),
        ("a: -7", -7),
        ("a: 0x1F", 31),
        ("a: 0o17", 15),
        ("a: 012", 12),
        ("a: 1_000", 1000),
        ("a: '1'", "1"),
        ('{"a": [1, "b"]}', [1, "b"]),
        ("\ufeffa: 1", 1),
        ('{"a": "\\ud83d\\ude00"}', "\U0001f600"),
        ('{"a": {"\\ud83d\\ude00": 1}}', {"\U0001f600": 1}),
        ("b: &x {c: 1}\na: *x", {"c": 1}),
        ("b: &x {c: 1, d: 2}\na: {<<: *x, c: 3}", {"c": 3, "d": 2}),
        ("a: {<<: [{c: 1}, {c: 2, d: 3}]}", {"c": 1, "d": 3}),  # the first to have a key wins
    ],
)
def test_a_value_is_read_as_json_has_it(text, expected):
    assert parse_document(text, source="c.yaml").root["a"] == expected


def test_a_number_keeps_the_decimals_it_was_written_with():
    amount = parse_document("a: 99999999999999999.10", source="c.yaml").root["a"]
    assert isinstance(amount, Number)
    assert str(amount.exact) == "99999999999999999.10"
    assert amount.exact == Decimal("99999999999999999.10")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["c.yaml: found an empty file; expected the fields of a contract"]),
        ("# only a comment\n", ["c.yaml: found an empty file; expected the fields of a contract"]),
        ("- a\n- b\n", ["c.yaml:1: found a list; expected the fields of a contract"]),
        ("words", ["c.yaml:1: found a single value; expected the fields of a contract"]),
        (
            "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n",  # all of them, not only the first
            [
                "c.yaml:4: b.c: found the same key again; expected each key once",
                "c.yaml:5: a: found the same key again; expected each key once",
            ],
        ),
        (
            "a:\n\t- b",
            ["c.yaml:2: found character '\\t' that cannot start any token; expected well-formed YAML"],
        ),
        ("a: 1\n---\nb: 2\n", ["c.yaml:2: found another document; expected well-formed YAML"]),
        ("a: *b", ["c.yaml:1: found undefined alias 'b'; expected well-formed YAML"]),
        ("a: [1", ["c.yaml:1: found '<stream end>'; expected ',' or ']'"]),
        (
            "a: !!python/object:os.system x",
            [
                (
                    "c.yaml:1: a: found the tag tag:yaml.org,2002:python/object:os.system;"
                    " expected text, a number, true, false or null"
                )
            ],
        ),
        (
            "a: .inf",
            ["c.yaml:1: a: found a number that JSON cannot express; expected a finite decimal number"],
        ),
        (
            "a: .nan",
            ["c.yaml:1: a: found a number that JSON cannot express; expected a finite decimal number"],
        ),
        (
            "a: 1e999",
            ["c.yaml:1: a: found a number that JSON cannot express; expected a finite decimal number"],
        ),
        ("? [a, b]\n: 1", ["c.yaml:1: found a list as a key; expected a name"]),
        ('a: "\\0"', ["c.yaml:1: a: found a character that PostgreSQL cannot store; expected Unicode text"]),
        (
            '{"\\udc00\\ud800": 1}',
            ["c.yaml:1: found a character that PostgreSQL cannot store; expected Unicode text"],
        ),
        (
            'a: "\\ud800"',
            ["c.yaml:1: a: found a character that PostgreSQL cannot store; expected Unicode text"],
        ),
    ],
)
def test_what_is_no_contract_is_refused_with_its_line(text, expected):
    assert faults(text) == expected


def test_aliases_cannot_make_a_small_file_large():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    assert faults("\n".join(lines)) == [
        f"c.yaml:1: found more; expected at most {MOST_VALUES} values, aliases counted each time"
    ]


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "a: &a {<<: *a}", "[" * 5000, "a: " + "{b: " * 300 + "1" + "}" * 300]
)
def test_endless_and_very_deep_nesting_is_refused(text):
    [fault] = faults(text)
    assert "60 levels" in fault


def test_a_place_is_told_by_names_rather_than_positions():
    document = parse_document(
        "schema:\n- name: visits\n  properties:\n  - name: fee\n    x: 1\n", source="c.yaml"
    )
    path = ("schema", 0, "properties", 0, "x")
    assert document.place(path) == "schema.visits.properties.fee.x"
    assert document.line(path) == 5
    assert document.line((*path, "nothing", "there")) == 5


def test_a_list_is_asked_for_where_a_list_is_meant():
    assert parse_list("- a", source="rows.yaml").root == ["a"]
    with pytest.raises(ContractError, match="found a mapping; expected a list"):
        parse_list("a: 1", source="rows.yaml")
