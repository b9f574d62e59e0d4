"""daftari undo: undo one load."""

from __future__ import annotations

from typing import Annotated

import typer

from daftari.cli.options import (
    DryRunOption,
    EnvOption,
    Output,
    OutputOption,
    WorkspaceOption,
    out,
    print_json,
)
from daftari.cli.session import open_session
from daftari.errors import counted
from daftari.operations.audit.undo_run import Undone, undo_run

app = typer.Typer(add_completion=False)


@app.command()
def undo(
    run: Annotated[int, typer.Argument(help="The number of the run.")],
    dry_run: DryRunOption = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Undo a load: delete the rows it inserted and restore the rows it updated. All of it, or nothing.

    Refused if a row was changed since. The file can be loaded again afterwards.

    Example: daftari undo 17 --dry-run
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        undone = undo_run(conn, session.workspace, run, dry_run=dry_run)
    if output is Output.JSON:
        print_json(undone)
        return
    _show(undone)


def _show(undone: Undone) -> None:
    if undone.changed_since:
        out.print(
            f"{counted(undone.changed_since, 'row')} of {undone.dataset} changed since: the undo would be refused."
        )
        return
    what = f"{counted(undone.removed, 'row')} removed, {undone.restored:,} restored"
    if undone.run_id is None:
        out.print(f"Would be undone: {what}. Nothing was changed.")
    else:
        out.print(f"Run {undone.undoes} of {undone.dataset} is undone by run {undone.run_id}: {what}.")
