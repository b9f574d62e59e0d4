"""`daftari keys`: the keys of sealed fields."""

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

app = typer.Typer(no_args_is_help=True, help="Show and renew the keys of sealed fields.")


@app.command()
def status(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """
    Show the number of keys, and of each field the number of values still to be re-encrypted.

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
        f"keys: {state.keys:,}, {state.destroyed:,} destroyed; wrapped by {found.wrapped_by}", markup=False
    )
    out.print(f"epoch {state.epoch}; values are sealed under version {state.generation}")
    table = Table("field", "sealed values", "of earlier versions", box=None, pad_edge=False)
    for one in found.fields:
        table.add_row(one.field, f"{one.values:,}", f"{one.outdated:,}")
    out.print(table)
    if state.is_rotating:
        out.print("A rotation is unfinished: `daftari keys rotate` continues it.")
    if state.outdated:
        out.print("An epoch is unfinished: `daftari keys epoch` starts another and finishes it.")


@app.command()
def rotate(
    dry_run: DryRunOption = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Re-encrypt every value under new versions of the keys. Others can work meanwhile. If interrupted, run it again.

    Example: daftari keys rotate
    """
    from daftari.operations.keys.rotate_keys import rotate_keys

    session = open_session(workspace, env)
    rows = 0

    def count(more: int) -> None:
        nonlocal rows
        rows += more
        shown.update(f"Re-encrypting: {rows:,} rows")

    with session.connection() as conn, err.status("Re-encrypting") as shown:
        done = rotate_keys(conn, session.keys, session.workspace.contracts, dry_run=dry_run, progress=count)
    if output is Output.JSON:
        print_json(done)
        return
    verb = "would be" if dry_run else "were"
    out.print(f"{done.rows:,} rows {verb} re-encrypted under version {done.generation}")


@app.command()
def epoch(
    dry_run: DryRunOption = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Make a new wrapping key and destroy the old one: earlier copies of the key store cannot be decrypted any more.

    Example: daftari keys epoch
    """
    from daftari.operations.keys.begin_key_epoch import begin_key_epoch

    done = begin_key_epoch(open_session(workspace, env).keys, dry_run=dry_run)
    if output is Output.JSON:
        print_json(done)
        return
    verb = "would be" if dry_run else "were"
    out.print(f"{done.rewrapped:,} keys {verb} rewrapped; epoch {done.epoch}")
    if not dry_run:
        out.print("Back up the new wrapping key, and destroy the backup of the old one.")
