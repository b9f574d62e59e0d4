from __future__ import annotations

from datetime import date

import pytest
from tests.contracts import contract_of, field

from daftari.contract.examples import Example, read_examples
from daftari.errors import ContractError
from daftari.operations.contracts.check_examples import judge_examples

TODAY = date(2026, 11, 23)
CONTRACT = contract_of(
    fields=[
        {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True},
        field(logicalTypeOptions={"minimum": 0, "maximum": 100}),
        field("seen_on", "date"),
    ],
    custom={"rules": [{"id": "seen", "expression": "seen_on <= current_date", "message": "is yet to come"}]},
)


def judged(text: str) -> list[tuple[bool, tuple[str, ...], tuple[str, ...]]]:
    outcomes = judge_examples(CONTRACT, read_examples(text, source="e.yaml"), source="e.yaml", today=TODAY)
    return [(outcome.has_passed, outcome.rules, outcome.reasons) for outcome in outcomes]


@pytest.mark.parametrize(
    ("example", "has_passed"),
    [
        ("row: {visit_id: a, fee: 10}, verdict: accepted", True),
        ("row: {visit_id: a, fee: 10}, verdict: rejected", False),
        ("row: {visit_id: a, fee: -1}, verdict: rejected", True),
        ("row: {visit_id: a, fee: -1}, verdict: accepted", False),
        ("row: {visit_id: a, fee: -1}, verdict: rejected, rule: fee.minimum", True),
        ("row: {visit_id: a, fee: -1}, verdict: rejected, rule: fee.maximum", False),
        # all that it breaks, and no more: else an example may be rejected for a reason nobody meant
        ("row: {fee: -1}, verdict: rejected, rule: fee.minimum", False),
        ("row: {fee: -1}, verdict: rejected, rule: [fee.minimum, visit_id.required]", True),
        ("row: {visit_id: a, seen_on: 2026-11-24}, verdict: rejected, reason: is yet to come", True),
        ("row: {visit_id: a, seen_on: 2026-11-24}, verdict: rejected, reason: is late", False),
        ("row: {visit_id: a, seen_on: 2026-11-23}, verdict: accepted", True),
        ("row: {visit_id: a, fee: 100.10}, verdict: rejected, rule: fee.maximum", True),
        ("row: {visit_id: a, fee: ten}, verdict: rejected, rule: fee.type", True),
    ],
)
def test_an_example_passes_when_it_gets_the_verdict_rule_and_reason_it_says(example, has_passed):
    [(passed, _, _)] = judged(f"- {{name: one, {example}}}")
    assert passed == has_passed


def test_an_outcome_tells_every_rule_with_its_reason():
    [(_, rules, reasons)] = judged("- {name: one, row: {fee: 101}, verdict: accepted}")
    assert rules == ("visit_id.required", "fee.maximum")
    assert reasons == ("is missing", "is above 100")


def test_rows_may_be_written_once_and_changed_by_merging():
    text = (
        "- name: good\n  row: &good {visit_id: a, fee: 1}\n  verdict: accepted\n"
        "- name: dear\n  row: {<<: *good, fee: 101}\n  verdict: rejected\n  rule: fee.maximum\n"
    )
    assert [passed for passed, _, _ in judged(text)] == [True, True]


def test_an_example_that_names_no_field_is_a_fault_of_the_example():
    with pytest.raises(ContractError) as raised:
        judged("- name: one\n  row: {fees: 1}\n  verdict: accepted\n")
    assert str(raised.value) == "e.yaml:1: one: record: no field 'fees'; known: fee, seen_on, visit_id"
    assert raised.value.hint == "Did you mean 'fee'?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- 3", ["e.yaml:1: 0: found 3; expected name, row and verdict"]),
        (
            "- {row: {}, verdict: accepted}",
            ["e.yaml:1: 0.name: found null; expected a unique name"],
        ),
        (
            "- {name: a, row: {}, verdict: accepted}\n- {name: a, row: {}, verdict: accepted}",
            ['e.yaml:2: a.name: found "a"; expected a unique name'],
        ),
        (
            "- {name: a, row: [1], verdict: refused}",
            [
                "e.yaml:1: a.row: found a list of 1; expected a value for each field",
                'e.yaml:1: a.verdict: found "refused"; expected one of accepted, rejected',
            ],
        ),
        (
            "- {name: a, row: {}, verdict: accepted, rule: x}",
            ["e.yaml:1: a.verdict: found accepted; expected rejected, because a rule or a reason is given"],
        ),
        (
            "- {name: a, row: {}, verdict: rejected, rules: x}",
            [
                (
                    "e.yaml:1: a.rules: found unknown name 'rules';"
                    " expected one of name, row, given, verdict, rule, reason (did you mean 'rule'?)"
                ),
            ],
        ),
        (
            "- {name: a, row: {}, verdict: rejected, rule: 3}",
            ["e.yaml:1: a.rule: found 3; expected the id of a rule, or a list of them"],
        ),
        ("a: 1", ["e.yaml:1: found a mapping; expected a list"]),
    ],
)
def test_what_is_no_example_is_refused_with_its_line(text, expected):
    with pytest.raises(ContractError) as raised:
        read_examples(text, source="e.yaml")
    assert [str(fault) for fault in raised.value.faults] == expected


def test_numbers_keep_the_digits_they_were_written_with():
    [example] = read_examples("- {name: a, row: {fee: 1.10}, verdict: accepted}", source="e.yaml")
    assert isinstance(example, Example)
    assert str(example.row["fee"]) == "1.10"
