"""`daftari quality`: run the checks of the contracts, and show what they found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, err, out, print_json
from daftari.cli.session import open_session
from daftari.compile.verdicts import Outcome, Verdict
from daftari.operations.show_checks import Checked, show_checks

app = typer.Typer(no_args_is_help=True, help="Check tables against their contracts.")

DatasetsArgument = Annotated[list[str] | None, typer.Argument(help="Datasets. Default: all.")]
_COLOURS = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "red",
    Verdict.WARNED: "yellow",
    Verdict.NOT_EVALUATED: "yellow",
}
_WORDS = {verdict: verdict.value.replace("_", " ") for verdict in Verdict}


@app.command()
def run(
    datasets: DatasetsArgument = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Check tables against what their contracts promise of their rows, and keep what is found.

    Example: daftari quality run expenses users
    """
    from daftari.operations.run_checks import require_pass, run_checks

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
    Show what the latest checks found.

    Example: daftari quality show expenses --output json
    """
    with open_session(workspace, env).connection() as conn:
        checked = show_checks(conn, datasets or ())
    _show(checked, output)


def _show(checked: Sequence[Checked], output: Output) -> None:
    if output is Output.JSON:
        print_json([_as_document(one) for one in checked])
        return
    out.print(_overview(checked))
    for one in checked:
        for outcome in one.outcomes:
            if outcome.verdict is not Verdict.PASSED:
                _tell(one, outcome)


def _as_document(checked: Checked) -> dict[str, object]:
    outcomes = [{**vars(it), "failing_ratio": it.failing_ratio} for it in checked.outcomes]
    return {**vars(checked), "outcomes": outcomes}


def _overview(checked: Sequence[Checked]) -> Table:
    table = Table("dataset", box=None, pad_edge=False, header_style="bold")
    for heading in ("rows", "passed", "failed", "warned", "not evaluated"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for one in checked:
        counts = [f"{one.count(verdict)}" for verdict in Verdict]
        rows = "?" if one.rows is None else f"{one.rows:,}"
        table.add_row(one.dataset, rows, *counts, f"[{_COLOURS[one.verdict]}]{_WORDS[one.verdict]}")
    return table


def _tell(checked: Checked, outcome: Outcome) -> None:
    out.print(
        f"{checked.dataset}: {outcome.description}: {_WORDS[outcome.verdict]}, {outcome.reason} ({outcome.check})",
        style=_COLOURS[outcome.verdict],
        markup=False,
    )
    if outcome.keys:
        some = "; ".join(", ".join(key.values()) for key in outcome.keys[:5])
        out.print(f"  such as {some}", markup=False)
