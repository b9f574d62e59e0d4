"""Finds the rows of one run through the audit, and reverses them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row

from daftari.contract.model import Dataset
from daftari.contract.platform import COLUMNS, OPS
from daftari.io.database import queries

_QUERIES = queries.load_queries("audit/undo.sql")


@dataclass(frozen=True, kw_only=True)
class Past:
    """What an undo needs to know about a run."""

    kind: str
    dataset: str | None
    status: str
    inserted: int
    updated: int
    undone_by: int | None
    started_at: datetime


def past(conn: Connection[Any], run_id: int) -> Past | None:
    with conn.cursor(row_factory=class_row(Past)) as cursor:
        return cursor.execute(_QUERIES["run"], {"run_id": run_id}).fetchone()


class Undo:
    """The reversal of one run, within a transaction: `find`, check for conflicts, `take_back`."""

    def __init__(self, conn: Connection[Any], dataset: Dataset, run_id: int) -> None:
        self._conn = conn
        self._key = dataset.key
        self._run_id = run_id
        self._batch = 0
        self._relation = f"{OPS}.{dataset.name}"
        columns = [*(field.name for field in dataset.fields), *COLUMNS]
        self._parts: dict[str, sql.Composable] = {
            "table": sql.Identifier(OPS, dataset.name),
            "run_id": sql.Literal(run_id),
            "relation": sql.Literal(self._relation),
            "key_of_old": self._listed("c.old -> {}", sql.Literal) or sql.SQL("c.old"),
            "match_live": self._matched("t"),
            "match_undo": self._matched("u"),
            "keys_of_later": self._listed("l.{}", sql.Identifier) or sql.SQL("l._run_id"),
            "known": sql.Literal(columns),
            "keys": sql.Literal(list(dataset.key)),
            "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
            "columns_of_before": sql.SQL(", ").join(sql.Identifier("b", name) for name in columns),
        }

    def gone_fields(self) -> list[str]:
        """Return the fields that the audit names and the table has no more, as far as the undo needs them."""
        return [name for (name,) in self._run("gone_fields", batch=sql.Literal(self._batch)).fetchall()]

    def find(self) -> bool:
        """Find and lock the run's rows; return whether the audit has the run."""
        self._run("hold")
        row = self._conn.execute(
            _QUERIES["batch"], {"run_id": self._run_id, "relation": self._relation}
        ).fetchone()
        if row is None or row[0] is None:
            return False
        self._batch = row[0]
        self._run("find_updated")
        self._run("find_later", batch=sql.Literal(self._batch))
        return True

    def in_the_way(self) -> list[tuple[Any, ...]]:
        """Return the keys of rows that were changed later."""
        found: list[tuple[Any, ...]] = self._run("in_the_way").fetchall()
        return found

    def count(self) -> tuple[int, int]:
        """Return how many rows are still as the run inserted them, and as it updated them."""
        row = self._run("count").fetchone()
        assert row is not None, "two counts"
        return int(row[0]), int(row[1])

    def take_back(self) -> tuple[int, int]:
        """Delete and restore rows; return how many of each."""
        removed = self._run("remove").rowcount
        return removed, self._run("restore").rowcount

    def close(self, run_id: int, removed: int, restored: int) -> None:
        """Allow the file to be loaded again, restore its quarantine entries, and close the undo's own run."""
        facts = {"run_id": run_id, "undoes": self._run_id, "removed": removed, "restored": restored}
        for name in ("forget_file", "close_quarantine", "reopen_quarantine", "finish"):
            self._conn.execute(_QUERIES[name], facts)

    def _run(self, name: str, **more: sql.Composable) -> Any:
        return self._conn.execute(sql.SQL(_QUERIES[name]).format(**self._parts, **more))

    def _matched(self, alias: str) -> sql.Composable:
        """Match rows by key; rows of a table without a key never match."""
        same = [
            sql.SQL("{0} = {1}").format(sql.Identifier("l", k), sql.Identifier(alias, k)) for k in self._key
        ]
        return sql.SQL(" and ").join(same) if same else sql.SQL("false")

    def _listed(self, form: str, quoted: Any) -> sql.Composed | None:
        names = [sql.SQL(form).format(quoted(name)) for name in self._key]
        return sql.SQL(", ").join(names) if names else None
