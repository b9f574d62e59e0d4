"""What the demo found, as one value: the page is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from daftari.io.runs.ledger import RunCounts as RunCounts
from daftari.io.runs.summary import DatasetSummary as DatasetSummary

#: The only currency of the chart: amounts of two are never added up.
CURRENCY = "KES"


@dataclass(frozen=True, kw_only=True)
class Spend:
    department: str
    by_month: tuple[Decimal, ...]  #: in the order of the report's months

    @property
    def total(self) -> Decimal:
        return sum(self.by_month, Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Checks:
    passed: int
    failed: tuple[str, ...] = ()  #: each in a sentence; what could not be evaluated is among them
    warnings: tuple[str, ...] = ()

    def __add__(self, other: Checks) -> Checks:
        return Checks(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            warnings=self.warnings + other.warnings,
        )


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    organisation: str
    folder: Path
    files: int  #: in the inbox
    new_files: int  #: that this run loaded
    datasets: tuple[DatasetSummary, ...]
    months: tuple[date, ...]
    spend: tuple[Spend, ...]  #: the department that spent most first
    on_tables: Checks  #: of the tables against their contracts
    on_marts: Checks
    published: tuple[str, ...]  #: marts; empty when a check failed: what was published before stays
    seconds: float

    @property
    def checks(self) -> Checks:
        return self.on_tables + self.on_marts
