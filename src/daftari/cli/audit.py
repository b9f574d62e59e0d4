"""daftari audit: show who changed what, and verify that no entry was altered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from daftari.cli.options import EnvOption, Output, OutputOption, WorkspaceOption, err, out, print_json
from daftari.cli.session import now, open_session
from daftari.operations.audit.checkpoint_audit import checkpoint_audit
from daftari.operations.audit.export_audit import export_audit
from daftari.operations.audit.show_audit import AuditFilter, show_audit
from daftari.operations.audit.signing_keys import make_signing_key, public_key_of, signing_key_of
from daftari.operations.audit.verify_audit import require_whole, verify_audit

if TYPE_CHECKING:
    from daftari.operations.audit.show_audit import AuditEntry
    from daftari.operations.audit.verify_audit import ChainVerdict

app = typer.Typer(no_args_is_help=True, help="Show who changed what; verify that no audit entry was altered.")


@app.command()
def show(
    relation: Annotated[str | None, typer.Option(help="Only this table, e.g. ops.expenses.")] = None,
    run: Annotated[int | None, typer.Option(help="Only entries of this run.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only entries of this actor.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many entries.")] = 20,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show audit entries, newest first, without the values of rows; `audit export` writes those.

    Example: daftari audit show --relation ops.expenses
    """
    session = open_session(workspace, env)
    wanted = AuditFilter(relation=relation, run_id=run, actor=actor, limit=limit)
    with session.connection() as conn:
        found = show_audit(conn, wanted).entries
    _show_entries(found, output)


def _show_entries(found: Sequence[AuditEntry], output: Output) -> None:
    if output is Output.JSON:
        print_json([asdict(entry) for entry in found])
        return
    if not found:
        out.print("No audit entry matches.")
        return
    table = Table("entry", "time", "operation", "rows", "actor", "run", "purpose", box=None, pad_edge=False)
    for entry in found:
        actor = entry.actor if entry.actor == entry.login else f"{entry.actor} by {entry.login}"
        table.add_row(
            str(entry.entry_id),
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            f"{entry.operation} {entry.relation}",
            "" if entry.rows is None else f"{entry.rows:,}",
            actor,
            str(entry.run_id or ""),
            entry.purpose or "",
        )
    out.print(table)


@app.command()
def checkpoint(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """Add new entries to the chain, sign its head, and write this anchor outside the database.

    Run it every few minutes: changes by a superuser to entries after the last anchor may go undetected.

    Example: daftari audit checkpoint
    """
    session = open_session(workspace, env)
    key = signing_key_of(session.settings)
    with session.connection() as conn:
        done = checkpoint_audit(conn, key, folder=session.settings.anchors_dir, now=now())
    if output is Output.JSON:
        print_json(done)
    elif done.anchor is None:
        out.print(f"Nothing new: the chain ends at {done.position} and is anchored there.")
    else:
        out.print(
            f"Chained {done.chained:,} entries; anchored at {done.position:,}: {done.anchor}", markup=False
        )


@app.command()
def verify(
    public_key: Annotated[
        Path | None, typer.Option(help="The public key. Default: the one beside the signing key.")
    ] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Verify that the audit is complete, unaltered and anchored; report every difference.

    Example: daftari audit verify --output json
    """
    session = open_session(workspace, env)
    key = public_key_of(session.settings, public_key)
    with session.connection() as conn, err.status("Verifying the audit"):
        verdict = verify_audit(conn, key, folder=session.settings.anchors_dir)
    _show_verdict(verdict, output)
    require_whole(verdict)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="The file to write, JSON Lines.", dir_okay=False)],
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Write the audit with old and new values to a file. verify_chain.py verifies it without the database.

    Example: daftari audit export audit.jsonl
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        exported = export_audit(conn, path)
    if output is Output.JSON:
        print_json(exported)
        return
    out.print(f"{exported.path}: {exported.entries:,} entries", markup=False)
    out.print(f"Its anchors are in {session.settings.anchors_dir / exported.log}", markup=False)


@app.command()
def keygen(workspace: WorkspaceOption = None, env: EnvOption = None) -> None:
    """Make the key that signs checkpoints. Give the public key to those who verify the audit.

    Example: daftari audit keygen
    """
    session = open_session(workspace, env)
    public = make_signing_key(session.settings)
    out.print(f"wrote {session.settings.signing_key}, readable by its owner only", markup=False)
    out.print(f"wrote {public}, which verifies its signatures", markup=False)


def _show_verdict(verdict: ChainVerdict, output: Output) -> None:
    if output is Output.JSON:
        print_json({**asdict(verdict), "verdict": verdict.name})
        return
    for finding in verdict.findings:
        out.print(f"[red]{finding.kind:<14}[/] ", end="")
        out.print(finding.text, markup=False, soft_wrap=True)
    out.print(
        f"{verdict.name.replace('_', ' ')}: {verdict.entries:,} entries, {verdict.links:,} links, "
        f"{verdict.waiting:,} not chained yet, anchored up to {verdict.anchored:,}.",
        soft_wrap=True,
    )
