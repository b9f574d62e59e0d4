"""Prove that a database matches the contracts, object by object, or report each drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import Connection

from daftari.compile.access.access_policies import Rights
from daftari.compile.schema_changes.differences import ObjectDifference, Objects
from daftari.compile.tables.objects import ACCESS, ObjectKind, Partition
from daftari.contract.model import Contract
from daftari.contract.permissions import roles_named
from daftari.contract.platform import OPS
from daftari.errors import ContractError
from daftari.io.audit import audit_tables
from daftari.io.catalogue import applied_contracts, live_access, partition_tables, pgaudit
from daftari.io.database import platform_migrations, workspace_migrations
from daftari.operations.schema.survey_database import Survey, survey_database

_HINTS = {
    "missing": "daftari apply",
    "extra": "remove it by hand, or add it to a contract",
    "different": "daftari plan",
}


@dataclass(frozen=True, kw_only=True)
class ObjectDrift:
    """One object that differs."""

    kind: str  #: table, column, enum …, or migration, version, function, marker
    name: str
    drift: str  #: missing, extra or different
    text: str  #: what was found and what was expected
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Verified:
    checked: Mapping[str, int]  #: objects by kind
    drifts: tuple[ObjectDrift, ...]
    #: rows in default partitions, by dataset: no partition covers their time. Not drift, but a warning
    outside: Mapping[str, int]
    off: tuple[str, ...] = ()  #: features that this login cannot have, so that their absence is not drift


def verify_database(
    conn: Connection[Any],
    contracts: Sequence[Contract],
    *,
    migrations_dir: Path,
    now: datetime,
    rights: Rights = Rights(),
) -> Verified:
    """
    Compare the live database with *contracts*. Changes nothing: everything is rolled back.

    Covers what `apply` creates, and what was added to it by hand; not the content of rows, nor the platform's own
    tables beyond their migrations and functions.

    Raises:
        ContractError: there are no contracts, so nothing could be verified.
    """
    if not contracts:
        raise ContractError(
            "workspace: no contracts; expected one at least", hint="`daftari new pipeline NAME` makes one."
        )
    with conn.transaction(force_rollback=True):
        drifts = [*_migrations(conn), *_versions(conn, migrations_dir), *_functions(conn)]
        drifts += _markers(conn, contracts)
        platform_migrations.migrate(conn)
        watches, off = _watches(conn)
        drifts += _unlogged(conn, contracts)
        surveyed = survey_database(conn, contracts, rights=rights, now=now)
        outside = _rows_outside(conn, contracts, surveyed.situation.live)
        drifts += _open_otherwise(conn, contracts, rights)
    drifts += watches
    drifts += [_of(difference) for difference in surveyed.found if not _is_implied(difference, surveyed)]
    checked = Counter(identity.kind.value for identity in surveyed.situation.wanted)
    checked["contract"] = len(contracts)
    return Verified(checked=dict(checked), drifts=tuple(drifts), outside=outside, off=off)


def _is_implied(difference: ObjectDifference, surveyed: Survey) -> bool:
    """Whether it only says that the whole table or partition is missing, which is reported already."""
    if difference.live is not None or difference.identity.kind not in ACCESS:
        return False
    schema, table = difference.identity.schema, difference.identity.table
    return any(
        it.identity.schema == schema
        and table == it.identity.name
        and it.identity.kind in (ObjectKind.TABLE, ObjectKind.PARTITION)
        and it.live is None
        for it in surveyed.found
    )


def _open_otherwise(
    conn: Connection[Any], contracts: Sequence[Contract], rights: Rights
) -> Iterator[ObjectDrift]:
    """Access to rows outside the contracts: members that no policy restricts, and default privileges."""
    named = {rights.roles.of(role) for role in roles_named(it.dataset for it in contracts)}
    for role, member in live_access.bypassing(conn, sorted(named)):
        text = f"role {role}: found member {member}, which no policy restricts; expected members that policies restrict"
        yield ObjectDrift(
            kind="role", name=role, drift="different", text=text,
            remedy=f"alter role {member} nosuperuser nobypassrls, or take it out of {role}",
        )  # fmt: skip
    for schema, maker, grantee, privilege in live_access.given_ahead(conn):
        where = f" in schema {schema}" if schema else ""
        what = f"{privilege} to {grantee} on new tables of {maker}{where}"
        text = f"default privileges: found {what}; expected none"
        yield ObjectDrift(
            kind="default privileges", name=grantee, drift="extra", text=text,
            remedy=f"alter default privileges for role {maker}{where} revoke {privilege} on tables from {grantee}",
        )  # fmt: skip


def _of(difference: ObjectDifference) -> ObjectDrift:
    kind = difference.identity.kind.value
    name = str(difference.identity).removeprefix(f"{kind} ")
    there = "different" if difference.wanted else "extra"
    drift = there if difference.live else "missing"
    found = _drift(kind, name, drift, str(difference))
    return replace(found, remedy="daftari apply") if difference.identity.kind in ACCESS else found


def _migrations(conn: Connection[Any]) -> Iterator[ObjectDrift]:
    done = platform_migrations.applied(conn)
    for migration in platform_migrations.possible(conn):
        found = done.get(migration.name)
        if found is None:
            text = f"migration {migration.name}: found nothing; expected it to have been run"
            yield _drift("migration", migration.name, "missing", text)
        elif found != migration.sha256:
            text = f"migration {migration.name}: found that another text was run; expected the text of this version"
            yield _drift("migration", migration.name, "different", text)


def _versions(conn: Connection[Any], folder: Path) -> Iterator[ObjectDrift]:
    for revision in workspace_migrations.pending_migrations(conn, folder):
        text = f"version {revision}: found nothing; expected it to have been run"
        yield _drift("version", revision, "missing", text)


def _functions(conn: Connection[Any]) -> Iterator[ObjectDrift]:
    live = platform_migrations.live_functions(conn)
    if not platform_migrations.applied(conn):
        return
    for name, body in platform_migrations.shipped_functions(conn).items():
        found = live.get(name)
        if found != body:
            said = "nothing" if found is None else "another body"
            text = f"function daftari.{name}: found {said}; expected the body in its migration"
            yield _drift("function", f"daftari.{name}", "different" if found else "missing", text)


def _watches(conn: Connection[Any]) -> tuple[list[ObjectDrift], tuple[str, ...]]:
    """Event triggers that do not always fire: drift where this login could create them, otherwise a missing feature."""
    missing = audit_tables.unwatched(conn)
    if not missing:
        return [], ()
    if not audit_tables.may_watch(conn):
        return [], ("drop, detach and alter leave no entry in the audit: event triggers need a superuser",)
    there = audit_tables.watches(conn)
    return [
        _drift(
            "event trigger",
            name,
            "different" if name in there else "missing",
            f"event trigger {name}: found {'it disabled' if name in there else 'nothing'}; "
            "expected it to fire always",
        )
        for name in missing
    ], ()


def _unlogged(conn: Connection[Any], contracts: Sequence[Contract]) -> Iterator[ObjectDrift]:
    for name in pgaudit.unlogged(conn, [contract.dataset for contract in contracts]):
        text = f"pgaudit {OPS}.{name}: found its reads not logged; expected an object audit of a restricted table"
        yield _drift("pgaudit", f"{OPS}.{name}", "missing", text)


def _markers(conn: Connection[Any], contracts: Sequence[Contract]) -> Iterator[ObjectDrift]:
    in_force = applied_contracts.hashes(conn)
    for contract in contracts:
        name = contract.dataset.name
        found = in_force.pop(name, None)
        if found != contract.hash:
            said = f"hash {found[:12]}" if found else "nothing"
            text = f"marker {name}: found {said}; expected hash {contract.hash[:12]}, of {contract.source}"
            yield _drift("marker", name, "different" if found else "missing", text)
    for name, found in in_force.items():
        text = f"marker {name}: found hash {found[:12]}; expected nothing: it is in no contract"
        yield _drift("marker", name, "extra", text)


def _rows_outside(conn: Connection[Any], contracts: Sequence[Contract], live: Objects) -> dict[str, int]:
    defaults = {it.table for it in live.values() if isinstance(it, Partition) and it.bounds == "DEFAULT"}
    found = {
        it.dataset.name: partition_tables.rows_outside(conn, it.dataset)
        for it in contracts
        if it.dataset.name in defaults
    }
    return {name: rows for name, rows in found.items() if rows}


def _drift(kind: str, name: str, drift: str, text: str) -> ObjectDrift:
    return ObjectDrift(kind=kind, name=name, drift=drift, text=text, remedy=_HINTS[drift])
