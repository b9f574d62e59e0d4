"""daftari reveal: sealed fields in the clear, for who may see them and says what for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daftari.cli.options import EnvOption, WorkspaceOption, out
from daftari.cli.session import open_session
from daftari.errors import SettingError

app = typer.Typer(add_completion=False)


@app.command()
def reveal(
    dataset: Annotated[str, typer.Argument(help="The dataset to read, e.g. salaries.")],
    fields: Annotated[list[str], typer.Argument(help="The fields to write, in that order.")],
    to: Annotated[Path, typer.Option(help="The CSV file to write, for its owner alone.", dir_okay=False)],
    purpose: Annotated[str, typer.Option(help="What it is for; it is kept in the audit.")],
    role: Annotated[
        str, typer.Option("--as", help="The role to read as, as contracts call it: its rows and columns.")
    ],
    where: Annotated[
        list[str] | None, typer.Option("--where", help="Only rows with FIELD=VALUE; may be repeated.")
    ] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """
    Write fields of rows to a file, sealed ones opened: what that role may see, recorded with its purpose.

    Needs a server with pgcrypto. Keys are lent to the session for one transaction.

    Example: daftari reveal salaries user_id bank_account net --as hr --where month=2026-03-01
    --purpose "bank file of March" --to bank.csv
    """
    from daftari.operations.keys.reveal_fields import RevealRequest, reveal_fields
    from daftari.operations.read.write_csv import write_private_csv

    session = open_session(workspace, env)
    _, contract = session.workspace.dataset(dataset)
    reading = RevealRequest(
        purpose=purpose, role=session.rights.roles.of(role), equal=tuple(map(_pair, where or ()))
    )
    with session.connection() as conn:
        found = reveal_fields(conn, session.keys, contract.dataset, tuple(fields), reading)
    write_private_csv(to, found.names, found.rows)
    out.print(f"wrote {to}: {len(found.rows):,} rows, which nobody else may read", markup=False)
    out.print("The audit has the read and its purpose.")


def _pair(said: str) -> tuple[str, str]:
    name, mark, value = said.partition("=")
    if not mark:
        raise SettingError(f"--where {said}: has no =; expected FIELD=VALUE")
    return name, value
