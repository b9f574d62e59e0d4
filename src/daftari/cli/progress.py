"""Progress of a command, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from daftari.cli.options import err


@contextmanager
def rows_shown() -> Iterator[Callable[[Path], Callable[[int], None]]]:
    """
    Yield a function that starts the progress line of a file and returns its row counter.

    Off a terminal, nothing is shown and nothing is imported.
    """
    if not err.is_terminal:
        yield lambda _path: lambda _rows: None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as shown:

        def begin(path: Path) -> Callable[[int], None]:
            for earlier in shown.task_ids:
                shown.remove_task(earlier)
            return partial(shown.advance, shown.add_task(path.name, total=None))

        yield begin
