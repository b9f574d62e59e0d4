"""The environment variables that dbt needs when a person runs it."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from daftari.io.marts import publish
from daftari.io.marts.dbt import connection_variables


def dbt_environment(conn: Connection[Any], environment: str) -> dict[str, str]:
    """Return the variables with which dbt reaches the database of *conn*. One of them may hold a password."""
    return {"DAFTARI_ENV": environment, **connection_variables(conn, schema=publish.PUBLISHED)}
