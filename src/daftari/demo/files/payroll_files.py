"""Payroll as one file a month: a workbook with title and total, then a CSV of a new application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from daftari.demo.files.expected import DemoFile
from daftari.demo.files.layouts import body, column, csv_bytes, excel_bytes, headers, total
from daftari.demo.files.lines import FileLine, PlantedFault, lines_of, plant, repeat
from daftari.demo.organisation.records import Salary
from daftari.demo.organisation.words import ORGANISATION

_CSV_SINCE = date(2026, 1, 1)
#: The contract tolerates one wrong line in a hundred, so faults are rare and in one line.
_MONTHS_WITH_A_FAULT = (date(2025, 3, 1), date(2025, 8, 1), date(2026, 2, 1), date(2026, 6, 1))
_MONTHS_WITH_A_REPEAT = (date(2025, 5, 1), date(2026, 4, 1))
#: A month that was sent again, with corrected deductions of some people.
_REVISED, _CORRECTIONS = date(2025, 6, 1), 5
_AMOUNTS = ("basic", "allowances", "gross", "paye", "nssf", "shif", "housing_levy", "deductions", "net")

_FAULTS = (
    PlantedFault(rule="net_adds_up", spoil=lambda values: {"net": values["net"] + 1000}),
    PlantedFault(rule="user_id.reference", spoil=lambda _: {"user_id": "U0999"}),
    PlantedFault(
        rule="gross_adds_up",
        spoil=lambda values: {"gross": values["gross"] + 500, "net": values["net"] + 500},
    ),
    PlantedFault(
        rule="month_is_a_first_day", spoil=lambda values: {"month": values["month"].replace(day=28)}
    ),
)
_WORKBOOK = (
    column("Staff No", "user_id"),
    column("Pay month", "month"),
    column("Basic pay", "basic", float),
    column("Allowances", "allowances", float),
    column("Gross pay", "gross", float),
    column("PAYE", "paye", float),
    column("NSSF", "nssf", float),
    column("SHIF", "shif", float),
    column("AHL", "housing_levy", float),
    column("Other deductions", "deductions", float),
    column("Net pay", "net", float),
    column("Bank", "bank"),
    column("Branch", "branch"),
    column("Account", "account"),
)
_CSV = tuple(column(name, name, str) for name in Salary.__slots__)


def payroll_files(seed: int, payroll: Mapping[date, Sequence[Salary]]) -> Iterator[DemoFile]:
    random = Random(f"{seed}/payroll files")
    for month, salaries in payroll.items():
        lines = lines_of(salaries, "user_id", "month")
        if month in _MONTHS_WITH_A_FAULT:
            lines = plant(random, lines, [_FAULTS[_MONTHS_WITH_A_FAULT.index(month)]], 1)
        if month in _MONTHS_WITH_A_REPEAT:
            lines = repeat(random, lines, 1)
        yield _file(month, lines)
        if month == _REVISED:
            yield _file(month, _revised(random, lines), suffix="_rev1")


def _file(month: date, lines: Sequence[FileLine], *, suffix: str = "") -> DemoFile:
    is_csv = month >= _CSV_SINCE
    return DemoFile(
        dataset="salaries",
        name=f"{month:%Y-%m}_payroll{suffix}.{'csv' if is_csv else 'xlsx'}",
        content=csv_bytes([headers(_CSV), *body(_CSV, lines)]) if is_csv else _workbook(month, lines),
        lines=tuple(lines),
    )


def _workbook(month: date, lines: Sequence[FileLine]) -> bytes:
    sums = [float(total(lines, name)) for name in _AMOUNTS]
    rows = [
        [f"{ORGANISATION}: payroll for {month:%B %Y}"],
        [],
        headers(_WORKBOOK),
        *body(_WORKBOOK, [_with_parts_of_account(line) for line in lines]),
        ["TOTAL", "", *sums, "", "", ""],
    ]
    return excel_bytes(rows, sheet="Payroll", merged=("A1:N1",))


def _with_parts_of_account(line: FileLine) -> FileLine:
    bank, branch, account = line.values["bank_account"].split("-")
    return replace(line, values={**line.values, "bank": bank, "branch": branch, "account": account})


def _revised(random: Random, lines: Sequence[FileLine]) -> list[FileLine]:
    revised = list(lines)
    for place in random.sample(range(len(lines)), _CORRECTIONS):
        revised[place] = replace(lines[place], values=_more_deducted(lines[place].values))
    return revised


def _more_deducted(values: Mapping[str, Any]) -> dict[str, Any]:
    more = Decimal("1500.00")
    return {**values, "deductions": values["deductions"] + more, "net": values["net"] - more}
