"""The history of one row in the audit: when it was inserted, and each change since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from daftari.contract.model import Dataset
from daftari.contract.platform import CREATED_AT, OPS, RUN_ID, UPDATED_AT
from daftari.io.database import queries

_QUERIES = queries.load_queries("audit/row_history.sql")
#: The newest changes. For a row with more, use `daftari audit`.
MOST_CHANGES = 500


@dataclass(frozen=True, kw_only=True)
class RowChange:
    """One change of a row, complete. What a reader may see of it is decided elsewhere."""

    at: datetime
    operation: str
    actor: str
    run_id: int | None
    old: dict[str, Any]  #: of the key and the fields that changed
    new: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RowHistory:
    created_at: datetime
    updated_at: datetime
    run_id: int | None  #: that wrote the row last
    changes: tuple[RowChange, ...]  #: newest first


def of_row(conn: Connection[Any], dataset: Dataset, key: Sequence[str]) -> RowHistory | None:
    """
    Return the history of the row of a key as the service sees it; None where the row does not exist.

    May be slow where a table has millions of audited changes since the row was inserted: the audit has no index by
    key, since each change would have to maintain it.
    """
    names = [sql.Identifier("t", name) for name in dataset.key]
    condition = sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(name, sql.Literal(value)) for name, value in zip(names, key, strict=True)
    )
    statement = sql.SQL(_QUERIES["row"]).format(
        table=sql.Identifier(OPS, dataset.name), key=sql.SQL(", ").join(names), condition=condition
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement).fetchone()
        if row is None:
            return None
        facts = {
            "since": row[CREATED_AT],
            "relation": f"{OPS}.{dataset.name}",
            "key": row["key"],
            "limit": MOST_CHANGES,
        }
        # A row that was never updated has no changes to find.
        is_changed = row[UPDATED_AT] > row[CREATED_AT]
        found = cursor.execute(_QUERIES["changes"], facts).fetchall() if is_changed else []
    return RowHistory(
        created_at=row[CREATED_AT],
        updated_at=row[UPDATED_AT],
        run_id=row[RUN_ID],
        changes=tuple(map(_change, found)),
    )


def _change(row: dict[str, Any]) -> RowChange:
    return RowChange(
        at=row["at"],
        operation=row["operation"],
        actor=row["actor"],
        run_id=row["run_id"],
        old=json.loads(row["old"] or "{}", parse_float=str),
        new=json.loads(row["new"] or "{}", parse_float=str),
    )
