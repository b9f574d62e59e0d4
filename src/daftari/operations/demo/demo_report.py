"""The results of the demo as one value, from which the page is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from daftari.io.runs.ledger import RunCounts as RunCounts
from daftari.io.runs.spend_summary import DatasetSummary as DatasetSummary

#: The only currency of the chart: amounts in two currencies are never added.
CURRENCY = "KES"


@dataclass(frozen=True, kw_only=True)
class Spend:
    department: str
    by_month: tuple[Decimal, ...]  #: in order of the report's months

    @property
    def total(self) -> Decimal:
        return sum(self.by_month, Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Checks:
    passed: int
    failed: tuple[str, ...] = ()  #: one sentence each; checks that could not be evaluated are included
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
    spend: tuple[Spend, ...]  #: highest spend first
    on_tables: Checks  #: comparing the tables with their contracts
    on_marts: Checks
    published: tuple[str, ...]  #: marts; empty when a check failed: marts published before stay
    seconds: float

    @property
    def checks(self) -> Checks:
        return self.on_tables + self.on_marts
