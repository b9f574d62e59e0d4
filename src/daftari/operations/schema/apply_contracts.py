"""Apply contracts to a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from daftari.compile.access.access_policies import Rights
from daftari.compile.schema_changes.schema_changes import changes, statements_of
from daftari.compile.schema_changes.steps import ACCESS_PHASES, Phase, SchemaChange
from daftari.contract.compatibility.changes import ChangeKind
from daftari.contract.compatibility.compatibility import compare
from daftari.contract.model import Contract
from daftari.contract.reader.read import read_contract
from daftari.errors import BreakingChange, DatabaseError
from daftari.io.audit import audit_tables
from daftari.io.catalogue import applied_contracts, pgaudit
from daftari.io.database import platform_migrations, workspace_migrations
from daftari.io.database.turns import take_turn
from daftari.operations.schema.apply_access import apply_access, suspend
from daftari.operations.schema.make_partitions import Made, make_partitions
from daftari.operations.schema.survey_database import Survey, survey_database

#: Not in version files: every database makes its partitions itself as time passes, and rights
#: name roles, whose names may differ on another server.
_BY_ITSELF = frozenset({Phase.PARTITIONS, Phase.ON_PARTITIONS}) | ACCESS_PHASES
#: Statements that begin so may conflict with a policy or a view of masks that names the column.
_MEETS_RIGHTS = ("alter table", "alter type", "drop")


@dataclass(frozen=True, kw_only=True)
class SchemaPlan:
    migrations: tuple[str, ...]  #: of the platform
    versions: tuple[str, ...]  #: files of the workspace that this database has not run
    changes: tuple[SchemaChange, ...]
    marked: tuple[str, ...]  #: datasets whose contract differs from the one in force

    @property
    def is_empty(self) -> bool:
        return not (self.migrations or self.versions or self.changes or self.marked)

    @property
    def breaking(self) -> tuple[SchemaChange, ...]:
        return tuple(change for change in self.changes if change.kind is ChangeKind.BREAKING)


@dataclass(frozen=True, kw_only=True)
class ApplyResult:
    plan: SchemaPlan
    written: tuple[Path, ...]  #: version files
    partitions: tuple[Made, ...]


@dataclass(frozen=True, kw_only=True)
class _Order:
    contracts: Sequence[Contract]
    rights: Rights
    migrations_dir: Path
    now: datetime
    allow_breaking: bool


def plan_contracts(
    conn: Connection[Any],
    contracts: Sequence[Contract],
    *,
    migrations_dir: Path,
    now: datetime,
    rights: Rights = Rights(),
) -> SchemaPlan:
    """
    Return what `apply` would do. Changes nothing: everything is rolled back.

    Pending version files count as changes too.

    Raises:
        ContractError: the contracts ask for what PostgreSQL cannot do.
    """
    with _explained(), conn.transaction(force_rollback=True):
        waiting = workspace_migrations.pending_migrations(conn, migrations_dir)
        planned, _ = _plan(conn, contracts, waiting, rights=rights, now=now)
        return planned


def apply_contracts(  # noqa: PLR0913 -- all but two go by name
    conn: Connection[Any],
    contracts: Sequence[Contract],
    *,
    migrations_dir: Path,
    now: datetime,
    rights: Rights = Rights(),
    allow_breaking: bool = False,
) -> ApplyResult:
    """
    Bring the database to *contracts* and *rights*, in one transaction, and record it in a version file.

    Pending version files run before that, and new values of an enum are committed first: PostgreSQL allows their use
    only afterwards. May be repeated: then nothing is left to do. *conn* must not be in a transaction.

    Raises:
        BreakingChange: data would be lost or rejected, and *allow_breaking* is not given.
        DatabaseError: a table stays locked, or existing rows break a new condition.
    """
    order = _Order(
        contracts=contracts,
        rights=rights,
        migrations_dir=migrations_dir,
        now=now,
        allow_breaking=allow_breaking,
    )
    with _explained():
        waiting = _run_waiting(conn, migrations_dir)
        first = _bring(conn, order, waiting)
        if not statements_of(first.plan.changes, {Phase.VALUES}):
            return first
        second = _bring(conn, order, ())
    return ApplyResult(
        plan=first.plan,
        written=(*first.written, *second.written),
        partitions=(*first.partitions, *second.partitions),
    )


def _plan(
    conn: Connection[Any],
    contracts: Sequence[Contract],
    waiting: Sequence[str],
    *,
    rights: Rights,
    now: datetime,
) -> tuple[SchemaPlan, Survey]:
    platform = platform_migrations.migrate(conn)
    surveyed = survey_database(conn, contracts, rights=rights, now=now)
    in_force = applied_contracts.hashes(conn)
    planned = SchemaPlan(
        migrations=tuple(platform),
        versions=tuple(waiting),
        changes=(*_exposures(conn, contracts), *changes(surveyed.found, surveyed.situation)),
        marked=tuple(it.dataset.name for it in contracts if in_force.get(it.dataset.name) != it.hash),
    )
    return planned, surveyed


def _exposures(conn: Connection[Any], contracts: Sequence[Contract]) -> list[SchemaChange]:
    """Return what people see in addition under *contracts*, compared with those in force."""
    documents = applied_contracts.documents(conn)
    found = []
    for contract in contracts:
        document = documents.get(contract.dataset.name)
        if not document:
            continue
        in_force = read_contract(document, source=f"{contract.dataset.name} in force")
        found += [
            SchemaChange(what=f"{it.place}: {it.what}", kind=it.kind, reason=it.reason)
            for it in compare(in_force, contract)
            if it.kind is ChangeKind.EXPOSURE
        ]
    return found


def _run_waiting(conn: Connection[Any], folder: Path) -> list[str]:
    """Run the pending version files, each in a separate transaction."""
    waiting = workspace_migrations.pending_migrations(conn, folder)
    conn.rollback()
    for revision in waiting:
        with workspace_migrations.migration_transaction(conn) as shared:
            take_turn(conn, "apply")
            platform_migrations.migrate(conn)
            suspend(conn)
            workspace_migrations.run_migrations(shared, folder, revision)
    return waiting


def _bring(conn: Connection[Any], order: _Order, waiting: Sequence[str]) -> ApplyResult:
    """
    Do what one transaction can do: new values of enums when there are any, otherwise everything.

    A version file stays only when its transaction is committed.
    """
    written: list[Path] = []
    try:
        with workspace_migrations.migration_transaction(conn) as shared:
            take_turn(conn, "apply")
            planned, surveyed = _plan(conn, order.contracts, waiting, rights=order.rights, now=order.now)
            _refuse(planned, allow_breaking=order.allow_breaking)
            values = statements_of(planned.changes, {Phase.VALUES})
            statements = values or statements_of(planned.changes, set(Phase) - _BY_ITSELF)
            if any(it.startswith(_MEETS_RIGHTS) for it in statements) and not values:
                suspend(conn)
            if statements:
                title = _title(order.contracts, planned)
                revision, path = workspace_migrations.write_migration(
                    order.migrations_dir, statements, title=title
                )
                written.append(path)
                workspace_migrations.run_migrations(shared, order.migrations_dir, revision)
            made: list[Made] = []
            if not values:
                made = make_partitions(conn, order.contracts, now=order.now)
                for statement in statements_of(planned.changes, {Phase.ON_PARTITIONS}):
                    conn.execute(statement)
                audit_tables.make_audit_partitions(conn, now=order.now)
                audit_tables.watch(conn)
                # a survey is the slowest part; where nothing has changed since, it is still valid
                still = None if planned.changes or made else surveyed
                apply_access(conn, order.contracts, rights=order.rights, now=order.now, surveyed=still)
                pgaudit.configure_pgaudit(conn, [contract.dataset for contract in order.contracts])
                applied_contracts.mark_applied(conn, order.contracts, now=order.now)
    except BaseException:
        for path in written:
            path.unlink()
        raise
    return ApplyResult(plan=planned, written=tuple(written), partitions=tuple(made))


def _title(contracts: Sequence[Contract], planned: SchemaPlan) -> str:
    named = [f"{it.dataset.name} {it.version}" for it in contracts if it.dataset.name in planned.marked]
    return f"Contracts applied: {', '.join(named)}." if named else "Back to the contracts in force."


def _refuse(planned: SchemaPlan, *, allow_breaking: bool) -> None:
    stuck = [change for change in planned.breaking if not change.steps]
    if stuck:
        raise BreakingChange(
            f"apply: {_listed(stuck)}; expected changes that PostgreSQL can make in place",
            hint="Make a new dataset, load it, and retire this one; or change the contract back.",
        )
    if planned.breaking and not allow_breaking:
        raise BreakingChange(
            f"apply: {len(planned.breaking)} breaking: {_listed(planned.breaking)}; expected none",
            hint=_advice(planned.changes),
        )


def _listed(found: Sequence[SchemaChange]) -> str:
    return "; ".join(f"{change.what} ({change.reason})" for change in found)


def _advice(found: Sequence[SchemaChange]) -> str:
    gone = [change.what for change in found if change.what.startswith("drop column")]
    come = [change.what for change in found if change.what.startswith("column")]
    if gone and come:
        return (
            "If a column only has another name, rename it in the database first (`alter table … rename`). "
            "See `daftari plan`; `daftari apply --allow-breaking` continues."
        )
    return "See `daftari plan`; `daftari apply --allow-breaking` continues."


@contextmanager
def _explained() -> Iterator[None]:
    """Report in one line why the database refused. Its details are left out: they quote rows."""
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        raise DatabaseError(
            "apply: a table is in use and did not become free in time; nothing was changed",
            hint="Wait for the load or report that holds it, or raise lock_timeout_seconds.",
        ) from None
    except psycopg.errors.IntegrityError as error:
        what = error.diag.constraint_name or f"not null of {error.diag.column_name}"
        raise DatabaseError(
            f"apply: existing rows of {error.diag.table_name} break {what}; nothing was changed",
            hint="Correct those rows, or relax the contract.",
        ) from None
    except psycopg.errors.DataError:
        raise DatabaseError(
            "apply: existing values do not fit a new type; nothing was changed",
            hint="Correct those rows, or keep the type.",
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseError(
            f"apply: {error.diag.message_primary}; expected a user who may create schemas and tables",
            hint="Run `daftari apply` as the database's owner.",
        ) from None
