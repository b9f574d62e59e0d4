"""Reads rows in the caller's role: pages by key, and exports that hold one batch in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg import Connection, Cursor, sql

from daftari.compile.access.relations import Relation
from daftari.contract.access.caller import RequestContext
from daftari.io.access.callers import session_settings
from daftari.io.database import queries
from daftari.io.database.prepared import ask_after
from daftari.io.files.csv_for_people import csv_pieces
from daftari.io.read.parquet_export import comes_as_text, parquet
from daftari.rows.url_query import Filter, Query, Sort, VisibleColumn

_QUERIES = queries.load_queries("read/caller_read.sql")
_OPERATORS = {"eq": "=", "ne": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
#: Rows of an export per batch.
_ROWS = 2000


@dataclass(frozen=True, kw_only=True)
class Page:
    rows: tuple[str, ...]  #: each a JSON object
    next: str | None  #: where the next page begins; None: there is none


def ask_page(conn: Connection[Any], relation: Relation, query: Query) -> Cursor[Any]:
    """
    Read a page of rows. Within a transaction that has taken on the reader's role.

    Raises:
        psycopg.DataError: the server cannot read a value as its column's type.
    """
    statement, values = _page(relation, query)
    return conn.execute(statement.encode(), values)


def ask_as(
    conn: Connection[Any], reader: tuple[RequestContext, str], relation: Relation, query: Query
) -> Cursor[Any]:
    """
    Set the caller and role, and read a page of rows, in one transaction and round trip.

    Raises:
        psycopg.DataError: the server cannot read a value as its column's type.
    """
    context, role = reader
    return ask_after(conn, session_settings(context, role), role, *_page(relation, query))


def _page(relation: Relation, query: Query) -> tuple[str, list[Any]]:
    condition, values = _condition(query)
    shape = _Shape(
        relation=(relation.schema, relation.name),
        fields=tuple(column.name for column in query.fields),
        place=tuple(it.column.name for it in query.sort),
        order=_order(query.sort),
        limit=query.limit + 1,
    )
    before, after = _page_around_condition(shape)
    return f"{before}{condition}{after}", values


class _Shape(NamedTuple):
    """A page without its condition: few different ones are used, and often."""

    relation: tuple[str, str]
    fields: tuple[str, ...]
    place: tuple[str, ...]
    order: str
    limit: int


@lru_cache(512)
def _page_around_condition(shape: _Shape) -> tuple[str, str]:
    """Return a page's statement before and after its condition. Composing it takes as long as running it."""
    mark = "/* condition */"
    statement = sql.SQL(_QUERIES["page"]).format(
        place=_joined(f"{_quoted(name)}::text" for name in shape.place),
        relation=sql.Identifier(*shape.relation),
        fields=_joined(map(_quoted, shape.fields)),
        condition=sql.SQL(mark),
        order=sql.SQL(shape.order),
        limit=sql.Literal(shape.limit),
    )
    before, _, after = statement.as_string().partition(mark)
    return before, after


def page_of(cursor: Cursor[Any], query: Query) -> Page:
    """Return the page that *cursor* found for *query*."""
    found = cursor.fetchall()
    shown = found[: query.limit]
    is_more = len(found) > query.limit
    return Page(
        rows=tuple(row for row, _ in shown), next=query.cursor(shown[-1][1]) if is_more and shown else None
    )


def json_lines(conn: Connection[Any], relation: Relation, query: Query) -> Iterator[bytes]:
    """Yield all rows of *query* as JSON Lines, ignoring its limit; in the transaction of `page`."""
    cells = sql.SQL("(select row_to_json(shown)::text from (select {}) shown)").format(
        _joined(map(_of, query.fields))
    )
    for rows in _every(conn, relation, query, cells):
        yield "".join(f"{row}\n" for (row,) in rows).encode()


def csv_lines(conn: Connection[Any], relation: Relation, query: Query) -> Iterator[bytes]:
    """Yield the same as CSV for programs (RFC 4180), with a header. It loads as the same rows."""
    yield from _csv(conn, relation, query, for_people=False)


def spreadsheet_lines(conn: Connection[Any], relation: Relation, query: Query) -> Iterator[bytes]:
    """Yield the same as CSV for people, in which no cell runs as a formula."""
    yield from _csv(conn, relation, query, for_people=True)


def _csv(conn: Connection[Any], relation: Relation, query: Query, *, for_people: bool) -> Iterator[bytes]:
    cells = _joined(f"{_of(column)}::text" for column in query.fields)
    names = [column.name for column in query.fields]
    yield from csv_pieces(names, _every(conn, relation, query, cells), for_people=for_people)


def parquet_pieces(conn: Connection[Any], relation: Relation, query: Query) -> Iterator[bytes]:
    """Yield the same as a Parquet file."""
    cells = _joined(f"{_of(it)}::text" if comes_as_text(it) else _of(it) for it in query.fields)
    yield from parquet(query.fields, _every(conn, relation, query, cells))


def _every(
    conn: Connection[Any], relation: Relation, query: Query, cells: sql.Composable
) -> Iterator[list[tuple[Any, ...]]]:
    condition, values = _condition(query)
    statement = sql.SQL(_QUERIES["every"]).format(
        cells=cells,
        relation=sql.Identifier(relation.schema, relation.name),
        condition=sql.SQL(condition),
        order=sql.SQL(_order(query.sort)),
    )
    with conn.cursor(name="daftari_export") as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_ROWS):
            yield rows


@lru_cache(4096)
def _quoted(name: str) -> str:
    return sql.Identifier("r", name).as_string()


def _of(column: VisibleColumn) -> str:
    return _quoted(column.name)


def _joined(parts: Iterable[str]) -> sql.SQL:
    # Quoted names, and words of ours: no value is among them.
    return sql.SQL(", ".join(parts))


def _typed(column: VisibleColumn) -> str:
    # Without its precision, to which it would be rounded before it is compared. Quoted where it was composed.
    return f"%s::{_bare(column)}"


def _bare(column: VisibleColumn) -> str:
    return column.type.partition("(")[0]


def _order(sort: Sequence[Sort]) -> str:
    # A column without nulls keeps the order of its index.
    return ", ".join(
        _of(it.column)
        + (" desc" if it.descending else "")
        + (" nulls last" if it.descending and not it.column.required else "")
        for it in sort
    )


def _condition(query: Query) -> tuple[str, list[Any]]:
    parts = ["true"]
    values: list[Any] = []
    for one in query.filters:
        part, own = _filter(one)
        parts.append(part)
        values += own
    if query.after is not None:
        part, own = _beyond(query.sort, query.after)
        parts.append(part)
        values += own
    return " and ".join(parts), values


def _filter(one: Filter) -> tuple[str, list[Any]]:
    column = _of(one.column)
    match one.operator:
        case "is":
            return f"{column} is {'null' if one.values[0] == 'null' else 'not null'}", []
        case "in":
            return f"{column} = any(%s::text[]::{_bare(one.column)}[])", [list(one.values)]
        case "starts":
            return f"starts_with({column}::text, %s)", list(one.values)
        case operator:
            return f"{column} {_OPERATORS[operator]} {_typed(one.column)}", list(one.values)


def _beyond(sort: Sequence[Sort], place: Sequence[str | None]) -> tuple[str, list[Any]]:
    """Rows that come after *place*. Nulls come last, in both directions."""
    one_way = len({it.descending for it in sort}) == 1
    if one_way and all(it.column.required for it in sort):  # an index serves this
        columns, given = ", ".join(_of(it.column) for it in sort), ", ".join(_typed(it.column) for it in sort)
        return f"({columns}) {'<' if sort[0].descending else '>'} ({given})", list(place)
    ways: list[str] = []
    values: list[Any] = []
    for at, (one, value) in enumerate(zip(sort, place, strict=True)):
        if value is None:
            continue  # nothing comes after null
        column = _of(one.column)
        equal = [f"{_of(it.column)} is not distinct from {_typed(it.column)}" for it in sort[:at]]
        after = f"({column} {'<' if one.descending else '>'} {_typed(one.column)} or {column} is null)"
        ways.append(f"({' and '.join([*equal, after])})")
        values += [*place[:at], value]
    return f"({' or '.join(ways)})" if ways else "false", values
