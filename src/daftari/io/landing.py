"""
How judged rows come into their table: straight by COPY while every key is new, by way of a merge otherwise.

Everything happens in the caller's transaction. A batch that meets an existing key, or a constraint that no rule
foresaw, is rolled back to its savepoint and merged; a merge that fails is halved until the rows at fault stand
alone, and those are refused under the constraint's name.

A merge looks keys up. Where the key is set aside, what must be merged waits until it is back.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import psycopg
from psycopg import Connection, sql

from daftari.compile.names import derived
from daftari.contract.model import Conflict, Dataset
from daftari.contract.platform import OPS, RUN_ID
from daftari.errors import DatabaseError
from daftari.io import queries
from daftari.io.aside import Aside
from daftari.io.ledger import Counts
from daftari.protect.columns import index_columns
from daftari.rows import copy
from daftari.rows.batch import Batch
from daftari.rows.intake import encode
from daftari.rows.rules import reference_rule

_QUERIES = queries.load("landing.sql")
_STAGE = sql.Identifier("pg_temp", "daftari_stage")
#: Off while batches are merged.
_PLANNING = ("enable_hashjoin", "enable_mergejoin", "jit")
#: The rows that wait for the key at the most: memory does not grow with the file.
_WAITING_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A row that the database refused: a conflict with another row, or a constraint."""

    line: int
    rule: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Landed:
    batch: Batch
    counts: Counts
    refused: tuple[Refused, ...] = ()


class Landing:
    """
    One run's way into one table. Use within a transaction: `prepare`, `land` each batch, `finish`.

    Batches of one run may repeat a key of an earlier batch: that counts as a duplicate, as within a batch.
    """

    def __init__(self, conn: Connection[Any], dataset: Dataset, run_id: int) -> None:
        self._conn = conn
        self._dataset = dataset
        self._run_id = run_id
        self._columns = [*(f.name for f in dataset.fields), RUN_ID, *index_columns(dataset)]
        self._table = sql.Identifier(OPS, dataset.name)
        #: a row may name one that the server sees later; it proves these references itself
        self._own_references = {reference_rule(r) for r in dataset.relationships if r.target == dataset.name}
        self._skips_key_triggers = False
        #: PostgreSQL copies into a table with policies only for whoever they do not hold, such as a superuser
        self._copies_straight = True
        self._merges = False
        self._is_staged = False
        self._aside = Aside(conn, dataset.name)
        self._waiting: list[Batch] = []
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """sha256 over the rows as they were sent to the server, in hex."""
        return self._digest.hexdigest()

    @property
    def operation(self) -> str:
        return "merge" if self._merges else "insert"

    def prepare(self, *, large: bool) -> None:
        """
        Take the table for this transaction: one load a dataset at a time.

        An empty table that is about to take a *large* load gets its indexes and its key when the rows are there.

        Raises:
            DatabaseError: another load of the dataset holds it for longer than the session waits for locks.
        """
        try:
            self._conn.execute(_QUERIES["one_load_a_dataset"], {"dataset": self._dataset.name})
        except psycopg.errors.LockNotAvailable:
            raise DatabaseError(
                f"{self._dataset.name}: another load of it is under way and did not end in time",
                hint="Load the file again when that one is through, or raise lock_timeout_seconds.",
            ) from None
        allowed = self._conn.execute(_QUERIES["may_skip_key_triggers"]).fetchone()
        if allowed and allowed[0] and not self._own_references:
            self._skips_key_triggers = True
            # The rules prove every foreign key against the parents, which `Parents.hold` locks; the server
            # would prove them again row by row, at three times the cost of the load. Triggers that must fire
            # all the same are ENABLE ALWAYS.
            self._conn.execute("set local session_replication_role = replica")
        held = self._conn.execute(_QUERIES["is_held_by_policies"], {"table": self._dataset.name}).fetchone()
        self._copies_straight = not (held and held[0])
        if large and self._is_empty():
            self._aside.set_aside()

    def land(self, batch: Batch) -> tuple[Landed, ...]:
        """Land *batch*, and whatever waited for it; nothing, where it is to wait itself."""
        if batch.height == 0:
            return ()
        self._digest.update(batch.body)
        if batch.is_new and not self._merges:
            try:
                self._insert(batch.body)
                counts = Counts(received=batch.height, inserted=batch.height)
                return (Landed(batch=batch, counts=counts),)
            except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
                self._merges = True
        self._waiting.append(batch)
        if self._aside.has_key and not self._merges and self._few_wait():
            return ()
        return self._land_waiting()

    def _few_wait(self) -> bool:
        return sum(batch.height for batch in self._waiting) <= _WAITING_ROWS

    def _land_waiting(self) -> tuple[Landed, ...]:
        """Merge what waits, in the order of the file."""
        self._aside.put_back()
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._make_stage()
        return tuple(self._until_settled(batch, self._merge(batch)) for batch in waiting)

    def _until_settled(self, batch: Batch, landed: Landed) -> Landed:
        """Merge again the rows that were refused for naming one which a later half of the batch brought."""
        while waiting := [one.line for one in landed.refused if one.rule in self._own_references]:
            chosen = batch.lines.is_in(waiting)
            rows = batch.rows.filter(chosen)
            second = self._merge(
                Batch(rows=rows, lines=batch.lines.filter(chosen), body=encode(rows, self._dataset))
            )
            if second.counts.quarantined == len(waiting):
                break
            others = tuple(one for one in landed.refused if one.rule not in self._own_references)
            counted = replace(
                landed.counts,
                received=landed.counts.received - len(waiting),
                quarantined=landed.counts.quarantined - len(waiting),
            )
            landed = Landed(batch=batch, counts=counted + second.counts, refused=others + second.refused)
        return landed

    def finish(self) -> tuple[Landed, ...]:
        """Put back what was set aside, and land what waited for it."""
        landed = self._land_waiting()
        for setting in _PLANNING:
            self._conn.execute(sql.SQL("set local {} to default").format(sql.Identifier(setting)))
        if self._skips_key_triggers:
            self._conn.execute("set local session_replication_role = origin")
        return landed

    # --- straight

    def _insert(self, body: bytes) -> None:
        """Insert rows that are all new, or none of them."""
        if self._copies_straight:
            with self._conn.transaction():
                self._copy(self._table, body)
            return
        self._make_stage()
        with self._conn.transaction():
            self._stage(body)
            columns = sql.SQL(", ").join(map(sql.Identifier, self._columns))
            self._conn.execute(
                sql.SQL("insert into {} ({columns}) select {columns} from {}").format(
                    self._table, _STAGE, columns=columns
                )
            )

    def _copy(self, table: sql.Composable, body: bytes) -> None:
        columns = sql.SQL(", ").join(map(sql.Identifier, self._columns))
        statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(table, columns)
        with self._conn.cursor() as cursor, cursor.copy(statement) as out:
            out.write(copy.HEADER)
            out.write(body)
            out.write(copy.TRAILER)

    def _is_empty(self) -> bool:
        row = self._conn.execute(sql.SQL("select not exists (select from {})").format(self._table)).fetchone()
        return bool(row and row[0])

    # --- merge

    def _merge(self, batch: Batch) -> Landed:
        try:
            with self._conn.transaction():
                return self._merge_once(batch)
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError) as error:
            if batch.height == 1:
                return Landed(
                    batch=batch,
                    counts=Counts(received=1, quarantined=1),
                    refused=(self._refused(batch.lines[0], error),),
                )
        middle = batch.height // 2
        first = self._merge(self._part(batch, 0, middle))
        second = self._merge(self._part(batch, middle, batch.height))
        counts, refused = first.counts + second.counts, first.refused + second.refused
        return Landed(batch=batch, counts=counts, refused=refused)

    def _part(self, batch: Batch, start: int, end: int) -> Batch:
        rows = batch.rows[start:end]
        body = encode(rows, self._dataset)
        return Batch(rows=rows, lines=batch.lines[start:end], body=body)

    def _merge_once(self, batch: Batch) -> Landed:
        self._stage(batch.body)
        refused = self._conflicts(batch) if self._dataset.conflict is Conflict.REJECT else ()
        row = self._conn.execute(self._merge_statement(), {"run_id": self._run_id}).fetchone()
        assert row is not None, "the statement returns one row of counts"
        inserted, updated, unchanged, duplicate = row
        counts = Counts(
            received=batch.height,
            inserted=inserted,
            updated=updated,
            unchanged=unchanged,
            duplicate=duplicate,
            quarantined=len(refused),
        )
        return Landed(batch=batch, counts=counts, refused=refused)

    def _make_stage(self) -> None:
        """Make the stage, once. Outside the savepoint of a merge, which may be rolled back."""
        if self._is_staged:
            return
        columns = sql.SQL(", ").join(map(sql.Identifier, self._columns))
        self._conn.execute(
            sql.SQL(
                "create temporary table daftari_stage on commit drop as select {} from {} with no data"
            ).format(columns, self._table)
        )
        # Each batch meets a few rows in a large table: by its index, and not by reading it all for every batch.
        # Compiling that plan anew for every batch takes longer than running it.
        for setting in _PLANNING:
            self._conn.execute(sql.SQL("set local {} = off").format(sql.Identifier(setting)))
        self._is_staged = True

    def _stage(self, body: bytes) -> None:
        self._conn.execute(sql.SQL("truncate {}").format(_STAGE))
        self._copy(_STAGE, body)

    def _conflicts(self, batch: Batch) -> tuple[Refused, ...]:
        """Staged rows that contradict a row already there; they are taken off the stage."""
        statement = sql.SQL(
            "delete from {stage} s using {table} t where {match} and not ({same}) returning {key}"
        ).format(stage=_STAGE, table=self._table, match=self._match(), same=self._same(), key=self._key("s"))
        found = self._conn.execute(statement).fetchall()
        if not found:
            return ()
        key = list(self._dataset.key)
        keys = pl.DataFrame(found, schema={k: batch.rows.schema[k] for k in key}, orient="row")
        lines = batch.rows.select(key).with_columns(line=batch.lines).join(keys, on=key)["line"]
        reason = "contradicts the row that is there under its key"
        return tuple(Refused(line=line, rule="conflict", reason=reason) for line in lines)

    def _merge_statement(self) -> sql.Composed:
        names = [sql.Identifier(c) for c in self._columns]
        updates = self._dataset.conflict is Conflict.UPDATE
        return sql.SQL(_QUERIES["merge_update" if updates else "merge_keep"]).format(
            stage=_STAGE,
            table=self._table,
            columns=sql.SQL(", ").join(names),
            match=self._match(),
            same=self._same(),
            assignments=sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(name) for name in names),
        )

    def _match(self) -> sql.Composable:
        """Rows of one key; without a key no two rows are the same."""
        if not self._dataset.key:
            return sql.SQL("false")
        return sql.SQL(" and ").join(
            sql.SQL("t.{0} = s.{0}").format(sql.Identifier(name)) for name in self._dataset.key
        )

    def _same(self) -> sql.Composable:
        rest = [f.name for f in self._dataset.fields if not f.is_key]
        return sql.SQL(" and ").join(
            [sql.SQL("true")]
            + [sql.SQL("t.{0} is not distinct from s.{0}").format(sql.Identifier(n)) for n in rest]
        )

    def _key(self, alias: str) -> sql.Composable:
        return sql.SQL(", ").join(sql.Identifier(alias, name) for name in self._dataset.key)

    def _refused(self, line: int, error: psycopg.Error) -> Refused:
        """Return why the server refused a row, in the words of the rules where they have some."""
        constraint = error.diag.constraint_name or type(error).__name__
        match error:
            case psycopg.errors.ExclusionViolation():
                return Refused(line=line, rule="no_overlap", reason="overlaps another row of the same key")
            case psycopg.errors.UniqueViolation():
                return Refused(line=line, rule=constraint, reason="repeats a value that must be unique")
            case psycopg.errors.ForeignKeyViolation():
                by_constraint = {
                    derived(self._dataset.name, *r.fields, "fkey"): reference_rule(r)
                    for r in self._dataset.relationships
                }
                rule = by_constraint.get(constraint, constraint)
                return Refused(line=line, rule=rule, reason="names nothing that exists")
            case _:
                return Refused(line=line, rule=constraint, reason="is refused by the database")
