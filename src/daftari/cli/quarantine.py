"""daftari quarantine: show, correct and replay rejected rows."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from daftari.cli.loaded import show_loaded
from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, out, print_json
from daftari.cli.session import now, open_session
from daftari.contract.model import Dataset
from daftari.errors import counted
from daftari.operations.quarantine.export_quarantine import export_quarantine, reasons_in_words
from daftari.operations.quarantine.replay_quarantine import replay_corrected
from daftari.operations.quarantine.replay_quarantine import replay_quarantine as replay_files
from daftari.operations.quarantine.show_quarantine import QuarantineEntry, show_entries, show_files

app = typer.Typer(no_args_is_help=True, help="Show, correct and replay rejected rows.")

DatasetArgument = Annotated[str, typer.Argument(help="The dataset, e.g. expenses.")]


@app.command("list")
def list_(
    dataset: Annotated[str | None, typer.Argument(help="Only this dataset.")] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List the files with rejected rows, newest first.

    Example: daftari quarantine list
    """
    session = open_session(workspace, env)
    if dataset is not None:
        session.workspace.dataset(dataset)
    with session.connection() as conn:
        files = show_files(conn, dataset)
    if output is Output.JSON:
        print_json([asdict(file) for file in files])
        return
    if not files:
        out.print("Nothing is in quarantine.")
        return
    table = Table("dataset", "run", "file", "rows", "most common reason", box=None, pad_edge=False)
    for file in files:
        table.add_row(file.dataset, str(file.run_id), file.source, f"{file.rows:,}", file.top_reason)
    out.print(table)


@app.command()
def show(
    dataset: DatasetArgument,
    run: Annotated[int | None, typer.Option(help="Only rows of this run.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many rows.")] = 20,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show rejected rows, each with its line and its reasons. Protected values are shown as ***.

    Example: daftari quarantine show expenses --limit 5
    """
    session = open_session(workspace, env)
    _, contract = session.workspace.dataset(dataset)
    with session.connection() as conn:
        found = show_entries(conn, dataset, run_id=run, limit=limit)
    if output is Output.JSON:
        print_json([asdict(entry) for entry in found.entries])
        return
    for entry in found.entries:
        _show_entry(entry, contract.dataset)
    if found.is_cut:
        out.print(f"There are more: use --limit {10 * limit}.")
    if not found.entries:
        out.print(f"No row of {dataset} is in quarantine.")


def _show_entry(entry: QuarantineEntry, dataset: Dataset) -> None:
    out.print(
        f"#{entry.quarantine_id}  {entry.source}, line {entry.line}: {reasons_in_words(entry)}", markup=False
    )
    preview = entry.preview or {}
    names = [field.name for field in dataset.fields]
    shown = [f"{name}={preview[name]}" for name in names if preview.get(name) is not None]
    if shown:
        out.print("    " + ", ".join(shown), markup=False)


@app.command()
def export(
    dataset: DatasetArgument,
    folder: Annotated[Path, typer.Option("--to", file_okay=False, help="The folder to write into.")] = Path(),
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """Write rejected rows to CSV files, as in their sources, to be corrected and replayed.

    The files hold protected values in plain text, as the sources do: store them as safely.

    Example: daftari quarantine export expenses --to corrections/
    """
    session = open_session(workspace, env)
    session.workspace.dataset(dataset)
    with session.connection() as conn:
        written = list(export_quarantine(conn, session.workspace, dataset, folder))
    for one in written:
        out.print(f"{one.path}: {counted(one.rows, 'row')} of {one.source}", markup=False)
        if one.shapeless:
            lines = ", ".join(map(str, one.shapeless[:10])) + (" …" if len(one.shapeless) > 10 else "")
            out.print(f"  not exported, to be corrected in {one.source} itself: line {lines}", markup=False)
    if any(one.rows for one in written):
        out.print(f"Correct them, then: daftari quarantine replay {dataset} --corrected FILE")
    if not written:
        out.print(f"No row of {dataset} is in quarantine.")


@app.command()
def replay(
    dataset: DatasetArgument,
    corrected: Annotated[
        Path | None,
        typer.Option(help="A corrected file of `quarantine export`. Default: the source files."),
    ] = None,
    run: Annotated[int | None, typer.Option(help="Only rows of this run.")] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Check rejected rows again, after the contract, the mapping or the rows were corrected.

    Rows that pass are loaded; the others stay in quarantine. Repeating it changes nothing.

    Example: daftari quarantine replay expenses --corrected corrections/march.quarantine.csv
    """
    if corrected and run is not None:
        raise typer.BadParameter("cannot be used with --corrected", param_hint="'--run'")
    session = open_session(workspace, env)
    session.workspace.dataset(dataset)
    with session.connection() as conn:
        found = (
            replay_corrected(conn, session.workspace, dataset, corrected, now=now())
            if corrected
            else replay_files(conn, session.workspace, dataset, now=now(), run_id=run)
        )
        loaded = list(found)
    if not loaded and output is Output.TEXT:
        out.print(f"No row of {dataset} is waiting for this.")
        return
    show_loaded(loaded, output)
