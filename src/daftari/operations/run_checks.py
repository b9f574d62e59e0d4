"""
Check the tables against what their contracts promise of their rows, and keep what was found.

What is kept holds counts and keys, never a value of a field that a contract calls confidential.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from daftari.compile.suites import suite
from daftari.compile.verdicts import HIDDEN, Answer, Outcome, Verdict, judge, overall
from daftari.contract.model import Contract
from daftari.io import check_results, ledger
from daftari.io.check_results import Checked
from daftari.io.expectations import Progress, ask
from daftari.io.ledger import Counts


def run_checks(
    conn: Connection[Any], contracts: Sequence[Contract], progress: Progress
) -> tuple[Checked, ...]:
    """
    Check the table of each contract, and return what was found. *conn* must be in autocommit mode.

    Each dataset is a run of its own in the ledger: refused when it did not pass.

    Raises:
        ContractError: a rule or a query of a contract cannot be asked.
    """
    suites = {contract.dataset.name: suite(contract) for contract in contracts}
    by_name = {contract.dataset.name: contract for contract in contracts}
    return tuple(
        _check(conn, by_name[asked.dataset], rows, _judged(asked, answers))
        for asked, rows, answers in ask(conn, list(suites.values()), progress)
    )


def _judged(asked: Any, answers: Sequence[Answer]) -> tuple[Outcome, ...]:
    return tuple(judge(asked, check, answer) for check, answer in zip(asked.checks, answers, strict=True))


def _check(
    conn: Connection[Any], contract: Contract, rows: int | None, outcomes: tuple[Outcome, ...]
) -> Checked:
    for outcome in outcomes:
        _guard(contract, outcome)
    with ledger.run(conn, "check", contract) as run_id:
        checked = Checked(
            run_id=run_id,
            dataset=contract.dataset.name,
            contract_hash=contract.hash,
            verdict=overall(outcomes, rows=rows or 0),
            rows=rows,
            outcomes=outcomes,
        )
        with conn.transaction():
            check_results.record(conn, checked)
            if checked.verdict in {Verdict.PASSED, Verdict.WARNED}:
                ledger.finish(conn, run_id, Counts())
            else:
                ledger.refuse(conn, run_id, "checks_failed")
    return checked


def _guard(contract: Contract, outcome: Outcome) -> None:
    """The last look at what is about to be kept: a value of a confidential field is a fault of ours."""
    for key in outcome.keys:
        for name, value in key.items():
            assert value == HIDDEN or not contract.dataset.field(name).is_confidential, (
                f"{contract.dataset.name}.{name}: a confidential value would be kept with check {outcome.check}"
            )
