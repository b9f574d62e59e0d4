"""daftari quarantine: rows that were refused, and their way back."""

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
from daftari.operations.quarantine.export_quarantine import export_quarantine, reasons_in_words
from daftari.operations.quarantine.replay_quarantine import replay_corrected
from daftari.operations.quarantine.replay_quarantine import replay_quarantine as replay_files
from daftari.operations.quarantine.show_quarantine import QuarantineEntry, show_entries, show_files

app = typer.Typer(no_args_is_help=True, help="Rows that were refused: look at them, mend them, replay them.")

DatasetArgument = Annotated[str, typer.Argument(help="The dataset, e.g. expenses.")]


@app.command("list")
def list_(
    dataset: Annotated[str | None, typer.Argument(help="Only this dataset.")] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List the files with rows in quarantine, newest first.

    Example: daftari quarantine list
    """
    session = open_session(workspace, env)
    if dataset is not None:
        session.workspace.dataset(dataset)
    with session.connection() as conn:
        piles = show_files(conn, dataset)
    if output is Output.JSON:
        print_json([asdict(pile) for pile in piles])
        return
    if not piles:
        out.print("Nothing is in quarantine.")
        return
    table = Table("dataset", "run", "file", "rows", "commonest reason", box=None, pad_edge=False)
    for pile in piles:
        table.add_row(pile.dataset, str(pile.run_id), pile.source, f"{pile.rows:,}", pile.top_reason)
    out.print(table)


@app.command()
def show(
    dataset: DatasetArgument,
    run: Annotated[int | None, typer.Option(help="Only rows of this run.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows at the most.")] = 20,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show rows in quarantine, each with its place and its reasons. Protected values are ***.

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
        out.print(f"There are more; --limit {10 * limit} shows up to so many.")
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
    """Write quarantined rows to CSV files, as their sources had them, to be mended and replayed.

    The files hold protected values in the clear, as the sources do: keep them as the sources are kept.

    Example: daftari quarantine export expenses --to mending/
    """
    session = open_session(workspace, env)
    session.workspace.dataset(dataset)
    with session.connection() as conn:
        written = list(export_quarantine(conn, session.workspace, dataset, folder))
    for one in written:
        out.print(f"{one.path}: {one.rows:,} rows of {one.source}", markup=False)
        if one.shapeless:
            lines = ", ".join(map(str, one.shapeless[:10])) + (" …" if len(one.shapeless) > 10 else "")
            out.print(f"  not in it, to be mended in {one.source} itself: line {lines}", markup=False)
    if any(one.rows for one in written):
        out.print(f"Mend them, then: daftari quarantine replay {dataset} --mended FILE")
    if not written:
        out.print(f"No row of {dataset} is in quarantine.")


@app.command()
def replay(
    dataset: DatasetArgument,
    mended: Annotated[
        Path | None,
        typer.Option(help="A corrected file of `quarantine export`. Default: the sources themselves."),
    ] = None,
    run: Annotated[int | None, typer.Option(help="Only rows of this run.")] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Judge quarantined rows again, after the contract, the mapping or the rows were mended.

    What is in order now is loaded; what is not stays in quarantine. Repeating it changes nothing.

    Example: daftari quarantine replay expenses --mended mending/march.quarantine.csv
    """
    if mended and run is not None:
        raise typer.BadParameter("goes with the sources, not with --mended", param_hint="'--run'")
    session = open_session(workspace, env)
    session.workspace.dataset(dataset)
    with session.connection() as conn:
        found = (
            replay_corrected(conn, session.workspace, dataset, mended, now=now())
            if mended
            else replay_files(conn, session.workspace, dataset, now=now(), run_id=run)
        )
        loaded = list(found)
    if not loaded and output is Output.TEXT:
        out.print(f"No row of {dataset} waits for this.")
        return
    show_loaded(loaded, output)
