"""What PostgreSQL's catalogue knows about a table, for a first contract. No row is read."""

from __future__ import annotations

import re
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from daftari.contract.draft_contract import ColumnProfile, ReferenceProfile, TableProfile
from daftari.contract.governable.physical_types import is_physical_type, logical_type_of
from daftari.contract.model import LogicalType
from daftari.contract.platform import COLUMNS
from daftari.errors import DatabaseError
from daftari.io.database import queries

_QUERIES = queries.load_queries("catalogue/table_profile.sql")

#: PostgreSQL's long names, and types that one of ours holds without loss.
_SPELLINGS = {
    "character varying": "varchar",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time without time zone": "time",
    "real": "double precision",
    "json": "jsonb",
    "citext": "text",
    "name": "text",
}
_SIZE = re.compile(r"\([^)]*\)")

#: Columns that every governed table has.
_PLATFORM_COLUMNS = set(COLUMNS)


def profile_table(conn: Connection[Any], table: str) -> TableProfile:
    """
    Return the profile of *table*, named as in SQL: schema.table.

    Raises:
        DatabaseError: the table or view does not exist, or this role may not see it.
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_QUERIES["table"], {"table": table}).fetchone()
        if found is None:
            raise DatabaseError(
                f"{table}: no such table or view; expected schema.table",
                hint="Names with capitals are quoted: 'public.\"Staff\"'.",
            )
        columns = cursor.execute(_QUERIES["columns"], {"table": table}).fetchall()
        references = cursor.execute(_QUERIES["references"], {"table": table}).fetchall()
    own = {column["name"] for column in columns}
    governed = _PLATFORM_COLUMNS if own >= _PLATFORM_COLUMNS else set()
    return TableProfile(
        name=found["plain_name"],
        description=found["description"],
        origin=f"table {found['name']}",
        columns=tuple(_column(column) for column in columns if column["name"] not in governed),
        references=tuple(
            ReferenceProfile(
                columns=tuple(reference["columns"]),
                target=reference["target"],
                target_columns=tuple(reference["target_columns"]),
            )
            for reference in references
        ),
    )


def _column(column: DictRow) -> ColumnProfile:
    logical, physical = _type(column["type"])
    allowed = tuple(column["allowed"])
    return ColumnProfile(
        name=column["name"],
        logical_type=LogicalType.STRING if allowed else logical,
        physical_type=None if allowed else physical,
        description=column["description"],
        required=column["required"],
        unique=column["is_unique"],
        key_position=column["key_position"],
        allowed=allowed,
    )


def _type(found: str) -> tuple[LogicalType, str | None]:
    """The types of ours that hold what *found* holds; text where none does."""
    if found.endswith("[]"):
        return LogicalType.ARRAY, "jsonb"
    size = _SIZE.search(found)
    plain = _SIZE.sub("", found).strip()
    name = _SPELLINGS.get(plain, plain)
    sized = f"{name}{size[0] if size and name in ('varchar', 'numeric') else ''}"
    physical = sized if is_physical_type(sized) else "text" if name == "varchar" else None
    logical = logical_type_of(physical or "")
    return (logical, physical) if logical else (LogicalType.STRING, None)
