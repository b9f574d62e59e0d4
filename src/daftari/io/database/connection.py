"""Connections: to the workspace's own server, started when needed, or to one's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from daftari import __version__
from daftari.errors import DatabaseError, RowRefused
from daftari.io.database.messages import without_values
from daftari.io.embedded import server
from daftari.io.embedded.home import home_of
from daftari.protect.mask import HIDDEN
from daftari.settings import Settings


def connect(
    settings: Settings, *, autocommit: bool = False, application_name: str = "daftari"
) -> Connection[Any]:
    """
    Open a connection to the environment's database; the embedded server is started if it does not run.

    Times are in UTC on it, and a lock is waited for as long as the settings allow.

    Raises:
        DatabaseError: the database cannot be reached. The message holds no password.
    """
    given = connection_parameters(settings)
    options = {
        "autocommit": autocommit,
        "application_name": f"{application_name} {__version__}",
        "connect_timeout": settings.connect_timeout_seconds,
    }
    try:
        conn = _open(settings, given, options)
    except psycopg.Error as error:
        raise DatabaseError(
            f"database {_name(given)}: cannot connect: {_reason(error, given)}",
            hint="Check DAFTARI_DATABASE_URL, and that the server runs and lets this user in."
            if settings.database_url
            else "Look at `daftari server status`.",
        ) from None
    lock_timeout = f"{int(settings.lock_timeout_seconds * 1000)}ms"
    conn.execute(
        "select set_config('lock_timeout', %s, false), set_config('timezone', 'UTC', false)", [lock_timeout]
    )
    if not autocommit:
        conn.commit()
    return conn


_FOR_ANOTHER_ROW = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.ExclusionViolation,
    psycopg.errors.ForeignKeyViolation,
)
#: Where the server refuses a row by a policy. Its words for that depend on its language.
BY_POLICY = "ExecWithCheckOptions"


@contextmanager
def database_errors_explained(conn: Connection[Any]) -> Iterator[None]:
    """
    Say in words what went wrong between us and the server, without the values of rows that it quotes.

    What is our own fault, such as a statement that cannot be parsed, stays as it is.

    Raises:
        DatabaseError: the connection was lost, a lock was not to be had, this user may not do that, or a table
            is missing.
        RowRefused: a row was not taken. In the same words whether by a policy or for another row, which the
            caller may not see: by other words for each it would learn which.
    """
    try:
        yield
    except _FOR_ANOTHER_ROW:
        raise _refused() from None
    except psycopg.errors.LockNotAvailable:
        raise DatabaseError(
            "database: what is needed is in use by another session and did not become free in time",
            hint="Wait for the load or report that holds it, or raise lock_timeout_seconds.",
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        if error.diag.source_function == BY_POLICY:
            raise _refused() from None
        raise DatabaseError(
            f"database: {without_values(error.diag.message_primary or str(error))}",
            hint="Connect as a user who may do this, or have it granted.",
        ) from None
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        raise DatabaseError(
            f"database: is not what the contracts say: {error.diag.message_primary}",
            hint="Bring it to them with `daftari apply`.",
        ) from None
    except psycopg.OperationalError as error:
        lost = "the connection was lost: " if conn.closed else ""
        raise DatabaseError(
            f"database: {lost}{without_values(_last_line(error))}",
            hint="Run it again once the server is well: what had begun is undone, nothing is done twice.",
        ) from None


def _refused() -> RowRefused:
    return RowRefused(
        "database: a row was not taken; expected one that you may write and that agrees with the others",
        hint="Look at its key, at what must be unique and at what it refers to; or ask somebody who sees all rows.",
    )


def _last_line(error: psycopg.Error) -> str:
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    return error.diag.message_primary or (said[-1] if said else type(error).__name__)


def connection_parameters(settings: Settings) -> dict[str, Any]:
    """
    Return how to reach the database, in libpq's words: host (or the socket's folder), port, user, dbname …

    For tools that make their own connections, such as dbt. Starts nothing; may hold a password.
    """
    if settings.database_url is None:
        return server.server_parameters(home_of(settings.data_dir), f"daftari_{settings.environment}")
    given = _read_url(settings.database_url.get_secret_value())
    # A sign in the password that is not escaped moves the rest of it into another part, which we would print.
    if given is None or "@" in f"{given.get('host')}{given.get('dbname')}{given.get('port')}":
        raise DatabaseError(
            "DAFTARI_DATABASE_URL: cannot be read; expected postgresql://user@host:port/database",
            hint="Signs such as @ / : in a password must be written as %40 %2F %3A.",
        )
    return given


def _read_url(url: str) -> dict[str, Any] | None:
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return None
    return {name: value for name, value in given.items() if value is not None}


def _open(settings: Settings, given: dict[str, Any], options: dict[str, Any]) -> Connection[Any]:
    if settings.database_url is not None:
        return psycopg.connect(**{**options, **given})
    try:
        return psycopg.connect(**given, **options)
    except psycopg.OperationalError:  # it does not run, or has lost this database
        server.start_for(settings)
        return psycopg.connect(**given, **options)


def _name(given: dict[str, Any]) -> str:
    where = f" at {given['host']}" if "host" in given else ""
    return f"{given.get('dbname', '')}{where}".strip()


def _reason(error: psycopg.Error, given: dict[str, Any]) -> str:
    """Return the last line of what the server or libpq said, which names the cause, without the password."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    reason = said[-1].removeprefix("FATAL:").strip()
    password = str(given.get("password") or "")
    return reason.replace(password, HIDDEN) if password else reason
