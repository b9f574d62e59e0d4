"""`daftari init`: make a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daftari.cli.options import DryRunOption, err, out
from daftari.operations.workspace.init_workspace import init_workspace

app = typer.Typer(add_completion=False)


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    name: Annotated[
        str | None, typer.Option(help="The organisation's name. Default: the folder's.", show_default=False)
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Make a workspace with contracts, mappings, marts and settings of seven datasets.

    Example: daftari init ~/registry --name "Mto Mwangaza Trust"
    """
    files = init_workspace(directory, name=name or directory.resolve().name, dry_run=dry_run)
    if dry_run:
        for path in files:
            out.print(directory / path, soft_wrap=True)
        return
    err.print(f"Created a workspace of {len(files)} files in {directory}.", soft_wrap=True)
    err.print(f"Next: cd {directory} && daftari apply", soft_wrap=True)
