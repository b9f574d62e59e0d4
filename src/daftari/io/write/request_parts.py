"""What a person did in requests so far: read by the service, whatever the person's role shows of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from psycopg import Connection, sql

from daftari.compile.tables.columns import column_type
from daftari.contract.model import Dataset
from daftari.contract.permissions import NO_PART, TakenPart
from daftari.io.database import queries
from daftari.io.row_writing.staging import governed_table

_QUERIES = queries.load_queries("write/request_parts.sql")
#: Parts that bind a recorder too.
_OWN_WORK = {"entered", "changed", "decided"}


def parts_in(
    conn: Connection[Any], dataset: Dataset, keys: Sequence[Sequence[str]], person: str | None
) -> list[TakenPart]:
    """Return the part of *person* in the request of each of *keys*; no part where there is no such row."""
    approval = dataset.approval
    if approval is None or dataset.subject is None or person is None or not keys:
        return [NO_PART] * len(keys)
    places = range(len(dataset.key))
    by = [step.by for step in approval.steps if step.by]
    statement = sql.SQL(_QUERIES["parts"]).format(
        table=governed_table(dataset),
        subject=sql.Identifier("t", dataset.subject),
        by=sql.SQL(", ").join(
            [sql.NULL, *(sql.SQL("{}::text").format(sql.Identifier("t", it)) for it in by)]
        ),
        keys=sql.SQL(", ").join(sql.SQL("{}::text[]").format(sql.Placeholder(f"key{at}")) for at in places),
        columns=sql.SQL(", ").join(sql.Identifier(f"key{at}") for at in places),
        match=sql.SQL(" and ").join(
            sql.SQL(f"{{}} = {{}}::{column_type(dataset, dataset.field(name))}").format(
                sql.Identifier("t", name), sql.Identifier("k", f"key{at}")
            )
            for at, name in enumerate(dataset.key)
        ),
    )
    facts: dict[str, Any] = {f"key{at}": [str(key[at]) for key in keys] for at in places}
    facts |= {"dataset": dataset.name, "person": person, "names": json.dumps(list(dataset.key))}
    found = {place: _part(*row) for place, *row in conn.execute(statement, facts)}
    return [found.get(place, NO_PART) for place in range(1, len(keys) + 1)]


def _part(is_subject: bool, is_nobodys: bool, parts: list[str], decided: bool) -> TakenPart:
    done = set(parts)
    return TakenPart(
        is_own=is_subject or (is_nobodys and "entered" in done),
        entered=not done.isdisjoint(("entered", "recorded")),
        changed="changed" in done,
        decided=decided or "decided" in done,
        only_records=done.isdisjoint(_OWN_WORK),
    )
