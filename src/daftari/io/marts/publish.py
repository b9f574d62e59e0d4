"""
Marts built in a separate schema and published together.

The published table remains the same table: its columns, rows, indexes and comments are changed to match the new one.
So its grants, policies and views remain. Readers see all of the old or all of the new, also in a transaction that
began before, because rows are deleted and inserted, and nothing is truncated or swapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql
from psycopg.rows import namedtuple_row

from daftari.contract.platform import MARTS
from daftari.errors import DatabaseError
from daftari.io.database import queries
from daftari.io.database.messages import without_values

PUBLISHED = MARTS
BUILD_SCHEMA = f"{MARTS}__next"
#: Marks the sessions of a transform, so that those of a killed one can be ended.
APPLICATION = "daftari transform"

_QUERIES = queries.load_queries("marts/publish.sql")


@dataclass(frozen=True, kw_only=True)
class Published:
    name: str
    rows: int
    added: int  #: new rows, changed ones among them
    removed: int  #: removed rows, changed ones among them


def begin_build(conn: Connection[Any], run_id: int) -> None:
    """
    Make the build schema, empty, where the run *run_id* of this session is the database's only transform.

    The run began in turn. The schema remains after the run, for inspection, until the next one begins.

    Raises:
        DatabaseError: another transform runs.
    """
    with conn.transaction():
        found = conn.execute(_QUERIES["is_first"], {"run_id": run_id}).fetchone()
    if not (found and found[0]):
        raise DatabaseError(
            "transform: another transform of this database is running; one at a time is possible",
            hint="Wait until it has ended.",
        )
    with conn.transaction():
        conn.execute(_QUERIES["end_leftovers"], {"application": APPLICATION})
        conn.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(BUILD_SCHEMA)))
        conn.execute(sql.SQL("create schema {}").format(sql.Identifier(BUILD_SCHEMA)))
        conn.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(PUBLISHED)))


def publish_marts(conn: Connection[Any]) -> tuple[Published, ...]:
    """
    Change every published mart to match the build schema, in one transaction.

    Raises:
        DatabaseError: a mart is not a table, or an object that depends on a published one forbids the change.
    """
    try:
        with conn.transaction():
            # A policy that hid rows would leave old ones in place; so it fails instead.
            conn.execute("set local row_security = off")
            published = tuple(_publish(conn, table) for table in _tables(conn))
            conn.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(BUILD_SCHEMA)))
            return published
    except psycopg.errors.DiskFull:
        raise
    except psycopg.Error as error:
        raise DatabaseError(
            f"transform: cannot publish: {without_values(str(error))}",
            hint="Published marts are unchanged. Drop what depends on the changed column, or keep the column.",
        ) from None


def unbuilt(conn: Connection[Any]) -> tuple[str, ...]:
    """Return the published marts that were not built, such as those of a removed model."""
    return tuple(name for (name,) in conn.execute(_QUERIES["unbuilt"]).fetchall())


class _Table(NamedTuple):
    name: str
    is_published: bool

    @property
    def built(self) -> sql.Identifier:
        return sql.Identifier(BUILD_SCHEMA, self.name)

    @property
    def published(self) -> sql.Identifier:
        return sql.Identifier(PUBLISHED, self.name)


def _tables(conn: Connection[Any]) -> list[_Table]:
    found = _rows(conn, "tables")
    for one in found:
        if not one.is_table:
            raise DatabaseError(
                f"{MARTS}.{one.name}: is a view; a mart is a table, so that what was tested is what is published",
                hint="Remove `materialized` from the model, or make it a staging view.",
            )
    return [_Table(one.name, one.is_published) for one in found]


def _publish(conn: Connection[Any], table: _Table) -> Published:
    if table.is_published:
        names = _match_columns(conn, table)
        removed, added = _match_rows(conn, table, names)
        _match_indexes(conn, table)
        _match_comments(conn, table)
    else:
        move = sql.SQL("alter table {} set schema {}").format(table.built, sql.Identifier(PUBLISHED))
        conn.execute(move)
        removed, added = 0, _count(conn, table.published)
    if added or removed:
        conn.execute(sql.SQL("analyze {}").format(table.published))
    return Published(name=table.name, rows=_count(conn, table.published), added=added, removed=removed)


def _match_columns(conn: Connection[Any], table: _Table) -> list[str]:
    """Give the published table the columns of the other; return their names. A new column empties it."""
    wanted = {column.name: column for column in _about(conn, "columns", table.built)}
    present = {column.name: column for column in _about(conn, "columns", table.published)}
    kept = {name for name in wanted.keys() & present.keys() if wanted[name].type == present[name].type}
    _alter(
        conn, table, [sql.SQL("drop column {}").format(sql.Identifier(n)) for n in present if n not in kept]
    )
    new = [column for column in wanted.values() if column.name not in kept]
    if new:
        conn.execute(sql.SQL("delete from {}").format(table.published))
    _alter(conn, table, [_added(column) for column in new])
    changed = [wanted[name] for name in kept if wanted[name].not_null != present[name].not_null]
    _alter(conn, table, [_nullability(column) for column in changed])
    return list(wanted)


def _alter(conn: Connection[Any], table: _Table, changes: list[sql.Composed]) -> None:
    if changes:
        conn.execute(sql.SQL("alter table {} {}").format(table.published, sql.SQL(", ").join(changes)))


def _added(column: Any) -> sql.Composed:
    # the type is PostgreSQL's own spelling of one, from its catalogue
    not_null = sql.SQL(" not null" if column.not_null else "")
    return sql.SQL("add column {} {}{}").format(sql.Identifier(column.name), sql.SQL(column.type), not_null)


def _nullability(column: Any) -> sql.Composed:
    action = sql.SQL("set" if column.not_null else "drop")
    return sql.SQL("alter column {} {} not null").format(sql.Identifier(column.name), action)


def _match_rows(conn: Connection[Any], table: _Table, names: list[str]) -> tuple[int, int]:
    """
    Delete the rows that differ in number or content, insert the missing ones. Return both counts.

    Rows are compared as text, which every type has, and as a bag: a mart may hold the same row twice.
    """
    parts = {
        "published": table.published,
        "built": table.built,
        "columns": sql.SQL(", ").join(map(sql.Identifier, names)),
        "p": sql.SQL("row({})::text").format(sql.SQL(", ").join(sql.Identifier("p", n) for n in names)),
        "n": sql.SQL("row({})::text").format(sql.SQL(", ").join(sql.Identifier("n", n) for n in names)),
    }
    removed = conn.execute(
        sql.SQL(
            "delete from {published} p where {p} in ("
            " (select {p} from {published} p except all select {n} from {built} n)"
            " union (select {n} from {built} n except all select {p} from {published} p))"
        ).format(**parts)
    )
    added = conn.execute(
        sql.SQL(
            "insert into {published} ({columns}) select {columns} from {built} n"
            " where not exists (select from {published} p where {p} = {n})"
        ).format(**parts)
    )
    return removed.rowcount, added.rowcount


def _match_indexes(conn: Connection[Any], table: _Table) -> None:
    wanted = {(i.is_unique, i.definition) for i in _about(conn, "indexes", table.built)}
    present = {(i.is_unique, i.definition): i.name for i in _about(conn, "indexes", table.published)}
    for definition in present.keys() - wanted:
        # a regclass prints itself quoted and with its schema
        conn.execute(sql.SQL("drop index {}").format(sql.SQL(present[definition])))
    for is_unique, definition in sorted(wanted - present.keys()):
        unique = sql.SQL("unique " if is_unique else "")
        conn.execute(
            sql.SQL("create {}index on {} using {}").format(unique, table.published, sql.SQL(definition))
        )


def _match_comments(conn: Connection[Any], table: _Table) -> None:
    (comment,) = _about(conn, "table_comment", table.built)[0]
    if (comment,) != _about(conn, "table_comment", table.published)[0]:
        on_table = sql.SQL("comment on table {} is {}").format(table.published, sql.Literal(comment))
        conn.execute(on_table)
    present = {column.name: column.comment for column in _about(conn, "columns", table.published)}
    for column in _about(conn, "columns", table.built):
        if column.comment != present[column.name]:
            where = sql.Identifier(PUBLISHED, table.name, column.name)
            on_column = sql.SQL("comment on column {} is {}").format(where, sql.Literal(column.comment))
            conn.execute(on_column)


def _about(conn: Connection[Any], query: str, table: sql.Identifier) -> list[Any]:
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(_QUERIES[query], {"table": table.as_string(conn)}).fetchall()


def _rows(conn: Connection[Any], query: str) -> list[Any]:
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(_QUERIES[query]).fetchall()


def _row(conn: Connection[Any], query: str) -> Any:
    row = conn.execute(_QUERIES[query]).fetchone()
    assert row is not None, "a statement without `from` returns a row"
    return row


def _count(conn: Connection[Any], table: sql.Identifier) -> int:
    row = conn.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    assert row is not None, "count returns a row"
    return int(row[0])
