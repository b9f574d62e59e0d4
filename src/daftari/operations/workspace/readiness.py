"""Whether callers can be served: a login that may speak for them, and a database that is what the contracts say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import Connection

from daftari.contract.model import Contract
from daftari.io.access.callers import make_service, require_service
from daftari.io.runs import ledger


def make_ready(conn: Connection[Any], *, is_embedded: bool) -> None:
    """
    Make sure that the login of *conn* may speak for callers; the only login of an embedded server is made to.

    Raises:
        DatabaseError: it may not.
    """
    if is_embedded:
        make_service(conn)
    require_service(conn)


def require_ready(conn: Connection[Any], contracts: Iterable[Contract]) -> None:
    """
    Stop unless callers can be served.

    Raises:
        Drift: the database is not what *contracts* say.
        DatabaseError: the login of *conn* may not speak for callers.
    """
    require_service(conn)
    require_applied(conn, contracts)


def require_applied(conn: Connection[Any], contracts: Iterable[Contract]) -> None:
    """
    Stop unless *contracts* are applied.

    Raises:
        Drift: the database is not what one of them says.
        DatabaseError: policies hold rows back from this session.
    """
    ledger.require_contracts(conn, contracts)
