"""`daftari keys`: what sealed values are sealed under."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.table import Table

from daftari.cli.options import (
    DryRunOption,
    EnvOption,
    Output,
    OutputOption,
    WorkspaceOption,
    err,
    out,
    print_json,
)
from daftari.cli.session import open_session

if TYPE_CHECKING:
    from daftari.operations.keys.key_status import SurveyedKeys

app = typer.Typer(no_args_is_help=True, help="Look at the keys of sealed fields, and renew them.")


@app.command()
def status(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """
    Tell how many keys there are, and how many values of each field wait for a rotation.

    Example: daftari keys status --output json
    """
    from daftari.operations.keys.key_status import survey_keys

    session = open_session(workspace, env)
    with session.connection() as conn:
        found = survey_keys(conn, session.keys, session.workspace.contracts)
    if output is Output.JSON:
        print_json(found)
    else:
        _show(found)


def _show(found: SurveyedKeys) -> None:
    state = found.state
    out.print(
        f"{state.keys:,} keys, {state.destroyed:,} destroyed; wrapped by {found.wrapped_by}", markup=False
    )
    out.print(f"epoch {state.epoch}; values are sealed under version {state.generation}")
    table = Table("field", "sealed values", "of earlier versions", box=None, pad_edge=False)
    for one in found.fields:
        table.add_row(one.field, f"{one.values:,}", f"{one.outdated:,}")
    out.print(table)
    if state.is_rotating:
        out.print("A rotation is unfinished: `daftari keys rotate` goes on with it.")
    if state.outdated:
        out.print("An epoch is unfinished: `daftari keys epoch` begins another, and finishes it.")


@app.command()
def rotate(
    dry_run: DryRunOption = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Seal every value anew, under new versions of the keys, while others work. Killed, it goes on when run again.

    Example: daftari keys rotate
    """
    from daftari.operations.keys.rotate_keys import rotate_keys

    session = open_session(workspace, env)
    rows = 0

    def told(more: int) -> None:
        nonlocal rows
        rows += more
        shown.update(f"Sealing anew: {rows:,} rows")

    with session.connection() as conn, err.status("Sealing anew") as shown:
        done = rotate_keys(conn, session.keys, session.workspace.contracts, dry_run=dry_run, progress=told)
    if output is Output.JSON:
        print_json(done)
        return
    verb = "would be" if dry_run else "were"
    out.print(f"{done.rows:,} rows {verb} sealed anew, under version {done.generation}")


@app.command()
def epoch(
    dry_run: DryRunOption = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Renew what wraps the keys, and destroy what did: copies of the key store from before open nothing any more.

    Example: daftari keys epoch
    """
    from daftari.operations.keys.begin_key_epoch import begin_key_epoch

    done = begin_key_epoch(open_session(workspace, env).keys, dry_run=dry_run)
    if output is Output.JSON:
        print_json(done)
        return
    verb = "would be" if dry_run else "were"
    out.print(f"{done.rewrapped:,} keys {verb} wrapped anew; epoch {done.epoch}")
    if not dry_run:
        out.print("Renew the backup of the wrapping key, and destroy the one from before.")
