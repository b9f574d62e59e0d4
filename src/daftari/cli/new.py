"""`daftari new`: scaffold inside a workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from daftari.cli.options import DryRunOption, WorkspaceOption, err, out
from daftari.operations.workspace.new_pipeline import new_pipeline
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
    workspace: WorkspaceOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Make a pipeline with a contract, a mapping, a mart and tests, ready to run.

    Example: daftari new pipeline fleet-costs --dataset trips
    """
    root = read_settings(workspace).root
    made = new_pipeline(read_workspace(root), name, dataset=dataset, dry_run=dry_run)
    for path in made.files:
        out.print(path.relative_to(root), soft_wrap=True)
    if not dry_run:
        sample = made.sample.relative_to(root)
        err.print(f"Next: daftari apply && daftari load {made.dataset} {sample}", soft_wrap=True)
