"""`daftari new`: scaffold inside a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daftari.cli.clock import now
from daftari.cli.options import DryRunOption, HeaderRowOption, SheetOption, WorkspaceOption, err, out
from daftari.errors import counted
from daftari.operations.contracts.import_contract import FileOptions
from daftari.operations.workspace.new_pipeline import PipelineSource, new_pipeline
from daftari.operations.workspace.open_workspace import read_workspace
from daftari.settings import read_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Add something new to the workspace.")


@app.callback()
def _noun() -> None:
    """Add something new to the workspace."""


@app.command()
def pipeline(
    name: Annotated[str, typer.Argument(help="Name of the pipeline, e.g. fleet-costs.")],
    dataset: Annotated[
        str | None,
        typer.Option(help="Name of its dataset. Default: the pipeline's.", show_default=False),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A file of rows to make it from: CSV, Excel, Parquet, JSON …", show_default=False
        ),
    ] = None,
    sheet: SheetOption = None,
    header_row: HeaderRowOption = None,
    workspace: WorkspaceOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Make a pipeline with a contract, a mapping, a mart and tests, ready to run.

    With --from they are made for the rows of a file; without it they are an example to change.

    Example: daftari new pipeline fleet-costs --from trips.xlsx --sheet March
    """
    if source is None and (sheet is not None or header_row is not None):
        raise typer.BadParameter("--sheet and --header-row need --from")
    root = read_settings(workspace).root
    read = read_workspace(root)
    options = FileOptions(sheet=sheet, header_row=header_row)
    given = None if source is None else PipelineSource(path=source, options=options, today=read.today(now()))
    made = new_pipeline(read, name, dataset=dataset, source=given, dry_run=dry_run)
    for path in made.files:
        out.print(path.relative_to(root), soft_wrap=True)
    if made.tried is not None:
        err.print(
            f"A load of {source} would receive {counted(made.tried.received, 'row')} and reject"
            f" {made.tried.rejected:,}."
            " Comments in the contract say what is doubtful.",
            markup=False,
            soft_wrap=True,
        )
    if not dry_run:
        sample = made.source or made.sample.relative_to(root)
        err.print(
            f"Next: daftari apply && daftari load {made.dataset} {sample}", markup=False, soft_wrap=True
        )
