"""Read rows in the caller's role; the audit records reads of restricted values."""

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
from daftari.rows.url_query import Query, VisibleColumn, parse_query

#: The formats of an export.
FORMS = {
    "csv": caller_read.csv_lines,
    "spreadsheet": caller_read.spreadsheet_lines,
    "ndjson": caller_read.json_lines,
    "parquet": caller_read.parquet_pieces,
}


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The caller who reads a dataset."""

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
    Return the parsed query.

    Raises:
        AccessRefused: the reader may not read the dataset.
        QueryRefused: the query is not valid.
    """
    return parse_query(reader.dataset, reader.relation.columns, asked)


def read_page(conn: Connection[Any], reader: Reader, query: Query) -> Page:
    """
    Return one page of rows. *conn* must be in autocommit mode.

    Raises:
        AccessRefused: restricted fields are read without a purpose.
        QueryRefused: a value is outside the range of its field.
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
        raise QueryRefused("the query: a value is outside the range of its field") from None


def read_one(conn: Connection[Any], reader: Reader, key: Sequence[str]) -> str | None:
    """Return the row of a key as JSON; None where the reader sees no such row."""
    asked = list(zip(reader.dataset.key, key, strict=True))
    found = read_page(conn, reader, query_of(reader, asked))
    return found.rows[0] if found.rows else None


def sees(conn: Connection[Any], reader: Reader, key: Sequence[str]) -> bool:
    """Whether the reader sees the row of a key. Nothing else of it is read."""
    names = [("fields", ",".join(reader.dataset.key))]
    query = query_of(reader, [*names, *zip(reader.dataset.key, key, strict=True)])
    return bool(read_page(conn, reader, query).rows)


def export_rows(conn: Connection[Any], reader: Reader, query: Query, *, form: str) -> Iterator[bytes]:
    """
    Yield all rows of the query in one of `FORMS`; memory does not grow with them.

    The audit records the read before the first row is sent, so an interrupted read is recorded too.
    """
    write = FORMS[form]
    with _reading(conn, reader, query):
        _record(conn, reader, query, None)
    # In a separate transaction, because an interrupted export is rolled back.
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
            f"{reader.dataset.name}: {names}: restricted, and read without a purpose; expected one",
            hint="State the purpose in the header X-Purpose, or name other fields with fields=.",
        )


def _restricted(query: Query) -> list[str]:
    """Unmasked restricted fields that are shown or used in a condition."""
    named: list[VisibleColumn] = [*query.fields, *(it.column for it in query.filters)]
    return list(dict.fromkeys(it.name for it in named if it.is_restricted))


def _record(conn: Connection[Any], reader: Reader, query: Query, rows: int | None) -> None:
    names = _restricted(query)
    if names:
        place = (f"{OPS}.{reader.dataset.name}", names)
        session_keys.record_read(conn, place, rows or 0, reader.context.purpose or "")
