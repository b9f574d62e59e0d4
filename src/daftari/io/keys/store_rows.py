"""Rows of the key store: reading them, some at a time, and writing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, bindparam, column, table, text

from daftari.io.database import queries
from daftari.io.keys.wrapping import Wrapped
from daftari.protect.keys import KeyOwner

QUERIES = queries.load_queries("keys/store_rows.sql")
SOME = 1000  #: owners, keys or wrappings at once

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a key as the store keeps it."""

    key_id: bytes
    version: int
    wrapped: Wrapped


def current(
    conn: Connection, owners: Sequence[KeyOwner], generation: int
) -> dict[KeyOwner, Version | bytes | None]:
    """Return, for each owner, the version of its key of *generation*, else the id of its key, else None."""
    found: dict[KeyOwner, Version | bytes | None] = dict.fromkeys(owners)
    for scope, of_scope in groupby(sorted(owners, key=lambda it: it.scope), key=lambda it: it.scope):
        for some in batched([owner.subject for owner in of_scope]):
            asked = {"scope": scope, "subjects": some, "generation": generation}
            for row in conn.execute(select_many("keys_of", "subjects"), asked).mappings():
                owner = KeyOwner(scope=scope, subject=row["subject"])
                found[owner] = bytes(row["key_id"]) if row["version"] is None else as_version(row)
    return found


def insert(conn: Connection, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add *rows* to the table *name*, many per statement: a network round trip for each would be slow."""
    if found := list(rows):
        conn.execute(sqlalchemy.insert(table(name, *map(column, found[0]))), found)


def as_row(key_id: bytes, version: int, wrapped: Wrapped) -> dict[str, Any]:
    return {"key_id": key_id, "version": version, "epoch": wrapped.epoch, "wrapped": wrapped.content}


def batched(items: Iterable[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)
    while some := list(islice(remaining, SOME)):
        yield some


def select_many(name: str, *lists: str) -> Any:
    return text(QUERIES[name]).bindparams(*(bindparam(it, expanding=True) for it in lists))


def generation_of(conn: Connection) -> int:
    return int(conn.execute(text(QUERIES["state"])).mappings().one()["generation"])


def as_version(row: Any) -> Version:
    wrapped = Wrapped(epoch=row["epoch"], content=bytes(row["wrapped"]))
    return Version(key_id=bytes(row["key_id"]), version=row["version"], wrapped=wrapped)
