"""The parts of a suite: an expectation, the meaning of its number, the limit of the number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from daftari.compile.names import identifiers, qualified
from daftari.contract.model import Dataset, QualityOperator, QualityUnit, Severity
from daftari.contract.platform import OPS

SCHEMA = OPS
ROWS = "unexpected_rows_expectation"
ROW_COUNT = "expect_table_row_count_to_be_between"


class Measure(StrEnum):
    """The meaning of an expectation's number."""

    FAILING_ROWS = "failing_rows"  #: among all rows, or those whose field is not null
    VALUE = "value"  #: one number about the whole table, such as how many rows it has


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The limit of the number: an ODCS comparison. By default, no row may fail."""

    comparison: QualityOperator = QualityOperator.BE
    expected: Any = 0
    unit: QualityUnit | str = QualityUnit.ROWS  #: percent: of the rows tested


@dataclass(frozen=True, kw_only=True)
class Check:
    id: str  #: unique in its dataset
    description: str  #: follows the dataset's name
    expectation: str  #: its name in Great Expectations
    kwargs: Mapping[str, Any]
    #: the arguments of an expectation that fetches the keys of failing rows; None: those of *kwargs*
    keys_kwargs: Mapping[str, Any] | None = None
    field: str | None = None
    measure: Measure = Measure.FAILING_ROWS
    limit: Limit = Limit()
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, kw_only=True)
class Suite:
    dataset: str
    contract_hash: str
    query: str  #: the rows for expectations on columns
    checks: tuple[Check, ...]
    key: tuple[str, ...]  #: fields of the primary key
    shown_key: tuple[str, ...]  #: key fields whose values may be in a result


def table_of(dataset: Dataset) -> str:
    return qualified(SCHEMA, dataset.name)


def shown_key(dataset: Dataset) -> tuple[str, ...]:
    """Return the fields of the primary key whose values may be in a result."""
    return tuple(name for name in dataset.key if not dataset.field(name).is_confidential)


def failing_rows(dataset: Dataset, condition: str) -> dict[str, str]:
    """Return the arguments of an expectation that no row meets *condition*. It fetches keys that may be shown."""
    shown = shown_key(dataset)
    columns = identifiers(shown) if shown else "1 as failing"
    return rows_query(f"select {columns} from {table_of(dataset)} where {condition}")


def rows_query(query: str) -> dict[str, str]:
    # Great Expectations formats the query; SQLAlchemy reads a colon as the start of a parameter
    text = query.replace("{", "{{").replace("}", "}}").replace(":", "\\:")
    return {"unexpected_rows_query": text}
