from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from daftari.cli.demo_page import show_demo_page
from daftari.io.runs.ledger import RunCounts
from daftari.io.runs.spend_summary import DatasetSummary
from daftari.operations.demo.demo_report import Checks, DemoReport, Spend

REPORT = DemoReport(
    organisation="Mto Mwangaza Trust",
    folder=Path("demo"),
    files=3,
    new_files=3,
    datasets=(
        DatasetSummary(dataset="departments", files=1, counts=RunCounts(received=13, inserted=13)),
        DatasetSummary(
            dataset="expenses",
            files=2,
            counts=RunCounts(
                received=50_599, inserted=49_322, updated=182, unchanged=195, duplicate=200, quarantined=700
            ),
            reasons=(
                ("spent_on.required", 72),
                ("approved_after_spent", 71),
                ("department_code.reference", 70),
                ("shape", 40),
            ),
        ),
    ),
    months=(date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)),
    spend=(
        Spend(department="Programmes", by_month=(Decimal(4_000_000), Decimal(2_000_000), Decimal(0))),
        Spend(department="Finance", by_month=(Decimal(1_500_000), Decimal(500_000), Decimal(1_000_000))),
    ),
    on_tables=Checks(passed=174),
    on_marts=Checks(passed=132),
    published=("monthly_spend_summary", "payroll_cost"),
    seconds=41.3,
)

PAGE = """\
Mto Mwangaza Trust, an invented organisation
Loaded 3 of 3 files; every row is accounted for. (41 s)

dataset     received inserted updated unchanged duplicate quarantined
departments       13       13       0         0         0           0
expenses      50,599   49,322     182       195       200         700
all           50,612   49,335     182       195       200         700

Why rows are in quarantine
  expenses     spent_on.required 72, approved_after_spent 71,
               department_code.reference 70 and 1 more

Monthly spend by department, Aug 2026 to Oct 2026, KES million
  Programmes               █▅  ████████████████     6.0
  Finance                  █▃▆ ████████             3.0
  Left: each month relative to the department's highest. Right: the total.

Checks: 306 passed, 0 failed (174 on tables, 132 on marts passed)
Published marts: monthly_spend_summary, payroll_cost

Next steps
  cd demo
  daftari quarantine show expenses  # which rows were rejected, and why
  daftari contract show expenses    # what the data means, who may see it
  daftari quality show              # what was checked
  daftari verify                    # does the database match its contracts?
  daftari new pipeline fleet        # make your own pipeline
  daftari load expenses inbox/expenses/2024-11_ledger.csv --explain
"""


def page(report: DemoReport) -> str:
    text = io.StringIO()
    show_demo_page(report, Console(file=text, width=80))
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def test_the_page_tells_what_happened_and_where_to_look_next():
    assert page(REPORT) == PAGE


@pytest.mark.parametrize(
    ("new_files", "line"),
    [
        (3, "Loaded 3 of 3 files; every row is accounted for. (41 s)"),
        (1, "Loaded 1 of 3 files, the others before; every row is accounted for. (41 s)"),
        (0, "Nothing new to load: all 3 files were loaded before. (41 s)"),
    ],
)
def test_the_second_line_says_whether_anything_was_new(new_files, line):
    assert page(replace(REPORT, new_files=new_files)).splitlines()[1] == line


def test_a_failed_check_is_named_and_says_that_nothing_was_published():
    failed = Checks(passed=130, failed=("test expenses_are_there: got 1 result",), warnings=("late",))

    text = page(replace(REPORT, on_marts=failed, published=(), months=(), spend=()))

    assert "Checks: 304 passed, 1 failed, 1 warned" in text
    assert "  failed: test expenses_are_there: got 1 result\n  warned: late\n" in text
    assert "No mart was published: readers see the previous version." in text
    assert "Monthly spend" not in text


def test_brackets_in_data_are_no_markup():
    text = page(replace(REPORT, organisation="[bold]Trust[/bold]"))

    assert text.startswith("[bold]Trust[/bold], an invented organisation")


def test_no_line_is_longer_than_80_columns():
    long = DatasetSummary(
        dataset="leave_requests",
        files=1,
        counts=RunCounts(received=99_999_999, inserted=99_999_999),
        reasons=tuple((f"a_rule_with_a_rather_long_name_{number}", 1_000) for number in range(9)),
    )

    text = page(replace(REPORT, datasets=(long,), published=tuple(f"mart_number_{n}" for n in range(20))))

    assert max(len(line) for line in text.splitlines()) <= 80
