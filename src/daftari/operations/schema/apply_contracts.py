"""Apply contracts to a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from psycopg import Connection

from daftari.compile.access.access_policies import Rights
from daftari.compile.schema_changes.agreement import agreed
from daftari.compile.schema_changes.renames import column_renames
from daftari.compile.schema_changes.schema_changes import changes, statements_of
from daftari.compile.schema_changes.steps import ACCESS_PHASES, Phase, SchemaChange
from daftari.compile.schema_changes.version_files import adds_values, changes_of_files
from daftari.contract.compatibility.changes import ChangeKind, ContractChange
from daftari.contract.compatibility.compatibility import compare, removed
from daftari.contract.model import Contract
from daftari.contract.reader.read import read_contract
from daftari.errors import BreakingChange, DatabaseError
from daftari.io.audit import audit_tables
from daftari.io.catalogue import applied_contracts, live_objects, pgaudit
from daftari.io.database import platform_migrations, workspace_migrations
from daftari.io.database.turns import take_turn
from daftari.operations.schema.apply_access import apply_access, resume, suspend
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
    waiting: tuple[SchemaChange, ...]  #: what those files change
    changes: tuple[SchemaChange, ...]  #: what is left to change after them
    marked: tuple[str, ...]  #: datasets whose contract differs from the one in force

    @property
    def is_empty(self) -> bool:
        return not (self.migrations or self.versions or self.changes or self.marked)

    @property
    def every_change(self) -> tuple[SchemaChange, ...]:
        return (*self.waiting, *self.changes)


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
        migrated = platform_migrations.migrate(conn)
        waiting = _waiting(conn, migrations_dir)
        renames = _renames(conn, contracts)
        for statement in statements_of(renames, {Phase.RENAMES}):
            conn.execute(statement)
        planned, _ = _plan(conn, contracts, waiting, rights=rights, now=now)
        said = {it for statements in waiting.files.values() for it in statements or ()}
        every = (*renames, *planned.changes)
        left = [it for it in every if not it.steps or not said.issuperset(it.statements)]
        return replace(planned, migrations=tuple(migrated), changes=tuple(left))


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
        waiting = _examined(conn, migrations_dir)
        _refuse(waiting.changes, allow_breaking=allow_breaking)
        first = _bring(conn, order, _run_early(conn, order, waiting))
        if not statements_of(first.plan.changes, {Phase.VALUES}):
            return first
        second = _bring(conn, order, WaitingFiles())
    return ApplyResult(
        plan=first.plan,
        written=(*first.written, *second.written),
        partitions=(*first.partitions, *second.partitions),
    )


@dataclass(frozen=True, kw_only=True)
class WaitingFiles:
    """Version files that a database has not run."""

    files: Mapping[str, Sequence[str] | None] = field(
        default_factory=dict
    )  #: statements of each; None: not known
    changes: tuple[SchemaChange, ...] = ()
    done: int = 0  #: how many were run before the transaction of the rest


def _waiting(conn: Connection[Any], folder: Path) -> WaitingFiles:
    revisions = workspace_migrations.pending_migrations(conn, folder)
    if not revisions:
        return WaitingFiles()
    files = workspace_migrations.statements_in_files(folder, revisions)
    found = changes_of_files(files, live_objects.read_objects(conn))
    return WaitingFiles(files=files, changes=tuple(found))


def _examined(conn: Connection[Any], folder: Path) -> WaitingFiles:
    with conn.transaction(force_rollback=True):
        return _waiting(conn, folder)


def _plan(
    conn: Connection[Any],
    contracts: Sequence[Contract],
    waiting: WaitingFiles,
    *,
    rights: Rights,
    now: datetime,
) -> tuple[SchemaPlan, Survey]:
    hashes = applied_contracts.hashes(conn)
    wanted = {contract.dataset.name: contract for contract in contracts}
    moved = {name for name, it in hashes.items() if name not in wanted or wanted[name].hash != it}
    in_force = _in_force(conn, moved)
    until_now = list({**wanted, **in_force}.values()) if in_force else []
    surveyed = survey_database(conn, contracts, rights=rights, now=now, in_force=until_now)
    found = changes(surveyed.found, surveyed.situation)
    planned = SchemaPlan(
        migrations=(),
        versions=tuple(waiting.files),
        waiting=waiting.changes,
        changes=tuple(agreed(_changes_of_contracts(in_force, wanted), found)),
        marked=tuple(it.dataset.name for it in contracts if hashes.get(it.dataset.name) != it.hash),
    )
    return planned, surveyed


def _in_force(conn: Connection[Any], names: Set[str]) -> dict[str, Contract]:
    """Return the contracts that were last applied to the datasets *names*."""
    documents = applied_contracts.documents(conn) if names else {}
    return {
        name: read_contract(document, source=f"{name} in force")
        for name, document in documents.items()
        if document and name in names
    }


def _changes_of_contracts(
    in_force: Mapping[str, Contract], wanted: Mapping[str, Contract]
) -> dict[str, list[ContractChange]]:
    """Return how contracts differ from those *in_force*, by dataset, as `contract diff` does."""
    return {
        name: list(compare(old, wanted[name])) if name in wanted else [removed(name)]
        for name, old in in_force.items()
    }


def _run_early(conn: Connection[Any], order: _Order, waiting: WaitingFiles) -> WaitingFiles:
    """
    Run the pending version files up to the last that adds values to an enum, each in a separate transaction.

    Those values can be used only afterwards. The other files share the transaction of what follows, so that rights
    that a file takes away come back with it.
    """
    adding = [at for at, it in enumerate(waiting.files.values(), 1) if it and adds_values(it)]
    done = max(adding, default=0)
    for revision in list(waiting.files)[:done]:
        with workspace_migrations.migration_transaction(conn) as shared:
            take_turn(conn, "apply")
            platform_migrations.migrate(conn)
            _run_file(conn, shared, order.migrations_dir, revision, waiting.files[revision])
    return replace(waiting, done=done)


def _run_file(
    conn: Connection[Any],
    shared: sqlalchemy.Connection,
    folder: Path,
    revision: str,
    statements: Sequence[str] | None,
) -> None:
    suspended = suspend(conn) if statements is None or _meets_rights(statements) else ()
    workspace_migrations.run_migrations(shared, folder, revision)
    resume(conn, suspended)


def _meets_rights(statements: Sequence[str]) -> bool:
    return any(it.lower().startswith(_MEETS_RIGHTS) for it in statements if not adds_values([it]))


def _bring(conn: Connection[Any], order: _Order, waiting: WaitingFiles) -> ApplyResult:
    """
    Do what one transaction can do: new values of enums when there are any, otherwise everything.

    A version file stays only when its transaction is committed.
    """
    written: list[Path] = []
    try:
        with workspace_migrations.migration_transaction(conn) as shared:
            take_turn(conn, "apply")
            migrated = platform_migrations.migrate(conn)
            for revision in list(waiting.files)[waiting.done :]:
                _run_file(conn, shared, order.migrations_dir, revision, waiting.files[revision])
            renames = _renames(conn, order.contracts)
            _refuse(renames, allow_breaking=order.allow_breaking)
            if renames:
                written.append(
                    _write_and_run(shared, order, "Renames.", statements_of(renames, {Phase.RENAMES}))
                )
            planned, surveyed = _plan(conn, order.contracts, waiting, rights=order.rights, now=order.now)
            _refuse(planned.changes, allow_breaking=order.allow_breaking)
            values = statements_of(planned.changes, {Phase.VALUES})
            statements = values or statements_of(planned.changes, set(Phase) - _BY_ITSELF)
            if _meets_rights(statements):
                suspend(conn)
            if statements:
                title = _title(order.contracts, planned)
                written.append(_write_and_run(shared, order, title, statements))
            made = [] if values else _finish(conn, order, planned, surveyed)
            planned = replace(planned, migrations=tuple(migrated), changes=(*renames, *planned.changes))
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return ApplyResult(plan=planned, written=tuple(written), partitions=tuple(made))


def _renames(conn: Connection[Any], contracts: Sequence[Contract]) -> list[SchemaChange]:
    datasets = [it.dataset for it in contracts if any(field.renamed_from for field in it.dataset.fields)]
    return column_renames(datasets, live_objects.read_objects(conn)) if datasets else []


def _write_and_run(
    shared: sqlalchemy.Connection, order: _Order, title: str, statements: Sequence[str]
) -> Path:
    revision, path = workspace_migrations.write_migration(order.migrations_dir, statements, title=title)
    try:
        workspace_migrations.run_migrations(shared, order.migrations_dir, revision)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _finish(conn: Connection[Any], order: _Order, planned: SchemaPlan, surveyed: Survey) -> list[Made]:
    """Do what no version file does: partitions, the audit, access, and the marks of what is in force."""
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
    return made


def _title(contracts: Sequence[Contract], planned: SchemaPlan) -> str:
    named = [f"{it.dataset.name} {it.version}" for it in contracts if it.dataset.name in planned.marked]
    return f"Contracts applied: {', '.join(named)}." if named else "Back to the contracts in force."


def _refuse(found: Sequence[SchemaChange], *, allow_breaking: bool) -> None:
    breaking = [change for change in found if change.kind is ChangeKind.BREAKING]
    stuck = [change for change in breaking if not change.in_place]
    if stuck:
        raise BreakingChange(
            f"apply: {_listed(stuck)}; expected changes that PostgreSQL can make in place",
            hint="Make a new dataset, load it, and retire this one; or change the contract back.",
        )
    if breaking and not allow_breaking:
        raise BreakingChange(
            f"apply: {len(breaking)} breaking: {_listed(breaking)}; expected none", hint=_advice(found)
        )


def _listed(found: Sequence[SchemaChange]) -> str:
    return "; ".join(f"{change.what} ({change.reason})" for change in found)


def _advice(found: Sequence[SchemaChange]) -> str:
    gone = [change.what for change in found if change.what.startswith("drop column")]
    come = [change.what for change in found if change.what.startswith("column")]
    if gone and come:
        return (
            "If a field only has another name, say so in the contract by `daftari.renamedFrom`: its values stay. "
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
