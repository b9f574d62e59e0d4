"""The demo's result on one page: 80 columns, readable without colours."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from daftari.operations.demo.demo_report import (
    CURRENCY,
    Checks,
    DatasetSummary,
    DemoReport,
    RunCounts,
    Spend,
)

_WIDTH = 80
_COUNTS = ("received", "inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined")
_HEIGHTS = "▁▂▃▄▅▆▇█"
_NAME_WIDTH, _BAR_WIDTH = 24, 16
_TOP_REASONS, _SHOWN_SENTENCES = 3, 5


def show_demo_page(report: DemoReport, console: Console) -> None:
    """Print *report*; text from data is never read as markup."""
    for part in _page(report):
        console.print(part, highlight=False, markup=False, soft_wrap=True)


def _page(report: DemoReport) -> Iterator[RenderableType]:
    yield _heading(f"{report.organisation}, an invented organisation")
    yield _first_line(report)
    yield ""
    yield _counts(report.datasets)
    yield ""
    yield from _reasons(report.datasets)
    if report.spend:
        yield ""
        yield from _chart(report.months, report.spend)
    yield ""
    yield from _checks(report)
    yield ""
    yield from _next(report)


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _wrapped(text: str, *, indent: int) -> str:
    """Break *text* at 80 columns and indent further lines; a word without spaces, such as a path, is not broken."""
    lines = textwrap.wrap(
        text, _WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines)


def _first_line(report: DemoReport) -> str:
    if not report.new_files:
        return f"Nothing new to load: all {report.files} files were loaded before. ({report.seconds:.0f} s)"
    known = report.files - report.new_files
    return (
        f"Loaded {report.new_files} of {report.files} files{', the others before' if known else ''}; "
        f"every row is accounted for. ({report.seconds:.0f} s)"
    )


def _counts(datasets: Sequence[DatasetSummary]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("dataset", no_wrap=True)
    total = sum((it.counts for it in datasets), start=RunCounts())
    names = [name for name in _COUNTS if name != "superseded" or total.superseded]
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for it in datasets:
        table.add_row(it.dataset, *_figures(it.counts, names))
    table.add_row("all", *_figures(total, names), style="bold")
    return table


def _figures(counts: RunCounts, names: Sequence[str]) -> list[str]:
    return [f"{getattr(counts, name):,}" for name in names]


def _reasons(datasets: Sequence[DatasetSummary]) -> Iterator[RenderableType]:
    yield _heading("Why rows are in quarantine")
    width = max((len(it.dataset) for it in datasets), default=0)
    for it in datasets:
        if it.reasons:
            top = ", ".join(f"{rule} {rows:,}" for rule, rows in it.reasons[:_TOP_REASONS])
            more = len(it.reasons) - _TOP_REASONS
            line = f"  {it.dataset:<{width}}  {top}{f' and {more} more' if more > 0 else ''}"
            yield _wrapped(line, indent=width + 4)


def _chart(months: Sequence[date], spend: Sequence[Spend]) -> Iterator[RenderableType]:
    yield _heading(
        f"Monthly spend by department, {months[0]:%b %Y} to {months[-1]:%b %Y}, {CURRENCY} million"
    )
    greatest = max(it.total for it in spend)
    for it in spend:
        length = round(_BAR_WIDTH * it.total / greatest) if greatest > 0 else 0
        yield (
            f"  {it.department:<{_NAME_WIDTH}.{_NAME_WIDTH}} {_heights(it.by_month)} "
            f"{'█' * length:<{_BAR_WIDTH}}{it.total / 1_000_000:>8,.1f}"
        )
    yield Text("  Left: each month relative to the department's highest. Right: the total.", style="dim")


def _heights(values: Sequence[Decimal]) -> str:
    """Draw a column for each value, relative to the highest; a blank for a month without spending."""
    highest = max(values)
    steps = len(_HEIGHTS)
    return "".join(
        _HEIGHTS[min(int(value / highest * steps), steps - 1)] if value > 0 else " " for value in values
    )


def _checks(report: DemoReport) -> Iterator[RenderableType]:
    checks = report.checks
    warned = f", {len(checks.warnings)} warned" if checks.warnings else ""
    yield Text(
        f"Checks: {checks.passed} passed, {len(checks.failed)} failed{warned} "
        f"({report.on_tables.passed} on tables, {report.on_marts.passed} on marts passed)",
        style="bold red" if checks.failed else "bold green",
    )
    yield from _sentences(checks)
    if report.published:
        yield _wrapped(f"Published marts: {', '.join(report.published)}", indent=2)
    else:
        yield "No mart was published: readers see the previous version."


def _sentences(checks: Checks) -> Iterator[RenderableType]:
    sentences = [*(f"failed: {it}" for it in checks.failed), *(f"warned: {it}" for it in checks.warnings)]
    for sentence in sentences[:_SHOWN_SENTENCES]:
        yield _wrapped(f"  {sentence}", indent=4)
    if len(sentences) > _SHOWN_SENTENCES:
        yield f"  and {len(sentences) - _SHOWN_SENTENCES} more"


def _next(report: DemoReport) -> Iterator[RenderableType]:
    yield _heading("Next steps")
    yield f"  cd {report.folder}"
    for command, why in (
        ("daftari quarantine show expenses", "which rows were rejected, and why"),
        ("daftari contract show expenses", "what the data means, who may see it"),
        ("daftari quality show", "what was checked"),
        ("daftari verify", "does the database match its contracts?"),
        ("daftari new pipeline fleet", "make your own pipeline"),
    ):
        yield f"  {command:<34}# {why}"
    yield "  daftari load expenses inbox/expenses/2024-11_ledger.csv --explain"
