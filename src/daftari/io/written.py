"""
How judged rows of a caller come into their table: written in the caller's role, so that PostgreSQL decides.

The service, who sees every row, finds out which keys are there; what it finds, the caller learns only as far as the
caller's role sees those rows. A row that is there and hidden is refused in the same words as one that a policy refuses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg
from psycopg import Connection, sql

from daftari.compile import approvals
from daftari.compile.names import derived
from daftari.compile.reading import relation_of
from daftari.compile.roles import Roles
from daftari.contract.caller import Caller
from daftari.contract.model import Conflict, Dataset
from daftari.contract.permissions import sees_all_rows
from daftari.contract.platform import OPS
from daftari.errors import AccessRefused
from daftari.io import queries
from daftari.io.callers import in_role_of
from daftari.io.database import BY_POLICY
from daftari.protect.columns import index_columns
from daftari.rows.as_csv import as_csv
from daftari.rows.batch import Batch

_QUERIES = queries.load("written.sql")
#: What a caller is told of a row that it may not write, or that clashes with one that it may not see.
NOT_TAKEN = ("not_taken", "is not taken: it is not yours to write, or does not agree with another row")
#: Said of a row that the caller sees, as it is told that its row is there.
NO_STEP = (
    "approval",
    "takes a step that its contract does not give you, or that names who took it, and you are nobody by name",
)
_AT_ONCE = 5  #: how often rows that somebody else wrote meanwhile are looked up anew


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of one row."""

    status: str  #: inserted, updated, unchanged, duplicate or refused
    rule: str = ""
    reason: str = ""

    @classmethod
    def refused(cls, why: tuple[str, str]) -> Fate:
        return cls(status="refused", rule=why[0], reason=why[1])


def stage_of(dataset: Dataset) -> sql.Identifier:
    """Where the rows of a transaction are laid out, each session for itself."""
    return sql.Identifier("pg_temp", derived(dataset.name, "written"))


def lay_out(conn: Connection[Any], dataset: Dataset, rows: pl.DataFrame, lines: pl.Series) -> str:
    """
    Lay out *rows*, to be told apart by their *lines*; return their sha256 in hex. A transaction begins with none.

    By COPY: what it brings is in no server's log, where the parameters of a statement may be.
    """
    stage = stage_of(dataset)
    row = conn.execute(_QUERIES["has_stage"], {"stage": stage.as_string()}).fetchone()
    if row is None or not row[0]:
        columns = _listed(_columns(dataset))
        table = sql.Identifier(OPS, dataset.name)
        conn.execute(sql.SQL(_QUERIES["make_stage"]).format(stage=stage, columns=columns, table=table))
    names = [*_filled(rows, dataset), "_line"]
    body = as_csv(rows.with_columns(_line=lines).select(names))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(stage, _listed(names))
    with conn.cursor() as cursor, cursor.copy(statement) as out:
        out.write(body)
    return hashlib.sha256(body).hexdigest()


def inserted(rows: pl.DataFrame, dataset: Dataset) -> sql.Composed:
    """The columns that an insert of *rows* names behind `_run_id`: a role may be given fewer than there are."""
    return sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in _filled(rows, dataset))


def _filled(rows: pl.DataFrame, dataset: Dataset) -> list[str]:
    return [
        name for name in _columns(dataset) if name in dataset.key or rows[name].null_count() < rows.height
    ]


def _columns(dataset: Dataset) -> list[str]:
    return [*(field.name for field in dataset.fields), *index_columns(dataset)]


def _listed(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


class Writing:
    """One caller's way into one table, in the transaction of a run."""

    def __init__(self, conn: Connection[Any], dataset: Dataset, caller: Caller, roles: Roles) -> None:
        self._conn = conn
        self._dataset = dataset
        self._caller = caller
        self._roles = roles
        self._table = sql.Identifier(OPS, dataset.name)
        self._stage = stage_of(dataset)
        self._clashed: set[int] = set()
        self.digest = ""  #: sha256 of the rows that were laid out, in hex

    def write(self, batch: Batch) -> dict[int, Fate]:
        """
        Write rows, one a key; return by line what became of each.

        Raises:
            AccessRefused: the caller's role may not insert at all.
        """
        if batch.height == 0:
            return {}
        if self.digest:  # of an earlier batch of this transaction, whose rows nothing asks for any more
            self._conn.execute(sql.SQL("truncate {}").format(self._stage))
        self.digest = lay_out(self._conn, self._dataset, batch.rows, batch.lines)
        fates: dict[int, Fate] = {}
        waiting = batch.lines.to_list()
        for _ in range(_AT_ONCE):
            found = self._look_up(waiting)
            fates |= self._write_new(found.absent, batch)
            fates |= self._of_those_there(found)
            waiting = [line for line in waiting if line not in fates]
            if not waiting:
                break
        return fates | {line: Fate.refused(NOT_TAKEN) for line in waiting}

    @property
    def sees_all(self) -> bool:
        """Whether no row of the dataset is hidden from the caller."""
        return sees_all_rows(self._dataset, self._caller.role)

    # --- what is there

    def _look_up(self, lines: Sequence[int]) -> _Found:
        statement = sql.SQL(_QUERIES["look_up"]).format(
            stage=self._stage,
            table=self._table,
            match=self._match(),
            differing=sql.SQL(", ").join(
                sql.SQL("case when t.{0} is distinct from s.{0} then {1} end").format(
                    sql.Identifier(name), sql.Literal(name)
                )
                for name in self._contents()
            )
            or sql.NULL,
        )
        rows = self._conn.execute(statement, {"lines": list(lines)}).fetchall()
        there = {line: tuple(filter(None, differing)) for line, is_there, differing in rows if is_there}
        return _Found(absent=[line for line, is_there, _ in rows if not is_there], there=there)

    def _contents(self) -> list[str]:
        return [field.name for field in self._dataset.fields if not field.is_key]

    def _match(self, other: str = "t") -> sql.Composable:
        if not self._dataset.key:
            return sql.SQL("false")
        return sql.SQL(" and ").join(
            sql.SQL("{0}.{1} = s.{1}").format(sql.Identifier(other), sql.Identifier(name))
            for name in self._dataset.key
        )

    # --- what is new

    def _write_new(self, lines: list[int], batch: Batch) -> dict[int, Fate]:
        """Insert rows in the caller's role. A row whose key came to be there meanwhile has no fate yet."""
        if not lines:
            return {}
        statement = sql.SQL(_QUERIES["insert"]).format(
            table=self._table,
            stage=self._stage,
            columns=inserted(batch.rows.filter(batch.lines.is_in(lines)), self._dataset),
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
        """Write rows at once, and by halves where the server refuses one of them."""
        try:
            with self._conn.transaction():
                return write(lines)
        except psycopg.errors.UniqueViolation as error:
            if len(lines) == 1:
                return self._clash(lines[0], error)
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError) as error:
            if len(lines) == 1:
                return {lines[0]: Fate.refused(self._why(error))}
        except psycopg.errors.InsufficientPrivilege as error:
            if error.diag.source_function != BY_POLICY:
                return otherwise() or {line: Fate.refused(NOT_TAKEN) for line in lines}
            if len(lines) == 1:
                return {lines[0]: Fate.refused(NOT_TAKEN)}
        middle = len(lines) // 2
        first = self._each(lines[:middle], write, otherwise)
        return first | self._each(lines[middle:], write, otherwise)

    def _clash(self, line: int, error: psycopg.Error) -> dict[int, Fate]:
        """Perhaps the key is there by now, so it is looked up anew; else another value is that must be unique."""
        if line not in self._clashed:
            self._clashed.add(line)
            return {}
        return {line: Fate.refused(self._why(error))}

    def _why(self, error: psycopg.Error) -> tuple[str, str]:
        """Say why only to whom no row is hidden: to others it would tell of one."""
        if error.diag.constraint_name == approvals.CONSTRAINT:
            return NO_STEP
        if not self.sees_all:
            return NOT_TAKEN
        constraint = error.diag.constraint_name or type(error).__name__
        match error:
            case psycopg.errors.ExclusionViolation():
                return "no_overlap", "overlaps another row of the same key"
            case psycopg.errors.UniqueViolation():
                return constraint, "repeats a value that must be unique"
            case psycopg.errors.ForeignKeyViolation():
                return constraint, "names nothing that exists"
            case _:
                return constraint, "is refused by the database"

    def _may_not_insert(self) -> dict[int, Fate]:
        raise AccessRefused(
            f"{self._dataset.name}: role {self._caller.role} may not insert what was sent; expected a role to which "
            "its contract gives that",
            hint="`daftari contract show` tells who may do what.",
        )

    # --- what is there already

    def _of_those_there(self, found: _Found) -> dict[int, Fate]:
        visible = self._visible(list(found.there))
        fates = {line: Fate.refused(NOT_TAKEN) for line in found.there if line not in visible}
        changed = {line: names for line, names in found.there.items() if names and line in visible}
        fates |= {
            line: Fate(status="unchanged") for line in found.there if line in visible and line not in changed
        }
        match self._dataset.conflict:
            case Conflict.KEEP:
                return fates | {line: Fate(status="duplicate") for line in changed}
            case Conflict.REJECT:
                why = ("conflict", "contradicts the row that is there under its key")
                return fates | {line: Fate.refused(why) for line in changed}
            case _:
                return fates | self._update(changed)

    def _visible(self, lines: list[int]) -> set[int]:
        """Which of the rows that are there the caller sees."""
        relation = relation_of(self._dataset, self._caller.role)
        if not lines or relation is None:
            return set()
        statement = sql.SQL(
            "select s._line from {} s where s._line = any(%s) and exists (select from {} t where {})"
        ).format(self._stage, sql.Identifier(relation.schema, relation.name), self._match())
        with in_role_of(self._conn, self._caller, self._roles):
            return {line for (line,) in self._conn.execute(statement, [lines])}

    def _update(self, changed: dict[int, tuple[str, ...]]) -> dict[int, Fate]:
        """Change rows in the caller's role: the columns that differ in one of them, and no other."""
        if not changed:
            return {}
        differing = {name for names in changed.values() for name in names}
        sealed = [field for field in self._dataset.fields if field.index_column and field.name in differing]
        names = [*sorted(differing), *(it.index_column for it in sealed if it.index_column)]
        statement = sql.SQL(_QUERIES["update"]).format(
            table=self._table,
            changes=sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in names),
            stage=self._stage,
            match=self._match(),
        )

        def update(some: list[int]) -> dict[int, Fate]:
            done = {line for (line,) in self._conn.execute(statement, {"lines": some})}
            return {
                line: Fate(status="updated") if line in done else Fate.refused(NOT_TAKEN) for line in some
            }

        def may_not() -> dict[int, Fate]:
            return {}

        with in_role_of(self._conn, self._caller, self._roles):
            return self._each(list(changed), update, otherwise=may_not)


@dataclass(frozen=True, kw_only=True)
class _Found:
    absent: list[int]  #: lines whose key is not there
    there: dict[int, tuple[str, ...]]  #: the others, with the fields that differ
