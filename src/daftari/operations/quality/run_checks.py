"""
Check the tables against the quality rules of their contracts, and store the results.

Results hold counts and keys, never a value of a field that a contract calls confidential.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from psycopg import Connection

from daftari.compile.quality.expectations import Suite
from daftari.compile.quality.suites import suite
from daftari.compile.quality.verdicts import CheckOutcome, CheckVerdict, judge_check, overall
from daftari.contract.model import Contract, Dataset
from daftari.errors import ChecksFailed
from daftari.io.quality.expectations import SuiteAnswers, ask_suite, open_expectations
from daftari.io.runs import check_results, ledger
from daftari.io.runs.check_results import CheckedDataset
from daftari.io.runs.ledger import RunCounts
from daftari.protect.mask import HIDDEN

#: Called with the name of a dataset before its check.
Progress = Callable[[str], None]


def run_checks(
    conn: Connection[Any], contracts: Sequence[Contract], progress: Progress
) -> tuple[CheckedDataset, ...]:
    """
    Check the table of each contract, and return the results. *conn* must be in autocommit mode.

    Each dataset is a separate run in the ledger: refused when it did not pass.

    Raises:
        ContractError: a rule or a query of a contract cannot be run.
        Drift: one of the contracts is not applied to the database.
    """
    for contract in contracts:
        ledger.require_contract(conn, contract)
    suites = [(contract, suite(contract)) for contract in contracts]
    if not suites:
        return ()  # so it does not pass: see require_pass
    source = open_expectations(conn)
    found = []
    for contract, wanted in suites:
        progress(wanted.dataset)
        with ledger.ledger_run(conn, "check", contract) as run_id:
            checked = _judged(run_id, wanted, ask_suite(source, wanted))
            _keep(conn, contract.dataset, checked)
        found.append(checked)
    return tuple(found)


def require_pass(checked: Sequence[CheckedDataset]) -> None:
    """
    Stop unless at least one dataset was checked and all passed.

    Raises:
        ChecksFailed: one failed or could not be evaluated, or nothing was checked.
    """
    bad = [one.dataset for one in checked if one.verdict in {CheckVerdict.FAILED, CheckVerdict.NOT_EVALUATED}]
    if bad or not checked:
        raise ChecksFailed(
            f"quality: {', '.join(bad)} did not pass"
            if bad
            else "quality: nothing was checked; expected one dataset at least",
            hint=f"`daftari quality show {bad[0]}` shows the checks, and keys of failing rows of each that counts rows."
            if bad
            else None,
        )


def _judged(run_id: int, wanted: Suite, asked: SuiteAnswers) -> CheckedDataset:
    outcomes = tuple(
        judge_check(wanted, check, answer) for check, answer in zip(wanted.checks, asked.answers, strict=True)
    )
    return CheckedDataset(
        run_id=run_id,
        dataset=wanted.dataset,
        contract_hash=wanted.contract_hash,
        verdict=overall(outcomes, rows=asked.rows or 0),
        rows=asked.rows,
        outcomes=outcomes,
    )


def _keep(conn: Connection[Any], dataset: Dataset, checked: CheckedDataset) -> None:
    for outcome in checked.outcomes:
        _refuse_values(dataset, outcome)
    with conn.transaction():
        check_results.record_check_results(conn, checked)
        if checked.verdict in {CheckVerdict.PASSED, CheckVerdict.WARNED}:
            ledger.finish_run(conn, checked.run_id, RunCounts())
        else:
            ledger.refuse_run(conn, checked.run_id, "checks_failed")


def _refuse_values(dataset: Dataset, outcome: CheckOutcome) -> None:
    """Check results before they are stored. A value of a confidential field in them is our bug."""
    for name, value in ((name, value) for key in outcome.keys for name, value in key.items()):
        if value != HIDDEN and dataset.field(name).is_confidential:
            raise AssertionError(
                f"{dataset.name}.{name}: check {outcome.check} would store a confidential value"
            )
