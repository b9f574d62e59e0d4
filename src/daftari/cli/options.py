"""Options that several commands share, with the same text and behaviour everywhere."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"


WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        help="The workspace folder. Default: the nearest one upwards with a daftari.toml.",
        envvar="DAFTARI_WORKSPACE",
        show_default=False,
    ),
]
EnvOption = Annotated[
    str | None,
    typer.Option(
        "--env", help="Environment: dev, staging or prod.", envvar="DAFTARI_ENV", show_default="dev"
    ),
]
OutputOption = Annotated[Output, typer.Option("--output", help="Format of the result.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
SheetOption = Annotated[
    str | None,
    typer.Option(
        help="The sheet of a workbook, by its name or number. Default: the only one with rows, or with the columns.",
        show_default=False,
    ),
]
HeaderRowOption = Annotated[
    int | None,
    typer.Option(
        "--header-row",
        min=0,
        help="The line of the header; 0: the file has none. Default: found by itself.",
    ),
]

#: Results. Wraps at 80 columns when not on a terminal, so that piped output is the same everywhere.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 80)
#: Messages: progress, warnings, hints.
err = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print a value (dataclasses included) as one JSON document on standard output."""
    document = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    typer.echo(json.dumps(document, indent=2, default=str))
