"""The outcome of loaded and replayed files, as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from daftari.cli.options import Output, err, out, print_json
from daftari.errors import counted

if TYPE_CHECKING:
    from rich.table import Table

    from daftari.errors import DaftariError
    from daftari.operations.load.load_files import Loaded

_REASONS = 5  #: shown for each file
_COUNTS = ("received", "inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined")


def show_loaded(loaded: Sequence[Loaded], output: Output) -> None:
    """Print the outcome of each file's rows."""
    if output is Output.JSON:
        print_json([{**asdict(one), "remarks": [it.as_json() for it in one.remarks]} for one in loaded])
        return
    fresh = [one for one in loaded if not one.known]
    if fresh:
        out.print(_table(fresh))
    for one in loaded:
        for line in _remarks(one):
            out.print(f"{one.source}: {line}", markup=False)
    if any(one.counts.quarantined for one in fresh):
        out.print(f"Show rejected rows: daftari quarantine show {fresh[0].dataset}")


def raise_first(errors: Sequence[DaftariError]) -> None:
    """Print every error; the first one sets the exit code."""
    for error in errors[1:]:
        err.print(f"error: {error}", markup=False, soft_wrap=True)
        if error.hint:
            err.print(f"hint: {error.hint}", markup=False, soft_wrap=True)
    if errors:
        raise errors[0]


def _remarks(one: Loaded) -> Iterator[str]:
    if one.known:
        yield f"nothing new; run {one.run_id} loaded this content"
    for reason in one.reasons[:_REASONS]:
        first = f", from line {reason.line}" if reason.rule == "shape" else ""
        yield f"{reason.rows:,} x {f'{reason.field} {reason.reason}'.strip()} ({reason.rule}){first}"
    if len(one.reasons) > _REASONS:
        yield f"and {len(one.reasons) - _REASONS} more reasons"
    if one.left_out.rows - one.left_out.header:
        yield f"left out: {replace(one.left_out, header=0)}"
    yield from map(str, one.remarks)
    if one.corrected:
        yield f"{counted(one.corrected, 'row')} from quarantine resolved"
    if not one.known:
        yield f"run {one.run_id}: see it with daftari runs show {one.run_id}, undo it with daftari undo {one.run_id}"


def _table(loaded: Sequence[Loaded]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    names = [name for name in _COUNTS if name != "superseded" or any(one.counts.superseded for one in loaded)]
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("file", overflow="fold")  # last, as it may be long
    for one in loaded:
        table.add_row(*(f"{getattr(one.counts, name):,}" for name in names), one.source)
    return table
