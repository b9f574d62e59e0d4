"""The last lines of a run: which PostgreSQL ran what, and what was skipped and why."""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.servers import kind_named

WIDTH = 80
_OUTCOMES = ("passed", "failed", "skipped")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write the lines above pytest's own last one."""
    for line in (*servers(terminalreporter.stats), *skips(terminalreporter.stats.get("skipped", []))):
        terminalreporter.write_line(line)


def servers(stats: Mapping[str, Sequence[Any]]) -> list[str]:
    """Count passed, failed and skipped tests by the kind of PostgreSQL that they ran on."""
    ran = Counter(
        (said, outcome)
        for outcome in _OUTCOMES
        for report in stats.get(outcome, [])
        # The report of a module that was skipped while it was collected has none.
        for name, said in getattr(report, "user_properties", ())
        if name == "server"
    )
    lines = []
    for kind in sorted({kind for kind, _ in ran}):
        binaries = kind_named(kind).binaries
        extras = [it for it in ("pgcrypto", "pgaudit") if it in binaries.libraries]
        counts = ", ".join(f"{ran[kind, it]} {it}" for it in _OUTCOMES if ran[kind, it])
        what = " and ".join(extras) or "no pgcrypto"
        lines.append(f"on PostgreSQL {binaries.version} ({binaries.kind}; {what}): {counts}")
    return lines


def skips(reports: Iterable[Any]) -> list[str]:
    """Count the tests, and the modules that were skipped whole, by the reason; the most frequent first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for report in reports:
        counts[_reason(report)]["module" if report.when == "collect" else "test"] += 1
    lines = ["skipped:"] if counts else []
    for reason, units in sorted(counts.items(), key=lambda it: (-it[1].total(), it[0])):
        what = " and ".join(
            f"{n} {unit}{'s' if n > 1 else ''}" for unit, n in sorted(units.items(), reverse=True)
        )
        lines += textwrap.wrap(f"  {what}: {reason}", WIDTH, subsequent_indent="    ")
    return lines


def _reason(report: Any) -> str:
    """Return why *report* is one of a skip: the last of file, line and message."""
    message = report.longrepr[2] if isinstance(report.longrepr, (tuple, list)) else str(report.longrepr)
    return str(message).removeprefix("Skipped: ")
