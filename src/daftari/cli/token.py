"""daftari token: who may call the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from daftari.cli.options import (
    DryRunOption,
    EnvOption,
    Output,
    OutputOption,
    WorkspaceOption,
    out,
    print_json,
)
from daftari.cli.session import now, open_session
from daftari.operations.access import tokens, web_sessions
from daftari.operations.access.tokens import Token

app = typer.Typer(
    no_args_is_help=True, help="Make, list and revoke tokens of callers; list and end sessions."
)

_DAYS = 90


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its name in the audit, e.g. payroll-import.")],
    role: Annotated[str, typer.Option(help="The role that it acts in, named as in contracts.")],
    user: Annotated[
        str | None,
        typer.Option(help="The user_id of the person it acts for. Default: none.", show_default=False),
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="A dataset that it may use; may be repeated. Default: all.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="It may only read.")] = False,
    days: Annotated[int, typer.Option(help="Days until it expires.")] = _DAYS,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """
    Make a token and print it once; only its digest is stored.

    Example: daftari token create payroll-import --role hr --dataset salaries --days 30
    """
    from daftari.operations.access.issue_token import TokenGrant, issue_token

    session = open_session(workspace, env)
    grant = TokenGrant(
        name=name, role=role, user_id=user, datasets=tuple(dataset or ()), writes=not read_only
    )
    datasets = [contract.dataset for contract in session.workspace.contracts]
    with session.connection() as conn:
        token = issue_token(conn, datasets, grant, now=now(), days=days)
    typer.echo(token)
    typer.echo("It is shown only once. Send it as: Authorization: Bearer TOKEN", err=True)


@app.command("list")
def list_(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """
    List all tokens, also expired and revoked ones, with the time of their last use.

    Example: daftari token list --output json
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        found = tokens.list_tokens(conn)
    at = now()
    if output is Output.JSON:
        print_json([{**asdict(token), "state": token.state(at)} for token in found])
    elif found:
        out.print(_table(found, at))
    else:
        out.print("No tokens. `daftari token create` makes one.")


def _table(found: Sequence[Token], at: datetime) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("name", "role", "for", "may", "state", "expires", "last used"):
        table.add_column(column, overflow="fold")
    for token in found:
        table.add_row(
            token.name,
            token.role,
            token.user_id or "",
            f"{'write' if token.writes else 'read'} {' '.join(token.datasets) or 'all'}",
            token.state(at),
            f"{token.expires_at:%Y-%m-%d}",
            f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never",
        )
    return table


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The token's name.")],
    dry_run: DryRunOption = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """
    Revoke a token for good. Servers stop accepting it within seconds.

    Example: daftari token revoke payroll-import
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        tokens.revoke_token(conn, name, now=now(), dry_run=dry_run)
    if dry_run:
        out.print(f"Would revoke {name}.", markup=False)
        return
    out.print(f"Revoked {name}. Servers stop accepting it within seconds.", markup=False)


@app.command()
def sessions(
    workspace: WorkspaceOption = None, env: EnvOption = None, output: OutputOption = Output.TEXT
) -> None:
    """
    List the users who are signed in to the control room, by a token or by an OpenID Connect issuer.

    Example: daftari token sessions --output json
    """
    with open_session(workspace, env).connection() as conn:
        found = web_sessions.list_sessions(conn, now=now())
    if output is Output.JSON:
        print_json([asdict(it) for it in found])
        return
    if not found:
        out.print("Nobody is signed in to the control room.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("who", "role", "since", "until"):
        table.add_column(column, overflow="fold")
    for it in found:
        table.add_row(it.who, it.role, f"{it.began_at:%Y-%m-%d %H:%M}", f"{it.ends_at:%Y-%m-%d %H:%M}")
    out.print(table)


@app.command("sign-out")
def sign_out(
    who: Annotated[str, typer.Argument(help="The user as in `daftari token sessions`, e.g. 'oidc U2'.")],
    dry_run: DryRunOption = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """
    End all sessions of a user in the control room, at once. The user may sign in again, if still allowed to.

    Example: daftari token sign-out 'oidc U2'
    """
    with open_session(workspace, env).connection() as conn:
        ended = web_sessions.end_sessions_of(conn, who, now=now(), dry_run=dry_run)
    out.print(f"{'Would end' if dry_run else 'Ended'} {ended} sessions of {who}.", markup=False)
