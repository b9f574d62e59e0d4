"""The verdict over a row: which rules it breaks, all of them, in words that hold none of its values."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest
from tests.contracts import contract_of, field
from tests.judging import reasons_by_line, rows_of

from daftari.contract.model import Relationship
from daftari.rows.rules.rules import judge_rows, rulebook

KEY = {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True}
TODAY = date(2026, 3, 14)


def choices(*values):
    return [
        {
            "type": "library",
            "metric": "invalidValues",
            "mustBe": 0,
            "arguments": {"validValues": list(values)},
        }
    ]


def dataset_of(*fields, key=KEY, **said):
    return contract_of(fields=[key, *fields], **said).dataset


def judged(dataset, *records, known=None):
    named = [{"visit_id": f"V{at}", **record} for at, record in enumerate(records)]
    return judge_rows(rows_of(dataset, *named), rulebook(dataset, today=TODAY, known=known))


def broken(dataset, *records, known=None):
    """Rule and reason of each record, in order; an empty list where it is accepted."""
    verdicts = judged(dataset, *records, known=known)
    found = reasons_by_line(verdicts.rejected)
    assert verdicts.accepted.height + len(found) == len(records)
    return [found.get(at + 2, []) for at in range(len(records))]


def options(**said):
    return {"logicalTypeOptions": said}


BOUNDS = [
    ("integer", options(minimum=5), (4, 5, 6), "minimum", "is below 5"),
    ("integer", options(maximum=5), (6, 5, 4), "maximum", "is above 5"),
    ("integer", options(exclusiveMinimum=5), (5, 6, 7), "exclusive_minimum", "is not above 5"),
    ("integer", options(exclusiveMaximum=5), (5, 4, 3), "exclusive_maximum", "is not below 5"),
    ("integer", options(multipleOf=3), (4, 3, 0), "multiple", "is not a multiple of 3"),
    ("number", options(minimum=0.1), ("0.09", "0.1", "0.11"), "minimum", "is below 0.1"),
    ("number", options(maximum=-0.1), ("0", "-0.1", "-9"), "maximum", "is above -0.1"),
    ("number", options(multipleOf=0.05), ("0.07", "0.10", "0.15"), "multiple", "is not a multiple of 0.05"),
    (
        "date",
        options(minimum="2026-03-14"),
        ("2026-03-13", "2026-03-14", "2026-03-15"),
        "minimum",
        "is before 2026-03-14",
    ),
    (
        "date",
        options(exclusiveMaximum="2026-03-14"),
        ("2026-03-14", "2026-03-13", "2000-01-01"),
        "exclusive_maximum",
        "is not before 2026-03-14",
    ),
    (
        "timestamp",
        options(maximum="2026-03-14T00:00:00+03:00"),
        ("2026-03-13T21:00:01Z", "2026-03-13T21:00:00Z", "2026-03-14T00:00:00+03:00"),
        "maximum",
        "is after 2026-03-14T00:00:00+03:00",
    ),
    ("time", options(minimum="08:00:00"), ("07:59:59", "08:00", "17:30:00"), "minimum", "is before 08:00:00"),
    ("string", options(minLength=2), ("ä", "äö", "äöü"), "length", "is shorter than 2"),
    ("string", options(maxLength=2), ("äöü", "äö", "ä"), "length", "is longer than 2"),
    ("string", options(pattern="[A-Z]{2}"), ("ABC", "AB", "XY"), "pattern", "does not match [A-Z]{2}"),
    ("string", options(pattern="a|bc"), ("abc", "a", "bc"), "pattern", "does not match a|bc"),
    ("string", {"quality": choices("in", "out")}, ("IN", "in", "out"), "allowed", "must be one of in, out"),
]


@pytest.mark.parametrize(("kind", "said", "values", "what", "reason"), BOUNDS)
def test_each_rule_breaks_on_one_side_of_its_bound_and_holds_at_it_and_beyond(
    kind, said, values, what, reason
):
    dataset = dataset_of(field("v", kind, **said))

    assert broken(dataset, *({"v": value} for value in values)) == [[(f"v.{what}", reason)], [], []]


@pytest.mark.parametrize(("kind", "said"), [(kind, said) for kind, said, *_ in BOUNDS])
def test_a_missing_value_breaks_no_bound(kind, said):
    assert broken(dataset_of(field("v", kind, **said)), {}, {"v": ""}, {"v": "  "}) == [[], [], []]


THREE_AND_TWO = "a number with at most 3 digits before and 2 after the decimal point"


@pytest.mark.parametrize(
    ("kind", "said", "good", "bad", "expected"),
    [
        ("integer", {}, "7", "7.5", "a whole number"),
        ("integer", {"physicalType": "smallint"}, "-32768", "32768", "a whole number from -32768 to 32767"),
        (
            "integer",
            {"physicalType": "integer"},
            "2147483647",
            "2147483648",
            f"a whole number from {-(2**31)} to {2**31 - 1}",
        ),
        (
            "number",
            {"physicalType": "numeric(5,2)"},
            "999.99",
            "999.999",
            THREE_AND_TWO,
        ),
        (
            "number",
            {"physicalType": "numeric(5,2)"},
            "999.990",
            "1000",
            THREE_AND_TWO,
        ),
        ("number", {"physicalType": "double precision"}, "1.5", "abc", "a number"),
        ("boolean", {}, "true", "maybe", "true or false"),
        ("date", {}, "2026-02-28", "2026-02-30", "a date as YYYY-MM-DD"),
        ("time", {}, "23:59", "24:00", "a time as HH:MM or HH:MM:SS"),
        ("object", {}, '{"a": 1}', "[1]", "a JSON object"),
        ("object", {}, '{"a": "\\u00e9"}', '{"a": "\\u0000"}', "a JSON object"),
        ("object", {}, "{}", '{"a": NaN}', "a JSON object"),
        ("array", {}, "[1]", "{1}", "a JSON array"),
        ("string", {"physicalType": "uuid"}, "6F1C7A52-0F4E-4B8E-9B57-8C1E4F9D2A31", "6f1c", "a UUID"),
    ],
)
def test_what_cannot_be_read_as_its_type_is_rejected_with_what_was_expected(kind, said, good, bad, expected):
    dataset = dataset_of(field("v", kind, **said))

    assert broken(dataset, {"v": good}, {"v": bad}) == [[], [("v.type", f"cannot be read as {expected}")]]


def test_two_spellings_of_a_uuid_are_one_value():
    dataset = dataset_of(field("v", "string", physicalType="uuid"))
    spellings = ["6F1C7A52-0F4E-4B8E-9B57-8C1E4F9D2A31", "6f1c7a520f4e4b8e9b578c1e4f9d2a31"]

    accepted = judged(dataset, *({"v": text} for text in spellings)).accepted

    assert accepted["v"].to_list() == ["6f1c7a52-0f4e-4b8e-9b57-8c1e4f9d2a31"] * 2


def test_a_float_is_a_multiple_by_its_decimal_form():
    dataset = dataset_of(field("v", physicalType="double precision", **options(multipleOf=0.1)))

    assert broken(dataset, {"v": "0.3"}, {"v": "0.35"}) == [[], [("v.multiple", "is not a multiple of 0.1")]]


@pytest.mark.parametrize("record", [{}, {"v": ""}, {"v": None}, {"v": " \u00a0"}])
def test_a_required_value_must_be_there(record):
    assert broken(dataset_of(field("v", required=True)), record) == [[("v.required", "is missing")]]


def test_every_reason_of_a_row_is_given():
    dataset = dataset_of(
        field("a", "string", **options(maxLength=2, pattern="[A-Z]+")),
        field("b", "number", **options(minimum=1, multipleOf=2)),
        field("c", "date", required=True),
        field("d", "string", quality=choices("x")),
        custom={
            "rules": [{"id": "b_with_d", "expression": "b > 5 or d = 'x'", "message": "is small without x"}]
        },
    )
    record = {"a": "abc", "b": "-1", "c": "31/02/2026", "d": "y"}

    assert broken(dataset, record, {"a": "AB", "b": 6, "c": "2026-01-01", "d": "x"}) == [
        [
            ("c.type", "cannot be read as a date as YYYY-MM-DD"),
            ("a.length", "is longer than 2"),
            ("a.pattern", "does not match [A-Z]+"),
            ("b.minimum", "is below 1"),
            ("b.multiple", "is not a multiple of 2"),
            ("d.allowed", "must be one of x"),
            ("b_with_d", "is small without x"),
        ],
        [],
    ]


def test_each_row_has_its_own_reasons_and_none_of_its_neighbours():
    dataset = dataset_of(
        field("a", "integer", **options(minimum=1)), field("b", "string", **options(maxLength=1))
    )

    assert broken(dataset, {"a": 0, "b": "x"}, {"a": 1, "b": "xy"}, {"a": 1}, {"a": 0, "b": "xy"}) == [
        [("a.minimum", "is below 1")],
        [("b.length", "is longer than 1")],
        [],
        [("a.minimum", "is below 1"), ("b.length", "is longer than 1")],
    ]


def test_a_rule_over_several_fields_names_them():
    dataset = dataset_of(
        field("a", "date"),
        field("b", "date"),
        custom={"rules": [{"id": "in_order", "expression": "a <= b", "message": "ends before it starts"}]},
    )

    rejected = judged(dataset, {"a": "2026-01-02", "b": "2026-01-01"}, {"a": "2026-01-02"}).rejected

    assert json.loads(rejected["reasons"].item()) == [
        {"rule": "in_order", "field": "a, b", "reason": "ends before it starts"}
    ]


def test_a_rule_is_judged_as_of_the_day_it_is_asked():
    dataset = dataset_of(
        field("seen_on", "date"),
        custom={
            "rules": [{"id": "past", "expression": "seen_on <= current_date", "message": "is yet to come"}]
        },
    )

    assert broken(dataset, {"seen_on": TODAY}, {"seen_on": TODAY + timedelta(days=1)}) == [
        [],
        [("past", "is yet to come")],
    ]


WARDS = Relationship(fields=("ward",), target="wards", target_fields=("code",))
BEDS = Relationship(fields=("ward", "bed"), target="beds", target_fields=("ward_code", "number"))


@pytest.mark.parametrize(
    ("relationship", "keys", "records", "expected"),
    [
        (WARDS, {"code": ["A"]}, [{"ward": "A"}, {"ward": "B"}, {}], [False, True, False]),
        (WARDS, {"code": []}, [{"ward": "A"}, {}], [True, False]),
        (
            BEDS,
            {"ward_code": ["A", "B"], "number": [1, 2]},
            [{"ward": "A", "bed": 1}, {"ward": "A", "bed": 2}, {"ward": "A"}, {"bed": 2}, {}],
            [False, True, False, False, False],
        ),
    ],
)
def test_a_row_names_what_exists_and_a_null_in_a_reference_names_nothing(
    relationship, keys, records, expected
):
    dataset = dataset_of(field("ward", "string"), field("bed", "integer"))
    schema = {name: pl.String if name != "number" else pl.Int64 for name in keys}
    rule = "_".join(relationship.fields) + ".reference"

    found = broken(dataset, *records, known={relationship: pl.DataFrame(keys, schema=schema)})

    assert found == [[(rule, "refers to a row that does not exist")] if bad else [] for bad in expected]


def test_long_lists_of_allowed_values_are_counted_instead_of_listed():
    dataset = dataset_of(field("v", "string", quality=choices(*(f"c{at}" for at in range(13)))))

    assert broken(dataset, {"v": "c13"}) == [[("v.allowed", "must be one of its 13 values")]]


def test_the_preview_shows_the_text_as_found_and_the_key():
    dataset = dataset_of(field("v", "integer"), field("w", "string"))

    rejected = judged(dataset, {"v": " seven ", "w": None}).rejected

    assert [json.loads(text) for text in rejected["preview"]] == [{"visit_id": "V0", "v": "seven", "w": None}]
    assert [json.loads(text) for text in rejected["key"]] == [{"visit_id": "V0"}]


@pytest.mark.parametrize(
    "said",
    [
        {"classification": "personal"},
        {"classification": "restricted"},
        {"classification": "confidential"},
        {"customProperties": [{"property": "daftari.protection", "value": {"sealed": True}}]},
    ],
)
def test_a_protected_value_is_in_no_preview_and_no_reason(said):
    dataset = dataset_of(field("v", "string", **said, **options(maxLength=3, pattern="[a-z]*")))

    rejected = judged(dataset, {"v": "Wanjiku"}).rejected

    # All but the cells, which are sealed before they are kept.
    assert "Wanjiku" not in str(rejected.drop("cells").rows())
    assert [json.loads(text) for text in rejected["preview"]] == [{"visit_id": "V0", "v": "***"}]


def test_a_protected_key_is_not_kept():
    dataset = dataset_of(field("v", "integer"), key={**KEY, "classification": "personal"})

    rejected = judged(dataset, {"visit_id": "12345678", "v": "x"}).rejected

    assert rejected["key"].to_list() == [None]
    assert "12345678" not in str(rejected.drop("cells").rows())


def test_a_key_that_is_not_whole_is_not_kept():
    assert judged(dataset_of(), {"visit_id": None}).rejected["key"].to_list() == [None]


def test_no_rows_are_neither_accepted_nor_rejected():
    dataset = dataset_of(field("v", "integer", **options(minimum=1)))
    rows = rows_of(dataset, {"visit_id": "V1"})

    verdicts = judge_rows(rows.only(pl.Series([False])), rulebook(dataset, today=TODAY))

    assert (verdicts.accepted.height, verdicts.rejected.height) == (0, 0)
