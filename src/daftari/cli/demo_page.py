"""The demo's result on one page: 80 columns, readable without colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from daftari.io.ledger import Counts
from daftari.io.summary import DatasetSummary
from daftari.operations.run_demo import CURRENCY, Checks, DemoReport, Spend

_COUNTS = ("received", "inserted", "updated", "unchanged", "duplicate", "quarantined")
_HEIGHTS = "▁▂▃▄▅▆▇█"
_NAME_WIDTH, _BAR_WIDTH = 24, 16
_TOP_REASONS, _SHOWN_FAILURES = 3, 5


def show(report: DemoReport, console: Console) -> None:
    """Print *report*. Wants 80 columns and no more; what comes from data is never read as markup."""
    for part in _page(report):
        console.print(part, highlight=False, soft_wrap=True)


def _page(report: DemoReport) -> Iterator[RenderableType]:
    yield _heading(f"{report.organisation}, an invented organisation{_span(report.months)}")
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


def _span(months: Sequence[date]) -> str:
    return f": {months[0]:%B %Y} to {months[-1]:%B %Y}" if months else ""


def _first_line(report: DemoReport) -> str:
    if not report.new_files:
        return f"Nothing new to load: all {report.files} files are known. ({report.seconds:.0f} s)"
    known = report.files - report.new_files
    return (
        f"Loaded {report.new_files} files{f', {known} were known' if known else ''}; "
        f"every row is accounted for. ({report.seconds:.0f} s)"
    )


def _counts(datasets: Sequence[DatasetSummary]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("dataset", no_wrap=True)
    for name in _COUNTS:
        table.add_column(name, justify="right", no_wrap=True)
    for it in datasets:
        table.add_row(it.dataset, *_figures(it.counts))
    total = sum((it.counts for it in datasets), start=Counts())
    table.add_row("all", *_figures(total), style="bold")
    return table


def _figures(counts: Counts) -> list[str]:
    return [f"{getattr(counts, name):,}" for name in _COUNTS]


def _reasons(datasets: Sequence[DatasetSummary]) -> Iterator[RenderableType]:
    yield _heading("Why rows are in quarantine")
    width = max(len(it.dataset) for it in datasets)
    for it in datasets:
        if it.reasons:
            top = ", ".join(f"{rule} {rows:,}" for rule, rows in it.reasons[:_TOP_REASONS])
            more = len(it.reasons) - _TOP_REASONS
            yield Text(f"  {it.dataset:<{width}}  {top}{f' and {more} more' if more > 0 else ''}")


def _chart(months: Sequence[date], spend: Sequence[Spend]) -> Iterator[RenderableType]:
    yield _heading(
        f"Monthly spend by department, {months[0]:%b %Y} to {months[-1]:%b %Y}, {CURRENCY} million"
    )
    greatest = max(it.total for it in spend)
    for it in spend:
        bar = "█" * max(round(_BAR_WIDTH * it.total / greatest), 1)
        yield Text(
            f"  {it.department:<{_NAME_WIDTH}.{_NAME_WIDTH}} {_heights(it.by_month)} "
            f"{bar:<{_BAR_WIDTH}}{it.total / 1_000_000:>8,.1f}"
        )
    yield Text("  Left: each month beside the department's highest. Right: all months.", style="dim")


def _heights(values: Sequence[Decimal]) -> str:
    """Draw one column for each value, from nothing to the highest; a blank where there is nothing."""
    highest = max(values)
    if highest <= 0:
        return " " * len(values)
    steps = len(_HEIGHTS)
    return "".join(
        _HEIGHTS[min(int(value / highest * steps), steps - 1)] if value > 0 else " " for value in values
    )


def _checks(report: DemoReport) -> Iterator[RenderableType]:
    checks = report.checks
    style = "red" if checks.failed else "green"
    warned = f", {len(checks.warnings)} warned" if checks.warnings else ""
    yield Text(f"Checks: {checks.passed} passed, {len(checks.failed)} failed{warned}", style=f"bold {style}")
    yield from _sentences(checks)
    if report.published:
        yield f"Published: {', '.join(sorted(mart.name for mart in report.published))}"
    else:
        yield "Nothing was published: readers see what they saw before."


def _sentences(checks: Checks) -> Iterator[RenderableType]:
    said = [*(f"failed: {it}" for it in checks.failed), *(f"warned: {it}" for it in checks.warnings)]
    for sentence in said[:_SHOWN_FAILURES]:
        yield Text(f"  {sentence}")
    if len(said) > _SHOWN_FAILURES:
        yield f"  and {len(said) - _SHOWN_FAILURES} more"


def _next(report: DemoReport) -> Iterator[RenderableType]:
    yield _heading("Where to look next")
    for command, why in (
        (f"cd {report.folder}", ""),
        ("daftari quarantine show expenses", "what was refused, and why"),
        ("daftari load expenses inbox/expenses/2024-11_ledger.csv --explain", ""),
        ("daftari contract show expenses", "what the data is, who may see it"),
        ("daftari new pipeline fleet", "a pipeline of your own"),
    ):
        yield Text(f"  {command}" if not why else f"  {command:<40}# {why}")
