"""Whether callers can be served: a login that may act for them, and a database that matches the contracts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import Connection

from daftari.contract.model import Contract
from daftari.io.access.callers import make_service, require_service
from daftari.io.runs import ledger


def make_ready(conn: Connection[Any], *, is_embedded: bool) -> None:
    """
    Stop unless the login of *conn* may act for callers; the only login of an embedded server is marked so.

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
        Drift: the database does not match *contracts*.
        DatabaseError: the login of *conn* may not act for callers.
    """
    require_service(conn)
    require_applied(conn, contracts)


def require_applied(conn: Connection[Any], contracts: Iterable[Contract]) -> None:
    """
    Stop unless *contracts* are applied.

    Raises:
        Drift: the database does not match one of them.
        DatabaseError: policies hide rows from this session.
    """
    ledger.require_contracts(conn, contracts)
