"""What a live database has, as the objects that contracts want; and the wanted objects as the server prints them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.compile.access import access_policies
from daftari.compile.access.access_policies import Present, Rights
from daftari.compile.names import Schemas, identifier
from daftari.compile.schema_changes.statements import create_all
from daftari.compile.tables import tables
from daftari.compile.tables.objects import (
    Column,
    Comment,
    Constraint,
    ConstraintKind,
    DatabaseObject,
    Enum,
    Extension,
    Identity,
    Index,
    Partition,
    Policy,
    Table,
    Trigger,
    View,
)
from daftari.contract.model import Dataset
from daftari.io.catalogue import live_access
from daftari.io.database import queries

_QUERIES = queries.load_queries("catalogue/live_objects.sql")
#: Names that nothing else has: they are replaced in every definition.
_BESIDE = Schemas(
    data="daftari_wanted_here",
    platform="daftari_wanted_keys",
    views="daftari_wanted_views",
    marts="daftari_wanted_marts",
)
Objects = dict[Identity, DatabaseObject]


def read_objects(conn: Connection[Any], roles: Sequence[str] = ()) -> Objects:
    """Return the governed objects of the live database, and *roles*. Within the caller's transaction."""
    live = Schemas()
    keys = [oid for (oid,) in conn.execute(_QUERIES["key_tables"])]
    with qualified_printing(conn):
        rights = live_access.read_access(conn, live, roles=roles)
        tables_ = _read(conn, {live.data: live.data, live.platform: live.platform}, [live.data], keys)
    return {**tables_, **{item.identity: item for item in rights}}


def as_printed(
    conn: Connection[Any], datasets: Sequence[Dataset], rights: Rights, present: Present, *, now: datetime
) -> Objects:
    """
    Return what *datasets* want, as this server prints it, to compare with what it has.

    The objects are created in other schemas, read back and rolled back. So Daftari need not know how each version of
    PostgreSQL prints an expression. Needs the right to create schemas; the roles need not exist.
    """
    wanted = tables.table_objects(datasets, now=now, kept=present.kept, schemas=_BESIDE)
    live = {it.identity: it for it in access_policies.access_objects(datasets, present, rights)}
    there = Present(marts=present.marts)
    beside = [
        it
        for it in access_policies.access_objects(datasets, there, rights, _BESIDE)
        if isinstance(it, Policy | View)
    ]
    wanted.update((it.identity, it) for it in _marts(present))
    names = {
        getattr(_BESIDE, part): getattr(Schemas(), part) for part in ("data", "platform", "views", "marts")
    }
    with conn.transaction(force_rollback=True):
        for schema in names:
            _execute(conn, f"create schema {identifier(schema)}")
        for item in beside:
            anybody = replace(item, roles=("public",)) if isinstance(item, Policy) else item
            wanted[item.identity] = anybody
        for statement in create_all(wanted):
            _execute(conn, statement)
        with qualified_printing(conn):
            printed = _read(conn, names, [_BESIDE.data, _BESIDE.platform], [])
            read_back = live_access.read_access(conn, _BESIDE, kinds=live_access.PRINTED)
    found = {item.identity: item for item in (_renamed_object(it, names) for it in read_back)}
    return {**printed, **{identity: _as_read(item, found.get(identity)) for identity, item in live.items()}}


def mart_rights_as_printed(conn: Connection[Any], rights: Rights, present: Present) -> Objects:
    """Return what *rights* want for the existing marts, as this server prints it."""
    no_dataset = as_printed(conn, (), rights, present, now=datetime.min)
    return {identity: it for identity, it in no_dataset.items() if identity.schema == Schemas().marts}


def _marts(present: Present) -> Iterator[DatabaseObject]:
    """The existing marts as empty copies: how a policy prints depends on the types of its columns."""
    for mart, columns in present.marts.items():
        yield Table(schema=_BESIDE.marts, name=mart)
        for name, type_ in columns.items():
            yield Column(schema=_BESIDE.marts, table=mart, name=name, type=type_, required=False)


def _as_read(wanted: DatabaseObject, printed: DatabaseObject | None) -> DatabaseObject:
    if isinstance(wanted, Policy) and isinstance(printed, Policy):
        return replace(wanted, using=printed.using, check=printed.check)
    # A partition's only policy is the operator's, which every server prints alike.
    return printed if isinstance(printed, View) else wanted


def _renamed_object(item: DatabaseObject, names: Mapping[str, str]) -> DatabaseObject:
    texts = {f.name: _renamed(getattr(item, f.name), names) for f in fields(item)}
    return replace(item, **texts)


def views_of_columns(conn: Connection[Any]) -> dict[Identity, list[str]]:
    """Return the views that show each governed column, as `drop` names them."""
    found: dict[Identity, list[str]] = {}
    for schema, table, column, view_schema, view, kind in conn.execute(
        _QUERIES["views_of_columns"], {"schemas": [Schemas().data]}
    ):
        identity = Column(schema=schema, table=table, name=column, type="", required=False).identity
        found.setdefault(identity, []).append(f"{kind} {identifier(view_schema)}.{identifier(view)}")
    return found


def _read(
    conn: Connection[Any], names: Mapping[str, str], schemas: Sequence[str], key_tables: Sequence[int]
) -> Objects:
    parameters = {"schemas": list(schemas), "key_tables": list(key_tables)}
    rows = {kind: conn.execute(_QUERIES[kind], parameters).fetchall() for kind in _READERS}
    return {
        item.identity: item
        for kind, reader in _READERS.items()
        for row in rows[kind]
        for item in reader(*(_renamed(value, names) for value in row))
    }


@contextmanager
def qualified_printing(conn: Connection[Any]) -> Iterator[None]:
    """Make the server print every name with its schema."""
    before = conn.execute("select current_setting('search_path')").fetchone()
    conn.execute("select set_config('search_path', '', true)")
    try:
        yield
    finally:
        conn.execute("select set_config('search_path', %s, true)", before)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Map schemas to the names under which they are compared, also within definitions."""
    if not isinstance(value, str):
        return value
    for actual, shown in names.items():
        value = shown if value == actual else value.replace(f"{actual}.", f"{shown}.")
    return value


def _extension(name: str) -> Iterator[DatabaseObject]:
    yield Extension(name=name)


def _enum(schema: str, name: str, values: list[str]) -> Iterator[DatabaseObject]:
    yield Enum(schema=schema, name=name, values=tuple(values))


def _table(schema: str, name: str, partitioned_by: str) -> Iterator[DatabaseObject]:
    yield Table(schema=schema, name=name, partitioned_by=partitioned_by)


def _column(*row: Any) -> Iterator[DatabaseObject]:
    schema, table, name, type_, required, default = row
    yield Column(schema=schema, table=table, name=name, type=type_, required=required, default=default)


def _constraint(*row: Any) -> Iterator[DatabaseObject]:
    schema, table, name, kind, definition, is_valid = row
    yield Constraint(
        schema=schema, table=table, name=name, kind=ConstraintKind(kind),
        definition=definition if is_valid or "NOT VALID" in definition else f"{definition} NOT VALID",
    )  # fmt: skip


def _index(schema: str, table: str, name: str, definition: str, is_valid: bool) -> Iterator[DatabaseObject]:
    text = definition if is_valid else f"{definition} (invalid)"
    yield Index(schema=schema, table=table, name=name, definition=text)


def _trigger(schema: str, table: str, name: str, definition: str, enabled: str) -> Iterator[DatabaseObject]:
    state = {"D": " (disabled)", "R": " (for replicas alone)"}.get(enabled, "")
    yield Trigger(schema=schema, table=table, name=name, definition=definition + state, always=enabled == "A")


def _partition(schema: str, table: str, name: str, bounds: str) -> Iterator[DatabaseObject]:
    yield Partition(schema=schema, table=table, name=name, bounds=bounds)


def _comment(schema: str, table: str, column: str, text: str) -> Iterator[DatabaseObject]:
    yield Comment(schema=schema, table=table, column=column, text=text)


_READERS: dict[str, Callable[..., Iterator[DatabaseObject]]] = {
    "extensions": _extension,
    "enums": _enum,
    "tables": _table,
    "columns": _column,
    "constraints": _constraint,
    "indexes": _index,
    "partitions": _partition,
    "triggers": _trigger,
    "comments": _comment,
}


def _execute(conn: Connection[Any], statement: str) -> None:
    # Composed by compile/ from quoted names and literals and from conditions it has parsed.
    conn.execute(statement)
