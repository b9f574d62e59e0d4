"""Session keys, with which SQL can seal and reveal. Sent by COPY, because a server's log shows no rows of COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import polars as pl
from psycopg import Connection, sql

from daftari.contract.model import Dataset
from daftari.contract.platform import OPS
from daftari.errors import DatabaseError
from daftari.io.database import queries
from daftari.protect.seal import FieldSecret
from daftari.rows.intake import copy_format

_QUERIES = queries.load_queries("keys/session_keys.sql")


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionKey:
    field: str  #: dataset.field
    subject: str
    key_id: bytes
    version: int
    secret: FieldSecret
    seals: bool  #: whether new values are sealed under it


@dataclass(frozen=True, kw_only=True)
class RevealRequest:
    """The rows to read, the role to read them in, and the purpose."""

    purpose: str
    role: str | None = None  #: role to take on; None: the session's own
    equal: tuple[tuple[str, str], ...] = ()  #: fields and the values to match

    @property
    def condition(self) -> sql.Composable:
        parts = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name, _ in self.equal]
        return sql.SQL(" and ").join([sql.SQL("true"), *parts])

    @property
    def values(self) -> list[str]:
        return [value for _, value in self.equal]


@contextmanager
def in_reader_role(conn: Connection[Any], role: str | None) -> Iterator[None]:
    """Take on *role* within the block, in the caller's transaction."""
    if role is None:
        yield
        return
    conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    yield
    conn.execute("reset role")  # where the block fails, the transaction resets it


def keys_used_in_table(
    conn: Connection[Any], dataset: Dataset, name: str, reading: RevealRequest
) -> list[tuple[str, bytes, int, int]]:
    """Return subject, key id, version and number of values, of a field in the rows to read."""
    statement = sql.SQL(_QUERIES["used"]).format(
        subject=_subject(dataset),
        field=sql.Identifier(name),
        table=sql.Identifier(OPS, dataset.name),
        condition=reading.condition,
    )
    with in_reader_role(conn, reading.role):
        return conn.execute(statement, reading.values).fetchall()


def _subject(dataset: Dataset) -> sql.Composable:
    if dataset.subject is None:
        return sql.SQL("''")
    return sql.SQL("coalesce({}::text, '')").format(sql.Identifier(dataset.subject))


def revealed(
    conn: Connection[Any], dataset: Dataset, names: Sequence[str], reading: RevealRequest
) -> list[tuple[Any, ...]]:
    """
    Return fields of rows, in order of their key: read as the role, the sealed ones then opened by the server.

    The role itself needs no right to reveal: it must only see the column.
    """
    sealed = [at for at, name in enumerate(names) if dataset.field(name).protection.sealed]
    person = _subject(dataset) if sealed else sql.NULL
    statement = sql.SQL(_QUERIES["rows"]).format(
        columns=sql.SQL(", ").join([person, *map(sql.Identifier, names)]),
        table=sql.Identifier(OPS, dataset.name),
        condition=reading.condition,
        key=sql.SQL(", ").join(map(sql.Identifier, dataset.key or names)),
    )
    with in_reader_role(conn, reading.role):
        rows = conn.execute(statement, reading.values).fetchall()
    if not rows:
        return []
    people, *columns = map(list, zip(*rows, strict=True))
    for at in sealed:
        facts = {"sealed": columns[at], "people": people, "field": f"{dataset.name}.{names[at]}"}
        columns[at] = [value for (value,) in conn.execute(_QUERIES["reveal"], facts)]
    return list(zip(*columns, strict=True))


def record_read(conn: Connection[Any], place: tuple[str, Sequence[str]], rows: int, purpose: str) -> None:
    """Audit that *rows* rows of *place* (relation, columns) are read, and for what purpose."""
    relation, columns = place
    facts = {"relation": relation, "columns": list(columns), "rows": rows, "purpose": purpose}
    conn.execute(_QUERIES["record_read"], facts)


def lend_keys_to_session(conn: Connection[Any], keys: Iterable[SessionKey]) -> None:
    """
    Give session keys to the session of *conn*, until it ends or returns them.

    Raises:
        DatabaseError: the server lacks pgcrypto, or the database was not migrated since it has it.
    """
    row = conn.execute(_QUERIES["is_possible"]).fetchone()
    if row is None or not row[0]:
        raise DatabaseError(
            "database: SQL cannot seal or reveal; expected pgcrypto on the server",
            hint="Install pgcrypto there and run `daftari apply`. `daftari doctor` shows whether it is installed.",
        )
    found = list(keys)
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
        out.write(copy_format.HEADER)
        out.write(copy_format.encode_copy(frame))
        out.write(copy_format.TRAILER)


def return_keys(conn: Connection[Any]) -> None:
    conn.execute(_QUERIES["return"])
