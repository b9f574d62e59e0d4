"""The version of a row, as one caller sees it: an entity tag (RFC 9110), so that nobody overwrites an unseen change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from daftari.errors import RowChanged
from daftari.io.access.callers import in_role_of
from daftari.io.read import caller_read
from daftari.io.write.current_rows import lock_row
from daftari.operations.read.read_rows import Reader, query_of

_ANY = "*"


def version_of(row: str) -> str:
    """Return the strong entity tag of a row, from its JSON as `read_one` returns it."""
    return f'"{hashlib.sha256(row.encode()).hexdigest()[:32]}"'


def require_version(
    conn: Connection[Any], reader: Reader, key: Sequence[str], stated: str, *, fields: Sequence[str] = ()
) -> None:
    """
    Lock the row of *key* until the transaction ends, and require that it has one of the *stated* versions (`If-Match`).

    A version is of the whole row as the reader sees it, or of *fields*.

    Raises:
        RowChanged: it has another, or the reader sees no such row.
        AccessRefused: the reader may not read the dataset.
    """
    asked = list(zip(reader.dataset.key, key, strict=True))
    query = query_of(reader, [("fields", ",".join(fields)), *asked] if fields else asked)
    lock_row(conn, reader.dataset, key)
    with in_role_of(conn, reader.context.caller, reader.roles):
        rows = caller_read.page_of(caller_read.ask_page(conn, reader.relation, query), query).rows
    versions = {it.strip() for it in stated.split(",")}
    if not rows or (_ANY not in versions and version_of(rows[0]) not in versions):
        raise RowChanged(
            f"{reader.dataset.name}: the row is not the one that If-Match names; nothing was changed",
            hint="Read it again, and send the change with the ETag of that answer.",
        )
