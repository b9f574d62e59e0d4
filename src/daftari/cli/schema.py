"""`daftari plan`, `apply`, `verify` and `doctor`: bring the database to the contracts, and compare the two."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

import typer

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
from daftari.cli.session import CommandSession, now, open_session
from daftari.compile.schema_changes.steps import SchemaChange
from daftari.contract.compatibility.changes import ChangeKind
from daftari.errors import DatabaseError, Drift
from daftari.operations.schema import apply_contracts
from daftari.operations.schema.apply_contracts import ApplyResult, SchemaPlan
from daftari.operations.schema.examine_server import Examined, examine_server
from daftari.operations.schema.verify_database import Verified, verify_database

app = typer.Typer(add_completion=False)

#: Of the kinds of objects that do not just take an s.
_PLURALS = {
    "index": "indexes",
    "policy": "policies",
    "row security": "row security settings",
    "view rights": "view rights",
}
_COLOURS = {
    ChangeKind.ADDITIVE: "green",
    ChangeKind.RESTRICTION: "cyan",
    ChangeKind.EXPOSURE: "magenta",
    ChangeKind.BREAKING: "red",
}


@app.command()
def plan(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """
    Show what `apply` would change: the SQL, and whether a change is additive, a restriction, an exposure or breaking.

    Example: daftari plan --env staging
    """
    _show_plan(_plan(open_session(workspace, env)), output)


@app.command()
def apply(
    allow_breaking: Annotated[
        bool, typer.Option("--allow-breaking", help="Also make changes that lose data or reject rows.")
    ] = False,
    dry_run: DryRunOption = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Change the database to match the contracts, in one transaction. A second run changes nothing.

    Example: daftari apply --dry-run
    """
    session = open_session(workspace, env)
    if dry_run:
        _show_plan(_plan(session), output)
        return
    with session.connection() as conn, err.status("Applying the contracts"):
        applied = apply_contracts.apply_contracts(
            conn,
            session.workspace.contracts,
            migrations_dir=session.settings.migrations_dir,
            rights=session.rights,
            now=now(),
            allow_breaking=allow_breaking,
        )
    _show_applied(applied, output)


@app.command()
def verify(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """
    Compare the live database with the contracts, object by object, and report each difference.

    Example: daftari verify --output json
    """
    session = open_session(workspace, env)
    with session.connection() as conn, err.status("Comparing the database with the contracts"):
        verified = verify_database(
            conn,
            session.workspace.contracts,
            migrations_dir=session.settings.migrations_dir,
            rights=session.rights,
            now=now(),
        )
    _show_verified(verified, output)
    if verified.drifts:
        raise Drift(
            f"verify: {_counted(len(verified.drifts), 'difference')} from the contracts; expected none",
            hint="`daftari plan` shows the changes that correct them.",
        )


@app.command()
def doctor(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """
    List the features of the PostgreSQL in use, and what each missing one turns off.

    Example: daftari doctor
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        examined = examine_server(conn)
    _show_examined(examined, session, output)
    if examined.lacking:
        raise DatabaseError(
            f"doctor: the server lacks {', '.join(it.name for it in examined.lacking)}; expected all of them",
            hint="Use another server, or have its administrator add what is missing.",
        )


def _plan(session: CommandSession) -> SchemaPlan:
    with session.connection() as conn, err.status("Comparing the database with the contracts"):
        return apply_contracts.plan_contracts(
            conn,
            session.workspace.contracts,
            migrations_dir=session.settings.migrations_dir,
            rights=session.rights,
            now=now(),
        )


def _show_plan(planned: SchemaPlan, output: Output) -> None:
    if output is Output.JSON:
        print_json(_plan_document(planned))
        return
    for migration in planned.migrations:
        out.print(f"additive  platform migration {migration}", markup=False)
    for change in planned.every_change:
        _show_change(change)
    if planned.is_empty:
        out.print("Nothing to change: the database matches the contracts.")
        return
    classes = Counter(change.kind for change in planned.every_change)
    counts = ", ".join(f"{classes[impact]} {impact}" for impact in ChangeKind if classes[impact])
    marked = f"; contracts new or changed: {', '.join(planned.marked)}" if planned.marked else ""
    out.print(
        f"{_counted(len(planned.every_change), 'change')}{': ' if counts else ''}{counts}{marked}.",
        markup=False,
    )


def _show_change(change: SchemaChange) -> None:
    colour = _COLOURS[change.kind]
    out.print(f"[{colour}]{change.kind:<9}[/] ", end="")
    out.print(f"{change.what} ({change.reason})", markup=False, soft_wrap=True)
    for statement in change.statements:
        indented = "\n".join(f"    {line}" for line in statement.splitlines())
        out.print(f"{indented};", markup=False, soft_wrap=True, style="dim")


def _show_applied(applied: ApplyResult, output: Output) -> None:
    if output is Output.JSON:
        written = [path.name for path in applied.written]
        made = [asdict(it) for it in applied.partitions]
        print_json({**_plan_document(applied.plan), "written": written, "partitions": made})
        return
    if applied.plan.is_empty and not applied.partitions:
        out.print("Nothing to change: the database matches the contracts.")
        return
    for path in applied.written:
        out.print(f"wrote migrations/versions/{path.name}", markup=False)
    moved = sum(it.rows_moved for it in applied.partitions)
    if moved:
        out.print(f"moved {_counted(moved, 'row')} out of default partitions")
    out.print(
        f"Applied: {_counted(len(applied.plan.every_change), 'change')}, "
        f"{_counted(len(applied.plan.marked), 'contract')} new or changed."
    )


def _show_verified(verified: Verified, output: Output) -> None:
    if output is Output.JSON:
        print_json(verified)
        return
    for drift in verified.drifts:
        out.print(f"[red]{drift.drift:<10}[/]", end="")
        out.print(drift.text, markup=False, soft_wrap=True)
    for dataset, rows in verified.outside.items():
        out.print("[yellow]warning   [/]", end="")
        advice = "set an earlier start in the contract, or run apply, to make one"
        text = f"{dataset}: {_counted(rows, 'row')} outside every partition; {advice}"
        out.print(text, markup=False, soft_wrap=True)
    for text in verified.off:
        out.print("[yellow]off       [/]", end="")
        out.print(text, markup=False, soft_wrap=True)
    checked = ", ".join(_counted(count, kind) for kind, count in verified.checked.items())
    verdict = f"{len(verified.drifts)} drifted" if verified.drifts else "all match the contracts"
    out.print(f"Compared {checked}: {verdict}.", markup=False, soft_wrap=True)


def _show_examined(examined: Examined, session: CommandSession, output: Output) -> None:
    settings = session.settings
    if output is Output.JSON:
        print_json({**asdict(examined), "environment": settings.environment, "root": settings.root})
        return
    whose = "your own server" if settings.database_url else "the workspace's own server"
    out.print(
        f"PostgreSQL {examined.version}, {whose}; database {examined.database}, user {examined.user}, "
        f"environment {settings.environment}",
        markup=False,
        soft_wrap=True,
    )
    width = max(len(it.name) for it in examined.abilities)
    for ability in examined.abilities:
        mark = (
            "[green]yes[/]" if ability.present else "[red]no [/]" if ability.essential else "[yellow]no [/]"
        )
        out.print(f"{mark} {ability.name:<{width}}  ", end="")
        out.print(ability.detail if ability.present else f"without: {ability.without}", markup=False)


def _plan_document(planned: SchemaPlan) -> dict[str, Any]:
    changes = [
        {
            "what": change.what,
            "class": change.kind,
            "reason": change.reason,
            "statements": list(change.statements),
        }
        for change in planned.every_change
    ]
    return {
        "migrations": planned.migrations,
        "versions": planned.versions,
        "changes": changes,
        "contracts": planned.marked,
    }


def _counted(count: int, noun: str) -> str:
    plural = _PLURALS.get(noun, f"{noun}s")
    return f"{count:,} {noun if count == 1 else plural}"
