"""daftari contract: lint, show, diff, import, test."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from daftari.cli.contract_views import change_table, example_lines, fault_line, show_contract
from daftari.cli.options import (
    EnvOption,
    HeaderRowOption,
    Output,
    OutputOption,
    SheetOption,
    WorkspaceOption,
    err,
    out,
    print_json,
)
from daftari.cli.session import now, open_session
from daftari.contract.as_json import as_plain
from daftari.contract.compatibility.compatibility import ChangeKind, ContractChange, compare
from daftari.contract.model import Contract
from daftari.errors import BreakingChange, ChecksFailed, ContractError, SettingError
from daftari.operations.contracts.check_examples import check_examples
from daftari.operations.contracts.find_contract import find_contract
from daftari.operations.contracts.import_contract import (
    FileOptions,
    contract_of_file,
    contract_of_table,
    write_new,
)
from daftari.operations.contracts.lint_contracts import Linted, lint_files, lint_workspace
from daftari.operations.workspace.open_workspace import open_workspace
from daftari.settings import find_root, read_settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Check, show, compare, make and test contracts."
)


@app.callback()
def _contract() -> None:
    """Check, show, compare, make and test contracts."""


@app.command()
def lint(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Contracts, or folders of them. Default: the workspace.", show_default=False),
    ] = None,
    governed: Annotated[
        bool, typer.Option("--governed", help="Also check whether the files can be enforced.")
    ] = False,
    workspace: WorkspaceOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Check contracts against the Open Data Contract Standard, 3.0 and 3.1; list every fault.

    For a workspace, also check that its contracts can be enforced and fit together. Warn of a dataset without a key or
    without access, and of a role that no other contract names and nobody declares in `roles`.

    Example: daftari contract lint pipelines/leave
    """
    if paths:
        linted = lint_files(paths, governed=governed, root=_root_around(workspace or Path.cwd()))
    else:
        linted = lint_workspace(_root(workspace))
    if output is Output.JSON:
        print_json(
            {
                "contracts": [contract.source for contract in linted.contracts],
                "faults": as_plain(linted.faults),
                "warnings": as_plain(linted.warnings),
                "passed_over": [str(path) for path in linted.passed_over],
            }
        )
    else:
        _show_linted(linted)
    if linted.faults:
        raise typer.Exit(ContractError.exit_code)


def _show_linted(linted: Linted) -> None:
    for fault in linted.faults:
        out.print(fault_line(fault), soft_wrap=True)
    for warning in linted.warnings:
        out.print("warning:", fault_line(warning), soft_wrap=True)
    for path in linted.passed_over:
        err.print(f"Passed over {path}: its name does not end in .odcs.yaml.", markup=False, soft_wrap=True)
    warnings = f"; warnings: {len(linted.warnings)}" if linted.warnings else ""
    err.print(f"Contracts read: {len(linted.contracts)}; faults: {len(linted.faults)}{warnings}.")


@app.command()
def show(
    what: Annotated[str, typer.Argument(help="A dataset of the workspace, or the file of a contract.")],
    workspace: WorkspaceOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show what a contract says: its fields and their rules, references, access, service levels.

    Example: daftari contract show expenses
    """
    contract = _find(what, workspace)
    if output is Output.JSON:
        print_json(as_plain(contract))
    else:
        show_contract(contract, out)


class FailOn(StrEnum):
    EXPOSURE = "exposure"
    BREAKING = "breaking"


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A dataset of the workspace, or the file of a contract.")],
    new: Annotated[str, typer.Argument(help="The new version: another file or dataset.")],
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="Exit with code 31 on a change of this kind or a worse one."),
    ] = None,
    workspace: WorkspaceOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show what changes from contract OLD to contract NEW, and who is affected.

    Additive: everything that worked still works. Exposure: someone can see or do more.
    Breaking: data is lost, valid rows may be rejected, or a query fails.

    Example: daftari contract diff expenses expenses-next.odcs.yaml --fail-on breaking
    """
    changes = compare(_find(old, workspace), _find(new, workspace))
    if output is Output.JSON:
        print_json(as_plain(changes))
    elif changes:
        out.print(change_table(changes))
    else:
        err.print("No changes.")
    if fail_on and _worst(changes, ChangeKind(fail_on.value)):
        raise typer.Exit(BreakingChange.exit_code)


@app.command("import")
def import_(
    file: Annotated[
        Path | None,
        typer.Argument(help="A file of rows: CSV, Excel, Parquet, JSON …", show_default=False),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="A table of the workspace's database instead: schema.table.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The dataset's name. Default: the file's.")] = None,
    examples: Annotated[
        bool,
        typer.Option(
            "--examples", help="Copy values into the contract as examples, except those of persons."
        ),
    ] = False,
    sheet: SheetOption = None,
    header_row: HeaderRowOption = None,
    to: Annotated[
        Path | None, typer.Option(help="Write a new file. Default: standard output.", show_default=False)
    ] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """Draft a contract from a file or a table, for people to correct.

    Types, required fields, keys and fields about persons are inferred from the rows; comments say what is doubtful.
    Total rows, repeated headers and notes do not count. No value of a person is written into the contract.

    Example: daftari contract import claims.csv --to pipelines/claims/claims.odcs.yaml
    """
    if (file is None) == (table is None):
        raise typer.BadParameter("expected a FILE or a --table, not both")
    if file is not None:
        options = FileOptions(name=name, sheet=sheet, header_row=header_row, examples=examples)
        text = contract_of_file(file, options)
    else:
        with open_session(workspace, env).connection() as conn:
            text = contract_of_table(conn, str(table))
    if to is None:
        typer.echo(text, nl=False)
    else:
        write_new(to, text)
        err.print(f"Wrote {to}. Next: review it, then daftari contract lint --governed {to}")


@app.command()
def test(
    datasets: Annotated[
        list[str] | None,
        typer.Argument(help="Datasets of the workspace. Default: all.", show_default=False),
    ] = None,
    workspace: WorkspaceOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Test the example rows of contracts: each must get the verdict, rule and reason that it states.

    They are in tests/DATASET.examples.yaml of a pipeline. A dataset without examples fails.

    Example: daftari contract test expenses
    """
    read = open_workspace(read_settings(_root(workspace)))
    checked = check_examples(read, datasets or [], today=read.today(now()))
    if output is Output.JSON:
        print_json(as_plain(checked))
    else:
        for line in example_lines(checked):
            out.print(line, soft_wrap=True)
        passed = sum(one.has_passed for one in checked)
        err.print(f"Datasets: {len(checked)}; passed: {passed}.")
    if not all(one.has_passed for one in checked):
        raise typer.Exit(ChecksFailed.exit_code)


def _worst(changes: tuple[ContractChange, ...], limit: ChangeKind) -> bool:
    kinds = list(ChangeKind)
    return any(kinds.index(change.kind) >= kinds.index(limit) for change in changes)


def _root(workspace: Path | None) -> Path:
    return find_root(workspace or Path.cwd())


def _root_around(folder: Path) -> Path | None:
    """Return the workspace around *folder*; None if there is none: contracts of any origin can be linted."""
    try:
        return find_root(folder)
    except SettingError:
        return None


def _find(what: str, workspace: Path | None) -> Contract:
    return find_contract(what, workspace or Path.cwd())
