"""Connections to the embedded server, started when needed, or to another server."""

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
    Open a connection to the environment's database; start the embedded server if it does not run.

    The session uses UTC, and waits for locks as long as the settings allow.

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
            hint="Check DAFTARI_DATABASE_URL, and that the server runs and accepts this user."
            if settings.database_url
            else "See `daftari server status`.",
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
_LIMITS = (psycopg.errors.TooManyColumns, psycopg.errors.ProgramLimitExceeded)
#: The server rejects a row by a policy with this code. Its message depends on its language.
BY_POLICY = "ExecWithCheckOptions"


@contextmanager
def database_errors_explained(conn: Connection[Any]) -> Iterator[None]:
    """
    Explain errors of the server, without the values of rows that its messages quote.

    Errors that are our own fault, such as a syntax error, are not changed.

    Raises:
        DatabaseError: the connection was lost, a lock timed out, this user lacks a right, or a table is missing.
        RowRefused: a row was rejected. The message is the same whether the cause is a policy or another row: the
            caller may not see that row, and another message would reveal it.
    """
    try:
        yield
    except _FOR_ANOTHER_ROW:
        raise _refused() from None
    except psycopg.errors.LockNotAvailable:
        raise DatabaseError(
            "database: another session held a needed lock for too long",
            hint="Wait for the load or report that holds it, or raise lock_timeout_seconds.",
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        if error.diag.source_function == BY_POLICY:
            raise _refused() from None
        raise DatabaseError(
            f"database: {without_values(error.diag.message_primary or str(error))}",
            hint="Connect as a user who may do this, or ask for the right.",
        ) from None
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        raise DatabaseError(
            f"database: does not match the contracts: {error.diag.message_primary}",
            hint="Run `daftari apply`.",
        ) from None
    except _LIMITS as error:
        raise DatabaseError(
            f"database: a limit of PostgreSQL was reached: {without_values(_last_line(error))}",
            hint="A table has at most 1,600 columns, a row at most 8,160 bytes beside long texts, and a key at most"
            " 2,704 bytes. Divide the dataset, or limit the key's length in its contract.",
        ) from None
    except psycopg.OperationalError as error:
        lost = "the connection was lost: " if conn.closed else ""
        raise DatabaseError(
            f"database: {lost}{without_values(_last_line(error))}",
            hint="Run it again when the server is available: unfinished work was rolled back, nothing is done twice.",
        ) from None


def _refused() -> RowRefused:
    return RowRefused(
        "database: a row was rejected; expected one that you may write and that does not conflict with other rows",
        hint="Check its key, its unique fields and its references, or ask a user who sees all rows.",
    )


def _last_line(error: psycopg.Error) -> str:
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    return error.diag.message_primary or (said[-1] if said else type(error).__name__)


def connection_parameters(settings: Settings) -> dict[str, Any]:
    """
    Return how to reach the database, in libpq's terms: host (or the socket's folder), port, user, dbname …

    For tools that open their own connections, such as dbt. Starts nothing; may hold a password.
    """
    if settings.database_url is None:
        return server.server_parameters(home_of(settings.data_dir), f"daftari_{settings.environment}")
    given = _read_url(settings.database_url.get_secret_value())
    # An unescaped character of the password moves the rest of it into another part, which we would print.
    if given is None or "@" in f"{given.get('host')}{given.get('dbname')}{given.get('port')}":
        raise DatabaseError(
            "DAFTARI_DATABASE_URL: cannot be read; expected postgresql://user@host:port/database",
            hint="In a password, write @ / : as %40 %2F %3A.",
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
    """Return the last line of a message of the server or libpq, which names the cause, without the password."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    reason = said[-1].removeprefix("FATAL:").strip()
    password = str(given.get("password") or "")
    return reason.replace(password, HIDDEN) if password else reason
