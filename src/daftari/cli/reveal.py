"""daftari reveal: write decrypted fields to a file, for a role that may see them and a stated purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daftari.cli.options import EnvOption, WorkspaceOption, out
from daftari.cli.session import open_session
from daftari.errors import SettingError, counted

app = typer.Typer(add_completion=False)


@app.command()
def reveal(
    dataset: Annotated[str, typer.Argument(help="The dataset to read, e.g. salaries.")],
    fields: Annotated[list[str], typer.Argument(help="The fields to write, in this order.")],
    to: Annotated[
        Path, typer.Option(help="The CSV file to write, readable by its owner only.", dir_okay=False)
    ],
    purpose: Annotated[str, typer.Option(help="The purpose; it is recorded in the audit.")],
    role: Annotated[
        str,
        typer.Option(
            "--as",
            help="The role, named as in contracts, whose rows and columns are read.",
        ),
    ],
    where: Annotated[
        list[str] | None, typer.Option("--where", help="Only rows with FIELD=VALUE; may be repeated.")
    ] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """
    Write fields to a file, sealed ones decrypted: what the role may see. The audit records the read and its purpose.

    It needs a server with pgcrypto. The database session holds the keys for one transaction.

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
    out.print(f"wrote {to}: {counted(len(found.rows), 'row')}, readable by its owner only", markup=False)
    out.print("The audit recorded the read and its purpose.")


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise SettingError(f"--where {text}: has no =; expected FIELD=VALUE")
    return name, value
