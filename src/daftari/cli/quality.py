"""`daftari quality`: run the checks of the contracts, and show their results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, err, out, print_json
from daftari.cli.session import open_session
from daftari.compile.quality.verdicts import CheckOutcome, CheckVerdict
from daftari.operations.quality.show_checks import CheckedDataset, show_checks

app = typer.Typer(no_args_is_help=True, help="Check tables against their contracts.")

DatasetsArgument = Annotated[list[str] | None, typer.Argument(help="Datasets. Default: all.")]
_COLOURS = {
    CheckVerdict.PASSED: "green",
    CheckVerdict.FAILED: "red",
    CheckVerdict.WARNED: "yellow",
    CheckVerdict.NOT_EVALUATED: "yellow",
}
_WORDS = {verdict: verdict.value.replace("_", " ") for verdict in CheckVerdict}


@app.command()
def run(
    datasets: DatasetsArgument = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Check tables against the quality rules of their contracts, and store the results.

    Example: daftari quality run expenses users
    """
    from daftari.operations.quality.run_checks import require_pass, run_checks

    session = open_session(workspace, env)
    every = session.workspace
    contracts = [every.dataset(name)[1] for name in datasets] if datasets else every.contracts
    with session.connection() as conn, err.status("Starting Great Expectations") as status:
        checked = run_checks(conn, contracts, lambda name: status.update(f"Checking {name}"))
    _show(checked, output)
    require_pass(checked)


@app.command()
def show(
    datasets: DatasetsArgument = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Show the results of the latest checks.

    Example: daftari quality show expenses --output json
    """
    with open_session(workspace, env).connection() as conn:
        checked = show_checks(conn, datasets or ())
    _show(checked, output)


def _show(checked: Sequence[CheckedDataset], output: Output) -> None:
    if output is Output.JSON:
        print_json([_as_document(one) for one in checked])
        return
    out.print(_overview(checked))
    for one in checked:
        for outcome in one.outcomes:
            if outcome.verdict is not CheckVerdict.PASSED:
                _print_outcome(one, outcome)


def _as_document(checked: CheckedDataset) -> dict[str, object]:
    outcomes = [{**vars(it), "failing_ratio": it.failing_ratio} for it in checked.outcomes]
    return {**vars(checked), "outcomes": outcomes}


def _overview(checked: Sequence[CheckedDataset]) -> Table:
    table = Table("dataset", box=None, pad_edge=False, header_style="bold")
    for heading in ("rows", "passed", "failed", "warned", "not evaluated"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for one in checked:
        counts = [f"{one.count(verdict)}" for verdict in CheckVerdict]
        rows = "?" if one.rows is None else f"{one.rows:,}"
        table.add_row(one.dataset, rows, *counts, f"[{_COLOURS[one.verdict]}]{_WORDS[one.verdict]}")
    return table


def _print_outcome(checked: CheckedDataset, outcome: CheckOutcome) -> None:
    out.print(
        f"{checked.dataset}: {outcome.description}: {_WORDS[outcome.verdict]}, {outcome.reason} ({outcome.check})",
        style=_COLOURS[outcome.verdict],
        markup=False,
    )
    if outcome.keys:
        some = "; ".join(", ".join(key.values()) for key in outcome.keys[:5])
        out.print(f"  for example {some}", markup=False)
