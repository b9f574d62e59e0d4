"""From contracts to suites in plain data."""

from dataclasses import replace

import pytest
from tests.contracts import contract_of

from daftari.compile.quality.suites import suite
from daftari.errors import ContractError

KEY = {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True}


def checks_of(**changes):
    return {check.id: check for check in suite(contract_of(**changes)).checks}


@pytest.mark.parametrize(
    ("field", "check", "expectation", "kwargs"),
    [
        ({"required": True}, "code.not_null", "expect_column_values_to_not_be_null", {"column": "code"}),
        ({"unique": True}, "code.unique", "expect_column_values_to_be_unique", {"column": "code"}),
        (
            {"logicalTypeOptions": {"minLength": 2, "maxLength": 5}},
            "code.length",
            "expect_column_value_lengths_to_be_between",
            {"column": "code", "min_value": 2, "max_value": 5},
        ),
        (
            {"logicalTypeOptions": {"pattern": "[A-Z]+"}},
            "code.pattern",
            "expect_column_values_to_match_regex",
            {"column": "code", "regex": "^(?:[A-Z]+)$"},
        ),
        (
            {"quality": [{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["A", "B"]}}]},
            "code.allowed",
            "expect_column_values_to_be_in_set",
            {"column": "code", "value_set": ["A", "B"]},
        ),
    ],
)
def test_what_a_field_promises_becomes_an_expectation(field, check, expectation, kwargs):
    found = checks_of(fields=[KEY, {"name": "code", "logicalType": "string", **field}])[check]

    assert (found.expectation, dict(found.kwargs)) == (expectation, kwargs)


@pytest.mark.parametrize(
    ("field", "check", "condition"),
    [
        (
            {"logicalType": "number", "logicalTypeOptions": {"maximum": 0.3}},
            "fee.maximum",
            'not ("fee" <= 0.3)',
        ),
        (
            {"logicalType": "date", "logicalTypeOptions": {"minimum": "2020-01-01"}},
            "fee.minimum",
            "not (\"fee\" >= '2020-01-01'\\:\\:date)",
        ),
        (
            {
                "logicalType": "integer",
                "quality": [{"name": "few", "metric": "nullValues", "mustBeLessThan": 3}],
            },
            "quality.fee.few",
            '"fee" is null',
        ),
    ],
)
def test_the_rest_is_asked_in_sql_and_fetches_keys_alone(field, check, condition):
    found = checks_of(fields=[KEY, {"name": "fee", **field}])[check]

    assert found.kwargs == {
        "unexpected_rows_query": f'select "visit_id" from "ops"."visits" where {condition}'
    }


def test_the_limits_and_severity_of_a_quality_entry_are_kept():
    entry = {
        "name": "few",
        "metric": "nullValues",
        "mustBeLessThan": 3,
        "unit": "percent",
        "severity": "warning",
    }
    found = checks_of(fields=[KEY, {"name": "fee", "logicalType": "number", "quality": [entry]}])

    check = found["quality.fee.few"]
    assert (check.limit.comparison, check.limit.expected, check.limit.unit) == (
        "mustBeLessThan",
        3,
        "percent",
    )
    assert check.severity == "warning"


def test_a_query_of_the_contract_that_gives_no_number_breaks_its_limit():
    entry = {
        "name": "enough",
        "type": "sql",
        "query": "select count(*) from ${object} where ${property} > 1",
        "mustBeGreaterThan": 3,
    }
    found = checks_of(fields=[KEY, {"name": "fee", "logicalType": "number", "quality": [entry]}])

    assert found["quality.fee.enough"].kwargs["unexpected_rows_query"] == (
        "select 1 as failing from (select (\n"
        'select count(*) from "ops"."visits" where "fee" > 1'
        "\n) as value) as measured where (value > 3) is not true"
    )


KEYS = 'select "{}"."visit_id" from "ops"."visits" {}'


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("select count(*) from ${object} where fee > 1", KEYS.format("visits", "where fee > 1 and true")),
        (
            "select count(1) as n from ${object} as v where v.fee > 1",
            KEYS.format("v", "as v where v.fee > 1 and true"),
        ),
        (
            "select count(*) filter (where fee < 0) from ${object} where ward = 'A'",
            KEYS.format("visits", "where ward = 'a' and fee < 0"),
        ),
        ("select count(fee) from ${object}", KEYS.format("visits", "where true and not fee is null")),
        ("select sum(fee) from ${object}", None),
        ("select count(distinct fee) from ${object}", None),
        ("select count(*) from ${object} group by ward limit 1", None),
        ("select count(*) from ops.others", None),
        ("select 0", None),
    ],
)
def test_a_query_that_counts_rows_fetches_their_keys_too(query, keys):
    entry = {"name": "few", "type": "sql", "query": query, "mustBe": 0}

    found = checks_of(fields=[KEY], quality=[entry])["quality.few"].keys_kwargs

    assert (found and found["unexpected_rows_query"].lower()) == keys


def test_the_rows_that_repeat_a_value_are_fetched_by_their_keys():
    entry = {"name": "once", "metric": "duplicateValues", "mustBe": 0}
    found = checks_of(fields=[KEY, {"name": "fee", "logicalType": "number", "quality": [entry]}])

    assert found["quality.fee.once"].kwargs["unexpected_rows_query"].startswith('select "visit_id" from (')


@pytest.mark.parametrize("query", ["delete from ${object}", "select 1; select 2", "select from where"])
def test_a_query_that_does_more_than_read_is_refused(query):
    good = contract_of(quality=[{"name": "x", "type": "sql", "query": "select 1", "mustBe": 1}])
    entry = replace(good.dataset.quality[0], query=query)  # the reader would not let it through either
    spoiled = replace(good, datasets=(replace(good.dataset, quality=(entry,)),))

    with pytest.raises(
        ContractError, match=r"visits: quality x: found .*; expected one select that only reads"
    ):
        suite(spoiled)


def test_of_a_sealed_field_only_its_presence_is_asked():
    sealed = {"property": "daftari.protection", "value": {"sealed": True}}
    field = {
        "name": "pin",
        "logicalType": "string",
        "required": True,
        "logicalTypeOptions": {"pattern": "[0-9]+"},
        "customProperties": [sealed],
    }

    found = checks_of(fields=[KEY, field])

    assert [name for name in found if name.startswith("pin.")] == ["pin.not_null"]


def test_the_values_of_a_confidential_key_are_not_asked_for():
    private = {**KEY, "classification": "personal"}
    fee = {"name": "fee", "logicalType": "number", "logicalTypeOptions": {"minimum": 0}}
    made = suite(contract_of(fields=[private, fee]))

    (minimum,) = (check for check in made.checks if check.id == "fee.minimum")
    assert minimum.kwargs["unexpected_rows_query"].startswith("select 1 as failing from")
    assert (made.key, made.shown_key) == (("visit_id",), ())
