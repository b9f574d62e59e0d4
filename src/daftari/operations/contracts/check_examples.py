"""Judge the example rows of contracts by the rules for loads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from daftari.contract.examples import Example, read_examples
from daftari.contract.model import Contract, Dataset
from daftari.errors import ContractError, Fault, UnknownName
from daftari.io.workspace.files import Workspace
from daftari.rows.formats.parse import to_rows
from daftari.rows.intake.records import record_block, record_plan
from daftari.rows.rules.references import asked_of, named_as_target, referenced_rows
from daftari.rows.rules.rules import judge_rows, rulebook


@dataclass(frozen=True, kw_only=True)
class ExampleOutcome:
    """The result of one example, and whether it is the expected one."""

    example: Example
    rules: tuple[str, ...]  #: the rules it breaks; none: it is accepted
    reasons: tuple[str, ...]  #: one for each rule
    has_passed: bool


@dataclass(frozen=True, kw_only=True)
class CheckedExamples:
    """The examples of one dataset. It does not pass without any."""

    dataset: str
    source: str  #: the file of the examples
    outcomes: tuple[ExampleOutcome, ...]

    @property
    def has_passed(self) -> bool:
        return bool(self.outcomes) and all(outcome.has_passed for outcome in self.outcomes)


def check_examples(
    workspace: Workspace, datasets: Sequence[str], *, today: date
) -> tuple[CheckedExamples, ...]:
    """
    Judge the examples of *datasets*; of all, where none is named.

    References are not judged: an example is a single row, which may give
    the row that it refers to. *today* is the value of current_date.

    Raises:
        UnknownName: there is no such dataset.
        ContractError: a file of examples is wrong, or cannot be read.
    """
    names = datasets or [contract.dataset.name for contract in workspace.contracts]
    return tuple(_checked(workspace, name, today) for name in names)


def _checked(workspace: Workspace, name: str, today: date) -> CheckedExamples:
    pipeline, contract = workspace.dataset(name)
    path = pipeline.examples(name)
    source = path.relative_to(workspace.root).as_posix()
    if not path.is_file():
        return CheckedExamples(dataset=name, source=source, outcomes=())
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {error.start} that is not UTF-8"
        fault = Fault(source=source, line=0, place="", found=found, expected="text in UTF-8")
        raise ContractError.from_faults([fault]) from None
    outcomes = judge_examples(contract, read_examples(text, source=source), source=source, today=today)
    return CheckedExamples(dataset=name, source=source, outcomes=outcomes)


def judge_examples(
    contract: Contract, examples: Sequence[Example], *, source: str, today: date
) -> tuple[ExampleOutcome, ...]:
    """
    Return the result of each of *examples* under the rules of *contract*.

    Raises:
        ContractError: an example names an unknown field.
    """
    dataset = contract.dataset
    plan, book = record_plan(dataset), rulebook(dataset, today=today)
    outcomes = []
    for example in examples:
        try:
            block = record_block(example.row, dataset)
        except UnknownName as error:
            raise ContractError(
                f"{source}:{example.line}: {example.name}: {error}", hint=error.hint
            ) from None
        rows = to_rows(plan, block, dataset)
        verdicts = judge_rows(rows, replace(book, referenced=_given(example, rows.values, dataset)))
        broken = json.loads(verdicts.rejected["reasons"].item()) if len(verdicts.rejected) else []
        outcomes.append(_outcome(example, broken))
    return tuple(outcomes)


def _given(example: Example, values: pl.DataFrame, dataset: Dataset) -> dict[str, pl.DataFrame]:
    """Return the referenced rows that *example* gives, by the rule of the reference."""
    found: dict[str, pl.DataFrame] = {}
    for relationship, names in asked_of(dataset).items():
        given = example.given.get("_".join(relationship.fields))
        if given is None or not names:
            continue
        fields = {it.name: it for it in relationship.known_fields if it.name in names}
        target = Dataset(name=relationship.target, fields=tuple(fields.values()))
        block = record_block({name: given.get(name) for name in fields}, target)
        looked_at = to_rows(record_plan(target), block, target).values
        keys = named_as_target(values, relationship)
        found |= referenced_rows({relationship: pl.concat([keys, looked_at], how="horizontal")})
    return found


def _outcome(example: Example, broken: list[dict[str, str]]) -> ExampleOutcome:
    rules = tuple(one["rule"] for one in broken)
    reasons = tuple(one["reason"] for one in broken)
    as_told = example.is_accepted == (not rules)
    rules_as_told = not example.rules or set(example.rules) == set(rules)
    reason_as_told = example.reason is None or example.reason in reasons
    return ExampleOutcome(
        example=example,
        rules=rules,
        reasons=reasons,
        has_passed=as_told and rules_as_told and reason_as_told,
    )
