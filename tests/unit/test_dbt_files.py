"""From contracts to dbt files. What a contract says comes out of dbt's templates as it went in."""

import jinja2
import pytest
from ruamel.yaml import YAML
from tests.contracts import contract_of

from daftari.compile.marts.dbt_files import inert, staging_files

KEY = {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True}


def files_of(**changes):
    return {file.name: file.text for file in staging_files([contract_of(**changes)])}


def table_of(**changes):
    (source,) = YAML(typ="safe").load(files_of(**changes)["sources.yml"])["sources"]
    (table,) = source["tables"]
    return table


def declared_on(table, column):
    (found,) = (it for it in table["columns"] if it["name"] == column)
    return found.get("data_tests", [])


def test_the_same_contract_gives_the_same_text():
    assert files_of() == files_of()


def test_files_say_which_contract_they_come_from():
    contract = contract_of()

    firsts = [file.text.splitlines()[0] for file in staging_files([contract])]
    assert firsts != []
    for first in firsts:
        assert first.endswith(f"Generated from test.visits 1.0.0 ({contract.hash[:12]}).")


@pytest.mark.parametrize(
    ("field", "test"),
    [
        ({"required": True}, {"not_null": {"name": "visits__code__not_null"}}),
        ({"unique": True}, {"unique": {"name": "visits__code__unique"}}),
        (
            {
                "quality": [
                    {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["A", "it's"]}}
                ]
            },
            # dbt puts the values between single quotes as they are
            {
                "accepted_values": {
                    "name": "visits__code__accepted_values",
                    "arguments": {"values": ["A", "it''s"]},
                }
            },
        ),
    ],
)
def test_what_a_field_promises_becomes_a_test(field, test):
    table = table_of(fields=[KEY, {"name": "code", "logicalType": "string", **field}])

    assert declared_on(table, "code") == [test]


def test_a_row_rule_becomes_a_test_with_its_condition():
    rule = {"id": "fee_is_positive", "expression": "fee > 0", "message": "has no fee"}

    table = table_of(custom={"rules": [rule]})

    assert table["data_tests"] == [
        {"row_rule": {"name": "visits__rule__fee_is_positive", "arguments": {"condition": '"fee" > 0'}}}
    ]


def test_a_view_gives_enums_as_text_and_leaves_sealed_fields_out():
    closed = {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["A"]}}
    seal = {"property": "daftari.protection", "value": {"sealed": True}}
    view = files_of(
        fields=[
            KEY,
            {"name": "kind", "logicalType": "string", "quality": [closed]},
            {"name": "pin", "logicalType": "string", "customProperties": [seal]},
        ]
    )["stg_visits.sql"]

    assert view.split("\n\n", 1)[1] == (
        "select\n"
        '    "visit_id",\n'
        '    cast("kind" as text) as "kind",\n'
        "    created_at,\n"
        "    updated_at\n"
        "from {{ source('ops', 'visits') }}\n"
    )
    assert "-- Left out, as they are sealed: pin." in view


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "{{ env_var('DAFTARI_DB_PASSWORD') }}",
        "{% set x = 1 %}{# gone #}",
        "env_var('DAFTARI_DB_PASSWORD')",
        "  source('a', 'b')",
        "it's a {{ 'trap' }} \\ with } and {",
    ],
)
def test_text_of_a_contract_runs_nothing_in_a_template(text):
    written = inert(text)

    assert jinja2.Environment().from_string(written).render() == text
    assert not written.lstrip().startswith(("env_var", "source"))
