"""
Writes a caller's judged rows into their table, in the caller's role, so that PostgreSQL decides.

The service, which sees every row, looks up which keys exist. The caller learns the result only for rows that the
caller's role sees. An existing but hidden row gives the same reason as a row that a policy rejects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from daftari.compile.access import approval_triggers
from daftari.compile.access.relations import relation_of
from daftari.compile.access.roles import Roles
from daftari.compile.names import derived
from daftari.contract.access.caller import Caller
from daftari.contract.access.role_permissions import clear_everywhere, permission_of
from daftari.contract.model import Conflict, Dataset, Operation
from daftari.contract.permissions import sees_all_rows
from daftari.errors import AccessRefused
from daftari.io.access.callers import in_role_of
from daftari.io.database import queries
from daftari.io.database.connection import BY_POLICY
from daftari.io.row_writing import staging
from daftari.io.row_writing.causes import with_causes
from daftari.io.row_writing.constraint_reasons import Refusals
from daftari.io.row_writing.halving import written_by_halves
from daftari.io.row_writing.repeats import MOST_PASSES, find_repeats, unique_others
from daftari.rows.intake.batch import Batch
from daftari.rows.rules.rejection import CONTRADICTS, KEEPS_SEALED, NOT_TAKEN, Refusal
from daftari.rows.rules.sums import hidden_sums, sums_at_writing

_QUERIES = queries.load_queries("write/caller_write.sql")
_AT_ONCE = 5  #: how often rows that another session wrote meanwhile are looked up again


@dataclass(frozen=True, kw_only=True)
class Fate:
    """The result of one row."""

    status: str  #: inserted, updated, unchanged, superseded or quarantined
    why: Refusal | None = None  #: why it is quarantined


def refused(why: Refusal) -> Fate:
    return Fate(status="quarantined", why=why)


class CallerWrite:
    """One caller's writes into one table, in the transaction of a run."""

    def __init__(self, conn: Connection[Any], dataset: Dataset, caller: Caller, roles: Roles) -> None:
        self._conn = conn
        self._dataset = dataset
        self._caller = caller
        self._roles = roles
        self._table = staging.governed_table(dataset)
        self._stage = staging.stage_of_session(dataset)
        self._refusals = Refusals(dataset)
        self._clashed: set[int] = set()
        self._unsettled: set[int] = set()  #: lines rejected for what other rows of the batch may change
        hidden = hidden_sums(dataset, caller.role)
        self._told_sums = {rule.id for rule, _ in sums_at_writing(dataset) if rule.id not in hidden}
        self._contents: list[str] = []  #: the fields of the staged rows that may differ from the table's
        self._changes_person: sql.Composable | None = None
        self.digest = ""  #: sha256 of the staged rows, in hex

    def write(self, batch: Batch) -> dict[int, Fate]:
        """As `write_all`, for one batch."""
        (fates,) = self.write_all([batch])
        return fates

    def write_all(
        self, batches: Sequence[Batch], named: Mapping[int, Set[str]] | None = None
    ) -> list[dict[int, Fate]]:
        """
        Write rows, one per key; return the result of each by line, for each of *batches*.

        A row that is rejected for what others of the rows change is tried again after them.

        *named* are the fields that the caller sent, by line; by default the columns of its batch. Those of them that
        the caller does not see in the clear count as changed: an answer of unchanged would tell their value.

        Raises:
            AccessRefused: the caller's role may not insert at all.
        """
        fates, waiting = [], []
        for batch in batches:
            fates.append(self._write_batch(batch, named))
            waiting.append(sorted(self._unsettled))
        digest, rows = self.digest, sum(batch.height for batch in batches)
        while 0 < sum(map(len, waiting)) < rows:
            rows = sum(map(len, waiting))
            for at, lines in enumerate(waiting):
                if lines:
                    fates[at] |= self._write_batch(_part(batches[at], lines), named)
                    waiting[at] = sorted(self._unsettled)
        self.digest = digest
        return [self._with_causes(some, batch) for some, batch in zip(fates, batches, strict=True)]

    def _with_causes(self, fates: dict[int, Fate], batch: Batch) -> dict[int, Fate]:
        why = {line: fate.why for line, fate in fates.items() if fate.why is not None}
        return fates | {line: refused(it) for line, it in with_causes(why, batch, self._dataset).items()}

    def _write_batch(self, batch: Batch, named: Mapping[int, Set[str]] | None) -> dict[int, Fate]:
        self._unsettled = set()
        if batch.height == 0:
            return {}
        if self.digest:  # of an earlier batch of this transaction, whose rows nothing needs any more
            staging.clear(self._conn, self._dataset)
        self.digest = staging.stage_rows(self._conn, self._dataset, batch.rows, batch.lines)
        self._contents = staging.contents(self._dataset, batch.columns)
        self._changes_person = staging.changes_person(self._dataset, batch.columns)
        fates: dict[int, Fate] = {}
        waiting = batch.lines.to_list()
        for _ in range(_AT_ONCE):
            found = self._look_up(waiting, named or dict.fromkeys(waiting, frozenset(batch.columns)))
            fates |= self._write_new(found.absent, batch)
            fates |= self._of_those_there(found)
            waiting = [line for line in waiting if line not in fates]
            if not waiting:
                break
        return fates | {line: refused(NOT_TAKEN) for line in waiting}

    @property
    def sees_all(self) -> bool:
        """Whether no row of the dataset is hidden from the caller."""
        return sees_all_rows(self._dataset, self._caller.role)

    # --- existing keys

    def _look_up(self, lines: Sequence[int], named: Mapping[int, Set[str]]) -> _Found:
        statement = sql.SQL(_QUERIES["look_up"]).format(
            stage=self._stage,
            table=self._table,
            match=staging.same_key(self._dataset),
            differing=sql.SQL(", ").join(
                sql.SQL("case when t.{0} is distinct from s.{0} then {1} end").format(
                    sql.Identifier(name), sql.Literal(name)
                )
                for name in self._contents
            )
            or sql.NULL,
            changes_person=self._changes_person or sql.SQL("false"),
        )
        rows = self._conn.execute(statement, {"lines": list(lines)}).fetchall()
        unseen = set(self._contents) - set(clear_everywhere(self._dataset, self._caller.role))
        return _Found(
            absent=[line for line, is_there, *_ in rows if not is_there],
            there={
                line: tuple({*filter(None, differing), *(unseen & named[line])})
                for line, is_there, differing, _ in rows
                if is_there
            },
            changes_person={line for line, _, _, changes in rows if changes},
        )

    # --- new rows

    def _write_new(self, lines: list[int], batch: Batch) -> dict[int, Fate]:
        """Insert rows in the caller's role. A row whose key was inserted meanwhile has no fate yet."""
        if not lines:
            return {}
        statement = sql.SQL(_QUERIES["insert"]).format(
            table=self._table,
            stage=self._stage,
            columns=staging.listed(
                staging.filled_columns(batch.rows.filter(batch.lines.is_in(lines)), self._dataset)
            ),
        )

        def insert(some: list[int]) -> dict[int, Fate]:
            self._conn.execute(statement, {"lines": some})
            return dict.fromkeys(some, Fate(status="inserted"))

        with in_role_of(self._conn, self._caller, self._roles):
            return self._each(lines, insert, otherwise=self._may_not_insert)

    def _each(
        self,
        lines: list[int],
        write: Callable[[list[int]], dict[int, Fate]],
        otherwise: Callable[[], dict[int, Fate]],
    ) -> dict[int, Fate]:
        """Write rows at once, and in halves where the server rejects one of them."""

        def refuse(some: list[int], error: psycopg.Error) -> dict[int, Fate] | None:
            if (
                isinstance(error, psycopg.errors.InsufficientPrivilege)
                and error.diag.source_function != BY_POLICY
            ):
                return otherwise() or {line: refused(NOT_TAKEN) for line in some}
            return self._alone(some[0], error) if len(some) == 1 else None

        parts = written_by_halves(self._conn, lines, write=write, refused=refuse, halves=_halves)
        return {line: fate for part in parts for line, fate in part.items()}

    def _alone(self, line: int, error: psycopg.Error) -> dict[int, Fate]:
        """Return the fate of a row that the server rejects; none where its key may exist by now: look it up again."""
        if isinstance(error, psycopg.errors.UniqueViolation) and line not in self._clashed:
            self._clashed.add(line)
            return {}
        if self._refusals.of(error).rule in self._refusals.settled_later:
            self._unsettled.add(line)
        return {line: refused(self._why(error))}

    def _why(self, error: psycopg.Error) -> Refusal:
        """Give the reason only to callers who see the rows that it is about: to others it would reveal one."""
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return NOT_TAKEN
        why = self._refusals.of(error)
        of_the_row = (approval_triggers.CONSTRAINT, approval_triggers.COVERS)
        is_told = self.sees_all or error.diag.constraint_name in of_the_row or why.rule in self._told_sums
        return why if is_told else NOT_TAKEN

    def _may_not_insert(self) -> dict[int, Fate]:
        raise AccessRefused(
            f"{self._dataset.name}: role {self._caller.role} may not insert these rows; expected a role to which "
            "its contract grants that",
            hint="`daftari contract show` shows who may do what.",
        )

    # --- existing rows

    def _of_those_there(self, found: _Found) -> dict[int, Fate]:
        visible = self._visible(list(found.there))
        fates = {line: refused(NOT_TAKEN) for line in found.there if line not in visible}
        changed = {line: names for line, names in found.there.items() if names and line in visible}
        repeats = self._repeats(changed)
        fates |= repeats
        changed = {line: names for line, names in changed.items() if line not in repeats}
        fates |= {
            line: Fate(status="unchanged") for line in visible if line not in changed and line not in fates
        }
        if self._dataset.conflict is Conflict.UPDATE:
            keeping = found.changes_person & changed.keys()
            fates |= dict.fromkeys(keeping, refused(KEEPS_SEALED))
            changed = {line: names for line, names in changed.items() if line not in keeping}
        match self._dataset.conflict:
            case Conflict.KEEP:
                return fates | {line: Fate(status="superseded") for line in changed}
            case Conflict.REJECT:
                return fates | {line: refused(CONTRADICTS) for line in changed}
            case _:
                return fates | self._update(changed)

    def _repeats(self, changed: Mapping[int, Sequence[str]]) -> dict[int, Fate]:
        """Reject the rows that would repeat a unique value, judged together, so that rows may exchange theirs."""
        fields = {name for names in changed.values() for name in names} & unique_others(self._dataset).keys()
        fates: dict[int, Fate] = {}
        if len(changed) < 2 or self._dataset.conflict is not Conflict.UPDATE:
            return fates
        for _ in range(MOST_PASSES):
            before = len(fates)
            for name in sorted(fields):
                lines = [line for line in changed if line not in fates]
                gone = find_repeats(self._conn, self._dataset, self._stage, name, lines=lines)
                why = self._refusals.by_constraint[derived(self._dataset.name, name, "key")]
                fates |= {line: refused(why if self.sees_all else NOT_TAKEN) for line in gone}
            if len(fates) == before:
                break
        return fates

    def _visible(self, lines: list[int]) -> set[int]:
        """Return which existing rows the caller sees."""
        relation = relation_of(self._dataset, self._caller.role)
        if not lines or relation is None:
            return set()
        statement = sql.SQL(
            "select s._line from {} s where s._line = any(%s) and exists (select from {} t where {})"
        ).format(self._stage, sql.Identifier(relation.schema, relation.name), staging.same_key(self._dataset))
        with in_role_of(self._conn, self._caller, self._roles):
            return {line for (line,) in self._conn.execute(statement, [lines])}

    def _update(self, changed: dict[int, tuple[str, ...]]) -> dict[int, Fate]:
        """
        Update rows in the caller's role: only the columns that differ in one of them.

        A row with another column than the role may update is rejected alone: the server would reject the statement.
        """
        share = permission_of(self._dataset, self._caller.role, Operation.UPDATE)
        writable = set(share.everywhere) if share else set()
        beyond = {
            line: refused(NOT_TAKEN) for line, names in changed.items() if not writable.issuperset(names)
        }
        changed = {line: names for line, names in changed.items() if line not in beyond}
        if not changed:
            return beyond
        differing = {name for names in changed.values() for name in names}
        sealed = [field for field in self._dataset.fields if field.index_column and field.name in differing]
        names = [*sorted(differing), *(it.index_column for it in sealed if it.index_column)]
        statement = sql.SQL(_QUERIES["update"]).format(
            table=self._table,
            changes=sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in names),
            stage=self._stage,
            match=staging.same_key(self._dataset),
        )

        def update(some: list[int]) -> dict[int, Fate]:
            done = {line for (line,) in self._conn.execute(statement, {"lines": some})}
            return {line: Fate(status="updated") if line in done else refused(NOT_TAKEN) for line in some}

        def may_not() -> dict[int, Fate]:
            return {}

        with in_role_of(self._conn, self._caller, self._roles):
            return beyond | self._each(list(changed), update, otherwise=may_not)


@dataclass(frozen=True, kw_only=True)
class _Found:
    absent: list[int]  #: lines whose key does not exist
    there: dict[int, tuple[str, ...]]  #: the others, with the fields that differ
    changes_person: set[int]  #: those that keep values sealed for another person


def _part(batch: Batch, lines: Sequence[int]) -> Batch:
    chosen = batch.lines.is_in(list(lines))
    return Batch(rows=batch.rows.filter(chosen), lines=batch.lines.filter(chosen), body=b"")


def _halves(lines: list[int]) -> list[list[int]]:
    middle = len(lines) // 2
    return [lines[:middle], lines[middle:]]
