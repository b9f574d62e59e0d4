"""What the counts of a check mean."""

import pytest

from daftari.compile.quality.expectations import ROWS, Check, Limit, Measure, Suite
from daftari.compile.quality.verdicts import (
    CheckAnswer,
    CheckOutcome,
    CheckVerdict,
    admits,
    judge_check,
    overall,
)
from daftari.contract.model import QualityOperator, Severity
from daftari.contract.reader.odcs_schema import odcs_schema

SUITE = Suite(
    dataset="salaries",
    contract_hash="",
    query="",
    checks=(),
    key=("user_id", "month"),
    shown_key=("month",),
)


UNDER_5_PERCENT = Limit(comparison="mustBeLessThan", expected=5, unit="percent")


def check_of(**changes):
    return Check(id="x", description="holds", expectation=ROWS, kwargs={}, **changes)


def outcome(verdict):
    return CheckOutcome(
        check="x", field=None, description="", verdict=verdict, reason="", tested=1, failing=0
    )


@pytest.mark.parametrize(
    ("check", "answer", "verdict", "reason"),
    [
        ({}, {"tested": 5, "number": 0}, CheckVerdict.PASSED, "0 of 5 fail"),
        ({}, {"tested": 5, "number": 1}, CheckVerdict.FAILED, "1 of 5 fail"),
        # nothing known is not a pass
        ({}, {"tested": 0, "number": 0}, CheckVerdict.NOT_EVALUATED, "nothing to test"),
        ({}, {"tested": 5, "number": None, "error": "no table"}, CheckVerdict.NOT_EVALUATED, "no table"),
        # the contract calls it a warning
        ({"severity": Severity.WARNING}, {"tested": 5, "number": 1}, CheckVerdict.WARNED, "1 of 5 fail"),
        # under, at and over a limit in percent
        ({"limit": UNDER_5_PERCENT}, {"tested": 100, "number": 4}, CheckVerdict.PASSED, "4 of 100 fail"),
        ({"limit": UNDER_5_PERCENT}, {"tested": 100, "number": 5}, CheckVerdict.FAILED, "5 of 100 fail"),
        # one number about the table
        ({"measure": Measure.VALUE}, {"tested": 1, "number": 0}, CheckVerdict.PASSED, "checked on the whole table"),
    ],
)  # fmt: skip
def test_a_verdict_has_its_reason(check, answer, verdict, reason):
    judged = judge_check(SUITE, check_of(**check), CheckAnswer(check="x", **answer))

    assert (judged.verdict, judged.reason) == (verdict, reason)


def test_a_confidential_part_of_a_key_is_hidden_even_when_it_was_answered():
    answer = CheckAnswer(check="x", tested=1, number=1, keys=({"user_id": "U1", "month": "2026-01-01"},))

    assert judge_check(SUITE, check_of(), answer).keys == ({"user_id": "***", "month": "2026-01-01"},)


@pytest.mark.parametrize(
    ("verdicts", "rows", "expected"),
    [
        (["passed", "not_evaluated"], 5, "passed"),
        (["passed", "warned"], 5, "warned"),
        (["passed", "failed", "not_evaluated"], 5, "failed"),
        (["passed"], 0, "not_evaluated"),
        (["not_evaluated"], 5, "not_evaluated"),
        ([], 5, "not_evaluated"),
    ],
)
def test_a_dataset_passes_when_something_passed_and_nothing_failed(verdicts, rows, expected):
    assert overall([outcome(CheckVerdict(one)) for one in verdicts], rows=rows) == expected


#: Each comparison with a limit, and which of 1, 2 and 3 it admits.
ADMITTED = [
    ("mustBe", 2, [2]),
    ("mustNotBe", 2, [1, 3]),
    ("mustBeGreaterThan", 2, [3]),
    ("mustBeGreaterOrEqualTo", 2, [2, 3]),
    ("mustBeLessThan", 2, [1]),
    ("mustBeLessOrEqualTo", 2, [1, 2]),
    ("mustBeBetween", [2, 3], [2, 3]),
    ("mustNotBeBetween", [2, 3], [1]),
]


@pytest.mark.parametrize(("comparison", "expected", "admitted"), ADMITTED)
def test_each_comparison_of_odcs_is_known(comparison, expected, admitted):
    assert [n for n in (1, 2, 3) if admits(Limit(comparison=comparison, expected=expected), n)] == admitted


def test_no_comparison_of_odcs_is_missing():
    operators = odcs_schema()["$defs"]["DataQualityOperators"]["oneOf"]
    of_the_standard = sorted(name for one in operators for name in one["required"])
    assert sorted(QualityOperator) == of_the_standard
    assert sorted(name for name, *_ in ADMITTED) == of_the_standard
