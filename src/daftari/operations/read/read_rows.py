"""Read rows as a caller: in the caller's role, and in the audit where they hold what is restricted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.errors import DataError

from daftari.compile.access.relations import Relation, relation_of
from daftari.compile.access.roles import Roles
from daftari.contract import permissions
from daftari.contract.access.caller import RequestContext
from daftari.contract.model import Dataset
from daftari.contract.platform import OPS
from daftari.errors import AccessRefused, QueryRefused
from daftari.io.access.callers import in_role_of, leave_role, speak_for
from daftari.io.keys import session_keys
from daftari.io.read import caller_read
from daftari.io.read.caller_read import Page
from daftari.rows.query import Query, VisibleColumn, parse_query

#: How an export is written.
FORMS = {
    "csv": caller_read.csv_lines,
    "ndjson": caller_read.json_lines,
    "parquet": caller_read.parquet_pieces,
}


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads a dataset."""

    dataset: Dataset
    context: RequestContext
    roles: Roles

    @property
    def relation(self) -> Relation:
        """
        What the reader's role reads.

        Raises:
            AccessRefused: nothing, or the token is not for this dataset.
        """
        caller = self.context.caller
        permissions.require(permissions.refusal_to_read(self.dataset, caller))
        found = relation_of(self.dataset, caller.role)
        assert found is not None, "a role that reads rows has a relation to read them from"
        return found


def query_of(reader: Reader, asked: Sequence[tuple[str, str]]) -> Query:
    """
    Return what is asked.

    Raises:
        AccessRefused: the reader reads nothing of the dataset.
        QueryRefused: it is not understood.
    """
    return parse_query(reader.dataset, reader.relation.columns, asked)


def read_page(conn: Connection[Any], reader: Reader, query: Query) -> Page:
    """
    Return one page of rows. *conn* must be in autocommit mode.

    Raises:
        AccessRefused: fields that are restricted are read for no purpose.
        QueryRefused: a value is outside of what its field can hold.
    """
    _require_purpose(reader, query)
    relation, role = reader.relation, reader.roles.of(reader.context.caller.role)
    try:
        if not _restricted(query):
            return caller_read.page_of(
                caller_read.ask_as(conn, (reader.context, role), relation, query), query
            )
        with conn.transaction():
            speak_for(conn, reader.context, role=role)
            page = caller_read.page_of(caller_read.ask_page(conn, relation, query), query)
            leave_role(conn)
            _record(conn, reader, query, len(page.rows))
            return page
    except DataError:
        raise QueryRefused("the query: a value is outside of what its field can hold") from None


def read_one(conn: Connection[Any], reader: Reader, key: Sequence[str]) -> str | None:
    """Return the row of a key as JSON; None where there is none, or none that the reader sees."""
    asked = list(zip(reader.dataset.key, key, strict=True))
    found = read_page(conn, reader, query_of(reader, asked))
    return found.rows[0] if found.rows else None


def sees(conn: Connection[Any], reader: Reader, key: Sequence[str]) -> bool:
    """Whether the reader sees the row of a key. Nothing of it is read but that."""
    names = [("fields", ",".join(reader.dataset.key))]
    query = query_of(reader, [*names, *zip(reader.dataset.key, key, strict=True)])
    return bool(read_page(conn, reader, query).rows)


def export_rows(conn: Connection[Any], reader: Reader, query: Query, *, form: str) -> Iterator[bytes]:
    """
    Yield all rows that are asked for in one of `FORMS`; what is held does not grow with them.

    The audit keeps that they are read before the first of them is sent: of whoever breaks off, too.
    """
    write = FORMS[form]
    with _reading(conn, reader, query):
        _record(conn, reader, query, None)
    # In a transaction of its own, as what is broken off is rolled back.
    with _reading(conn, reader, query), in_role_of(conn, reader.context.caller, reader.roles):
        yield from write(conn, reader.relation, query)


@contextmanager
def _reading(conn: Connection[Any], reader: Reader, query: Query) -> Iterator[None]:
    _require_purpose(reader, query)
    with conn.transaction():
        speak_for(conn, reader.context)
        yield


def _require_purpose(reader: Reader, query: Query) -> None:
    if _restricted(query) and not reader.context.has_purpose:
        names = ", ".join(_restricted(query))
        raise AccessRefused(
            f"{reader.dataset.name}: {names}: restricted, and read for no purpose; expected one",
            hint="Say what it is for in the header X-Purpose, or name other fields with fields=.",
        )


def _restricted(query: Query) -> list[str]:
    """Restricted fields in the clear that are shown, or of which it is asked whether they are there."""
    named: list[VisibleColumn] = [*query.fields, *(it.column for it in query.filters)]
    return list(dict.fromkeys(it.name for it in named if it.is_restricted))


def _record(conn: Connection[Any], reader: Reader, query: Query, rows: int | None) -> None:
    names = _restricted(query)
    if names:
        place = (f"{OPS}.{reader.dataset.name}", names)
        session_keys.record_read(conn, place, rows or 0, reader.context.purpose or "")
