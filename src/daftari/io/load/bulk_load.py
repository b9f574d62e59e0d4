"""
Writes judged rows into their table: directly by COPY while every key is new, by a merge otherwise.

Everything happens in the caller's transaction. A batch that meets an existing key, or a constraint that no rule
foresaw, is rolled back to its savepoint and merged. A merge that fails is halved until the faulty rows are alone;
those are rejected with the reason of their rule.

A merge needs the primary key. While its index is deferred, batches that must be merged wait.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import psycopg
from psycopg import Connection, sql

from daftari.compile.names import derived
from daftari.contract.model import Conflict, Dataset
from daftari.errors import DatabaseError
from daftari.io.database import queries
from daftari.io.database.turns import take_turn
from daftari.io.load.deferred_indexes import DeferredIndexes
from daftari.io.row_writing import staging
from daftari.io.row_writing.causes import with_causes
from daftari.io.row_writing.constraint_reasons import Refusals, own_references
from daftari.io.row_writing.halving import written_by_halves
from daftari.io.row_writing.repeats import MOST_PASSES, find_repeats, unique_others
from daftari.io.runs.ledger import RunCounts
from daftari.rows.intake.batch import Batch
from daftari.rows.intake.intake import encode_rows
from daftari.rows.rules.rejection import CONTRADICTS, KEEPS_SEALED, Refusal

_QUERIES = queries.load_queries("load/bulk_load.sql")
#: Off while batches are merged.
_PLANNING = ("enable_hashjoin", "enable_mergejoin", "jit")
#: At most this many rows wait for the primary key, so memory does not grow with the file.
_WAITING_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class LoadedRows:
    batch: Batch
    counts: RunCounts
    refused: Mapping[int, Refusal] = field(default_factory=dict)  #: by line


class BulkLoad:
    """
    The rows of one run on their way into one table. Within a transaction: `prepare`, `land` each batch, `finish`.

    Batches of one run may repeat a key of an earlier batch: that counts as within a batch.
    """

    def __init__(self, conn: Connection[Any], dataset: Dataset, run_id: int) -> None:
        self._conn = conn
        self._dataset = dataset
        self._run_id = run_id
        self._table = staging.governed_table(dataset)
        self._stage = staging.stage_of_load(dataset)
        self._refusals = Refusals(dataset)
        #: a row may refer to one that the server gets later; the server checks these references itself
        self._own_references = own_references(dataset)
        self._skips_key_triggers = False
        #: PostgreSQL copies into a table with policies only for roles that bypass them, such as a superuser
        self._copies_directly = True
        self._merges = False
        self._is_staged = False
        self._aside = DeferredIndexes(conn, dataset.name)
        self._waiting: list[Batch] = []
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """sha256 over the rows as sent to the server, in hex."""
        return self._digest.hexdigest()

    @property
    def operation(self) -> str:
        return "merge" if self._merges else "insert"

    def prepare(self, *, large: bool) -> None:
        """
        Lock the table for this transaction: one load per dataset at a time.

        For a *large* load, an empty table gets its indexes and its primary key after the rows.

        Raises:
            DatabaseError: another load of the dataset holds the lock for longer than the session waits.
        """
        try:
            take_turn(self._conn, f"load {self._dataset.name}")
        except psycopg.errors.LockNotAvailable:
            raise DatabaseError(
                f"{self._dataset.name}: another load of it is running and did not end in time",
                hint="Load the file again when that one has ended, or raise lock_timeout_seconds.",
            ) from None
        allowed = self._conn.execute(_QUERIES["may_skip_key_triggers"]).fetchone()
        # Without triggers, unique values would not be checked at the end of a statement either.
        if allowed and allowed[0] and not self._own_references and not unique_others(self._dataset):
            self._skips_key_triggers = True
            # The rules check every foreign key, and `ReferencedRows` locks the referenced rows. The server would
            # check them again row by row, at three times the cost of the load. Triggers that must still fire are
            # ENABLE ALWAYS.
            self._conn.execute("set local session_replication_role = replica")
        held = self._conn.execute(_QUERIES["is_held_by_policies"], {"table": self._dataset.name}).fetchone()
        self._copies_directly = not (held and held[0])
        if large and self._is_empty():
            self._aside.set_aside()

    def land(self, batch: Batch) -> tuple[LoadedRows, ...]:
        """Land *batch*, and the rows that waited for it; nothing where it must wait itself."""
        if batch.height == 0:
            return ()
        self._digest.update(batch.body)
        self._check_partial_keys(batch)
        if batch.is_new and not self._merges:
            try:
                self._insert(batch)
                counts = RunCounts(received=batch.height, inserted=batch.height)
                return (LoadedRows(batch=batch, counts=counts),)
            except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
                self._merges = True
        self._waiting.append(batch)
        if self._aside.has_key and not self._merges and self._few_wait():
            return ()
        return self._land_waiting()

    def _check_partial_keys(self, batch: Batch) -> None:
        """Let the server check foreign keys of which *batch* has some fields: the others are in the existing rows."""
        spoken = [set(it.fields) & set(batch.columns) for it in self._dataset.relationships]
        parts = zip(self._dataset.relationships, spoken, strict=True)
        if self._skips_key_triggers and any(0 < len(some) < len(it.fields) for it, some in parts):
            self._skips_key_triggers = False
            self._conn.execute("set local session_replication_role = origin")

    def _few_wait(self) -> bool:
        return sum(batch.height for batch in self._waiting) <= _WAITING_ROWS

    def _land_waiting(self) -> tuple[LoadedRows, ...]:
        """Merge the waiting rows, in order of the file."""
        self._aside.put_back()
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._make_stage()
        return tuple(self._until_settled(batch, self._merge(batch)) for batch in waiting)

    def _until_settled(self, batch: Batch, landed: LoadedRows) -> LoadedRows:
        """Merge again the rows that were rejected for what a later half of the batch has changed."""
        while waiting := [
            line for line, why in landed.refused.items() if why.rule in self._refusals.settled_later
        ]:
            chosen = batch.lines.is_in(waiting)
            second = self._merge(self._part(batch.rows.filter(chosen), batch.lines.filter(chosen)))
            if second.counts.quarantined == len(waiting):
                break
            others = {line: why for line, why in landed.refused.items() if line not in waiting}
            counted = replace(
                landed.counts,
                received=landed.counts.received - len(waiting),
                quarantined=landed.counts.quarantined - len(waiting),
            )
            landed = LoadedRows(
                batch=batch, counts=counted + second.counts, refused={**others, **second.refused}
            )
        return replace(landed, refused=with_causes(landed.refused, batch, self._dataset))

    def finish(self) -> tuple[LoadedRows, ...]:
        """Build the deferred indexes, and land the rows that waited for them."""
        landed = self._land_waiting()
        for setting in _PLANNING:
            self._conn.execute(sql.SQL("set local {} to default").format(sql.Identifier(setting)))
        if self._skips_key_triggers:
            self._conn.execute("set local session_replication_role = origin")
        return landed

    # --- direct

    def _insert(self, batch: Batch) -> None:
        """Insert rows whose keys are all new, or none of them."""
        if self._copies_directly:
            with self._conn.transaction():
                staging.copy_binary(self._conn, self._table, batch.columns, batch.body)
            return
        self._make_stage()
        with self._conn.transaction():
            staging.fill(self._conn, self._dataset, batch.columns, batch.body)
            self._conn.execute(
                sql.SQL("insert into {} ({columns}) select {columns} from {}").format(
                    self._table, self._stage, columns=staging.listed(batch.columns)
                )
            )

    def _is_empty(self) -> bool:
        row = self._conn.execute(sql.SQL("select not exists (select from {})").format(self._table)).fetchone()
        return bool(row and row[0])

    # --- merge

    def _merge(self, batch: Batch) -> LoadedRows:
        parts = written_by_halves(
            self._conn, batch, write=self._merge_once, refused=self._alone, halves=self._halves
        )
        refused = {line: why for part in parts for line, why in part.refused.items()}
        return LoadedRows(
            batch=batch, counts=sum((part.counts for part in parts), RunCounts()), refused=refused
        )

    def _alone(self, batch: Batch, error: psycopg.Error) -> LoadedRows | None:
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            raise error
        if batch.height > 1:
            is_repeat = isinstance(error, psycopg.errors.UniqueViolation)
            return self._without_repeats(batch) if is_repeat else None
        refused = {batch.lines[0]: self._refusals.of(error)}
        return LoadedRows(batch=batch, counts=RunCounts(received=1, quarantined=1), refused=refused)

    def _without_repeats(self, batch: Batch) -> LoadedRows | None:
        """
        Merge *batch* without the rows that repeat a unique value, found as if all were written at once.

        So rows may exchange their values, whatever the order of the lines. None: no row repeats one, or so many depend
        on one another that they are better written one by one.
        """
        rest, refused = batch, dict[int, Refusal]()
        for _ in range(MOST_PASSES):
            before = len(refused)
            for name in unique_others(self._dataset, batch.columns):
                lines = self._repeats(rest, name)
                refused |= dict.fromkeys(
                    lines, self._refusals.by_constraint[derived(self._dataset.name, name, "key")]
                )
                rest = self._without(rest, lines)
            if len(refused) == before:
                break
        else:
            return None
        if not refused:
            return None
        merged = self._merge(rest)
        counts = merged.counts + RunCounts(received=len(refused), quarantined=len(refused))
        return LoadedRows(batch=batch, counts=counts, refused={**refused, **merged.refused})

    def _repeats(self, batch: Batch, field_name: str) -> list[int]:
        """Return the lines of *batch* that repeat a value of a unique field."""
        staging.fill(self._conn, self._dataset, batch.columns, batch.body)
        places = find_repeats(self._conn, self._dataset, self._stage, field_name, lines=None)
        return batch.lines.gather(places).to_list()

    def _without(self, batch: Batch, lines: Sequence[int]) -> Batch:
        if not lines:
            return batch
        chosen = ~batch.lines.is_in(lines)
        return self._part(batch.rows.filter(chosen), batch.lines.filter(chosen))

    def _halves(self, batch: Batch) -> Iterator[Batch]:
        """Copy the bodies one after another: the second is encoded after the first is written."""
        rows, lines, middle = batch.rows, batch.lines, batch.height // 2
        yield self._part(rows[:middle], lines[:middle])
        yield self._part(rows[middle:], lines[middle:])

    def _part(self, rows: pl.DataFrame, lines: pl.Series) -> Batch:
        return Batch(rows=rows, lines=lines, body=encode_rows(rows, self._dataset))

    def _merge_once(self, batch: Batch) -> LoadedRows:
        staging.fill(self._conn, self._dataset, batch.columns, batch.body)
        refused = self._conflicts(batch) if self._dataset.conflict is Conflict.REJECT else {}
        moved = staging.changes_person(self._dataset, batch.columns)
        if moved is not None and self._dataset.conflict is Conflict.UPDATE:
            refused |= self._removed(batch, moved, KEEPS_SEALED)
        row = self._conn.execute(self._merge_statement(batch.columns), {"run_id": self._run_id}).fetchone()
        assert row is not None, "the statement returns one row of counts"
        inserted, updated, unchanged, duplicate, superseded = row
        counts = RunCounts(
            received=batch.height,
            inserted=inserted,
            updated=updated,
            unchanged=unchanged,
            duplicate=duplicate,
            superseded=superseded,
            quarantined=len(refused),
        )
        return LoadedRows(batch=batch, counts=counts, refused=refused)

    def _make_stage(self) -> None:
        """Create the staging table, once. Outside the savepoint of a merge, which may be rolled back."""
        if self._is_staged:
            return
        staging.make_for_transaction(self._conn, self._dataset)
        # Each batch meets a few rows in a large table: use its index instead of a full scan for every batch.
        # Compiling that plan for every batch takes longer than running it.
        for setting in _PLANNING:
            self._conn.execute(sql.SQL("set local {} = off").format(sql.Identifier(setting)))
        self._is_staged = True

    def _conflicts(self, batch: Batch) -> dict[int, Refusal]:
        """Staged rows that contradict an existing row."""
        return self._removed(batch, sql.SQL("not ({})").format(self._same(batch.columns)), CONTRADICTS)

    def _removed(self, batch: Batch, condition: sql.Composable, why: Refusal) -> dict[int, Refusal]:
        """Remove from the staging table the rows that meet *condition* beside the existing row of their key."""
        statement = sql.SQL(
            "delete from {stage} s using {table} t where {match} and {condition} returning {key}"
        ).format(
            stage=self._stage,
            table=self._table,
            match=staging.same_key(self._dataset),
            condition=condition,
            key=sql.SQL(", ").join(sql.Identifier("s", name) for name in self._dataset.key),
        )
        found = self._conn.execute(statement).fetchall()
        if not found:
            return {}
        key = list(self._dataset.key)
        keys = pl.DataFrame(found, schema={k: batch.rows.schema[k] for k in key}, orient="row")
        lines = batch.rows.select(key).with_columns(line=batch.lines).join(keys, on=key)["line"]
        return dict.fromkeys(lines, why)

    def _merge_statement(self, columns: Sequence[str]) -> sql.Composed:
        updates = self._dataset.conflict is Conflict.UPDATE
        return sql.SQL(_QUERIES["merge_update" if updates else "merge_keep"]).format(
            stage=self._stage,
            table=self._table,
            columns=staging.listed(columns),
            match=staging.same_key(self._dataset),
            same=self._same(columns),
            assignments=sql.SQL(", ").join(
                sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in columns
            ),
        )

    def _same(self, columns: Sequence[str]) -> sql.Composable:
        """Whether the row `t` has the content of the staged row `s`, as far as that speaks."""
        return sql.SQL(" and ").join(
            [sql.SQL("true")]
            + [
                sql.SQL("t.{0} is not distinct from s.{0}").format(sql.Identifier(name))
                for name in staging.contents(self._dataset, columns)
            ]
        )
