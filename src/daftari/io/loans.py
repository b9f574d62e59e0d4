"""Keys that are lent to a session, so that SQL may seal and reveal: by COPY, of which a server's log shows no rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl
from psycopg import Connection, sql

from daftari.contract.model import Dataset
from daftari.errors import DatabaseError
from daftari.io import queries
from daftari.protect.seal import FieldSecret
from daftari.rows import copy

_QUERIES = queries.load("loans.sql")


@dataclass(frozen=True, kw_only=True, slots=True)
class Loan:
    field: str  #: dataset.field
    subject: str
    key_id: bytes
    version: int
    secret: FieldSecret
    seals: bool  #: whether new values are sealed under it


def used_keys(conn: Connection[Any], dataset: Dataset, name: str) -> list[tuple[str, bytes, int]]:
    """Return subject, key id and version of the values of a field, in the rows that this session may see."""
    subject: sql.Composable = sql.SQL("''")
    if dataset.subject is not None:
        subject = sql.SQL("coalesce({}::text, '')").format(sql.Identifier(dataset.subject))
    statement = sql.SQL(_QUERIES["used"]).format(
        subject=subject, field=sql.Identifier(name), table=sql.Identifier("ops", dataset.name)
    )
    return conn.execute(statement).fetchall()


def lend(conn: Connection[Any], loans: Iterable[Loan]) -> None:
    """
    Lend keys to the session of *conn*, until it ends or returns them.

    Raises:
        DatabaseError: the server lacks pgcrypto, or the database was not brought up to date since it has it.
    """
    row = conn.execute(_QUERIES["is_possible"]).fetchone()
    if row is None or not row[0]:
        raise DatabaseError(
            "database: SQL cannot seal or reveal in it; expected pgcrypto on the server",
            hint="Install pgcrypto there and run `daftari apply`. `daftari doctor` tells whether it is there.",
        )
    found = list(loans)
    frame = pl.DataFrame(
        {
            "field": [one.field for one in found],
            "subject": [one.subject for one in found],
            "key_id": pl.Series([one.key_id for one in found], dtype=pl.Binary),
            "version": pl.Series([one.version for one in found], dtype=pl.Int32),
            "encryption": pl.Series([one.secret.encryption for one in found], dtype=pl.Binary),
            "nonce": pl.Series([one.secret.nonce for one in found], dtype=pl.Binary),
            "seals": pl.Series([one.seals for one in found], dtype=pl.Boolean),
        }
    )
    with conn.cursor() as cursor, cursor.copy(_QUERIES["lend"].removesuffix(";")) as out:
        out.write(copy.HEADER)
        out.write(copy.encode(frame))
        out.write(copy.TRAILER)


def return_keys(conn: Connection[Any]) -> None:
    conn.execute(_QUERIES["return"])
