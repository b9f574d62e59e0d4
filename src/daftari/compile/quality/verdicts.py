"""Judge the counts of a check. A check that tested nothing never passes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from daftari.compile.quality.expectations import ROW_COUNT, Check, Limit, Measure, Suite
from daftari.contract.model import QualityOperator, QualityUnit, Severity
from daftari.protect.mask import HIDDEN


class CheckVerdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"  #: failed, and its severity in the contract is warning
    NOT_EVALUATED = "not_evaluated"  #: no rows, no values or no answer


@dataclass(frozen=True, kw_only=True)
class CheckAnswer:
    """The database's answer to one check."""

    check: str
    tested: int = 0  #: rows, or 1 for a single number
    number: int | None = None  #: failing rows, or that one number; None: no answer
    keys: tuple[Mapping[str, str], ...] = ()  #: of some failing rows; only fields that may be shown
    error: str = ""  #: why there is no answer, without values of rows


@dataclass(frozen=True, kw_only=True)
class CheckOutcome:
    check: str
    field: str | None
    description: str
    verdict: CheckVerdict
    reason: str
    tested: int
    failing: int
    keys: tuple[Mapping[str, str], ...] = ()

    @property
    def failing_ratio(self) -> float:
        return self.failing / self.tested if self.tested else 0.0


def judge_check(suite: Suite, check: Check, answer: CheckAnswer) -> CheckOutcome:
    """Return the verdict and its reason from the counts of a check."""
    tested, failing = answer.tested, 0
    if answer.number is None:
        verdict, reason = CheckVerdict.NOT_EVALUATED, answer.error or "no answer"
    elif tested == 0:
        verdict, reason = CheckVerdict.NOT_EVALUATED, "nothing to test"
    elif check.measure is Measure.VALUE:
        kept = admits(check.limit, answer.number)
        failing = 0 if kept else 1
        found = f"found {answer.number:,}" if check.expectation == ROW_COUNT else "checked on the whole table"
        verdict, reason = _verdict(check, kept), found
    else:
        failing = answer.number
        share = 100 * failing / tested
        kept = admits(check.limit, share if check.limit.unit == QualityUnit.PERCENT else failing)
        verdict, reason = _verdict(check, kept), f"{failing:,} of {tested:,} fail"
    return CheckOutcome(
        check=check.id,
        field=check.field,
        description=check.description,
        verdict=verdict,
        reason=reason,
        tested=tested,
        failing=failing,
        keys=tuple(_redacted(suite, key) for key in answer.keys),
    )


def overall(outcomes: Sequence[CheckOutcome], *, rows: int) -> CheckVerdict:
    """Return the verdict of a dataset. One without rows or without checks is not evaluated, unless one failed."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if CheckVerdict.FAILED in verdicts:
        return CheckVerdict.FAILED
    if rows == 0 or CheckVerdict.PASSED not in verdicts:
        return CheckVerdict.NOT_EVALUATED
    return CheckVerdict.WARNED if CheckVerdict.WARNED in verdicts else CheckVerdict.PASSED


def admits(limit: Limit, number: float) -> bool:
    """Whether *number* is within *limit*."""
    return _COMPARISONS[limit.comparison](number, limit.expected)


def _between(number: float, bounds: Sequence[float]) -> bool:
    return bounds[0] <= number <= bounds[1]


_COMPARISONS: Mapping[QualityOperator, Callable[[Any, Any], bool]] = {
    QualityOperator.BE: operator.eq,
    QualityOperator.NOT_BE: operator.ne,
    QualityOperator.BE_GREATER_THAN: operator.gt,
    QualityOperator.BE_GREATER_OR_EQUAL_TO: operator.ge,
    QualityOperator.BE_LESS_THAN: operator.lt,
    QualityOperator.BE_LESS_OR_EQUAL_TO: operator.le,
    QualityOperator.BE_BETWEEN: _between,
    QualityOperator.NOT_BE_BETWEEN: lambda number, bounds: not _between(number, bounds),
}


def _verdict(check: Check, kept: bool) -> CheckVerdict:
    if kept:
        return CheckVerdict.PASSED
    return CheckVerdict.WARNED if check.severity is Severity.WARNING else CheckVerdict.FAILED


def _redacted(suite: Suite, key: Mapping[str, str]) -> dict[str, str]:
    """Return every field of the key; values that may not be shown, or were not fetched, are hidden."""
    return {name: key.get(name, HIDDEN) if name in suite.shown_key else HIDDEN for name in suite.key}
