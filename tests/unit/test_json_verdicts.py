"""A value of JSON that its field may not hold is a fault of that field, with a reason that shows no value."""

import json
from datetime import date

import pytest
from tests.contracts import contract_of, field
from tests.judging import reasons_by_line

from daftari.api.request_bodies import read_body
from daftari.rows.formats.parse import to_rows
from daftari.rows.intake.records import record_plan, records_block
from daftari.rows.rules.rules import judge_rows, rulebook

FIELDS = [
    {"name": "id", "logicalType": "string", "required": True, "primaryKey": True},
    field("text", "string"),
    field("amount", "number", physicalType="numeric(6,2)"),
    field("ratio", "number", physicalType="double precision"),
    field("whole", "integer"),
    field("more", "object"),
    field("list", "array"),
]
AMOUNT = "cannot be read as a number with at most 4 digits before and 2 after the decimal point"
CASES = [
    ("text", r'"a\ud83d"', "is not valid text (U+D83D alone)"),
    ("text", "NaN", "is NaN, which JSON does not have"),
    ("text", '{"a": 1}', "is a JSON object, not a single value"),
    ("text", "[1]", "is a JSON array, not a single value"),
    ("text", '"a\\u0000"', "cannot be read as text without NUL characters"),
    ("amount", "-Infinity", "is -Infinity, which JSON does not have"),
    ("amount", "1e1000000", AMOUNT),
    ("amount", "9" * 5000, AMOUNT),
    ("amount", "12.345", AMOUNT),
    ("ratio", "NaN", "is NaN, which JSON does not have"),
    ("ratio", "1e400", "cannot be read as a number"),
    ("whole", "1.5", "cannot be read as a whole number"),
    ("whole", "9" * 20, "cannot be read as a whole number"),
    ("more", "[1]", "cannot be read as a JSON object"),
    ("more", '{"a": NaN}', "holds a value that is NaN, which JSON does not have"),
    ("more", '{"a": 1, "a": 2}', "holds an object that has a name twice"),
    ("more", '{"a": "\\u0000"}', "cannot be read as a JSON object"),
    ("more", '{"a": 1e200000}', "holds a number of more than 1,000 digits"),
    ("more", '{"a": ' + "9" * 200_000 + "}", "holds a number of more than 1,000 digits"),
    ("list", '{"a": 1}', "cannot be read as a JSON array"),
]
GOOD = [
    ("text", "12.50", "12.50"),
    ("text", "true", "true"),
    ("amount", "1.2e3", "1200.00"),
    ("ratio", "1e300", "1e300"),
    ("more", '{"a": [1, 2.50, {"b": 1e2}]}', '{"a": [1, 2.50, {"b": 100}]}'),
    ("list", "[]", "[]"),
]


def verdict(name, sent):
    dataset = contract_of(name="d", fields=FIELDS).dataset
    records, _ = read_body(f'[{{"id": "1", "{name}": {sent}}}]'.encode(), "application/json", dataset)
    rows = to_rows(record_plan(dataset), records_block(records, dataset), dataset)
    return judge_rows(rows, rulebook(dataset, today=date(2026, 3, 14)))


@pytest.mark.parametrize(("name", "sent", "reason"), CASES, ids=[f"{n} {s[:20]}" for n, s, _ in CASES])
def test_a_value_that_a_field_may_not_hold_is_rejected_with_its_reason(name, sent, reason):
    found = verdict(name, sent)
    assert reasons_by_line(found.rejected) == {1: [(f"{name}.type", reason)]}
    assert len(found.rejected["cells"].item()) < 2 * len(sent) + 200  # a number is kept as it was sent
    json.loads(found.rejected["cells"].item())


@pytest.mark.parametrize(("name", "sent", "text"), GOOD)
def test_a_value_that_a_field_may_hold_keeps_its_digits(name, sent, text):
    value = verdict(name, sent).accepted[name].item()
    assert str(value) == text or value == float(text)
