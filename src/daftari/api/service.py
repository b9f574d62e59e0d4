"""What every request needs: the workspace, connections to its database, and who writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from daftari import __version__
from daftari.api.rate_limits import RateLimits
from daftari.compile.access.roles import Roles
from daftari.contract.model import Contract, Dataset
from daftari.errors import DatabaseError
from daftari.io.access.oidc_tokens import Verifier, issuer_of
from daftari.io.database.connection import connect, connection_parameters, database_errors_explained
from daftari.io.marts.mart_reports import Report, read_reports
from daftari.io.workspace.files import Workspace
from daftari.settings import Settings

if TYPE_CHECKING:
    from daftari.io.access.oidc_sign_in import SignIn
    from daftari.io.keys import KeyStore

_CONNECTIONS = 8
_WAIT_SECONDS = 10
_FAILURES_A_SECOND, _FAILURES_AT_ONCE = 1 / 6, 10


def clock() -> datetime:
    """The one place where the API reads the clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Service:
    settings: Settings
    workspace: Workspace

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        return {contract.dataset.name: contract for contract in self.workspace.contracts}

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        return {name: contract.dataset for name, contract in self.contracts.items()}

    @cached_property
    def roles(self) -> Roles:
        return self.workspace.rights(self.settings.role_prefix).roles

    @cached_property
    def reports(self) -> tuple[Report, ...]:
        root = self.workspace.root
        return tuple(report for it in self.workspace.pipelines for report in read_reports(it.path, root))

    @cached_property
    def failures(self) -> RateLimits:
        """Tokens that let nobody in, by the address that they came from. Good ones are let in all the same."""
        return RateLimits(_FAILURES_A_SECOND, _FAILURES_AT_ONCE, what="tokens that let nobody in")

    @cached_property
    def verifier(self) -> Verifier | None:
        """Of the issuer's tokens, where the settings name one."""
        issuer = issuer_of(self.settings)
        roles = {it.role for dataset in self.datasets.values() for it in dataset.access}
        return Verifier(issuer, roles) if issuer else None

    @cached_property
    def sign_in(self) -> SignIn | None:
        """By the issuer, where people sign in so."""
        if self.settings.oidc_client_id is None or self.verifier is None:
            return None
        from daftari.io.access.oidc_sign_in import SignIn, client_of

        return SignIn(client_of(self.settings), self.verifier)

    @cached_property
    def keys(self) -> KeyStore:
        from daftari.io.keys import key_store_of

        return key_store_of(self.settings)

    @cached_property
    def pool(self) -> ConnectionPool[Connection[Any]]:
        connect(self.settings).close()  # starts the workspace's own server, or says what is wrong
        return ConnectionPool(
            kwargs={
                **connection_parameters(self.settings),
                "autocommit": True,
                "application_name": f"daftari serve {__version__}",
            },
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=_WAIT_SECONDS,
            configure=self._configure,
            open=True,
        )

    def _configure(self, conn: Connection[Any]) -> None:
        timeout = f"{int(self.settings.lock_timeout_seconds * 1000)}ms"
        conn.execute(
            "select set_config('lock_timeout', %s, false), set_config('timezone', 'UTC', false)", [timeout]
        )

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """A connection in autocommit mode: operations open their own transactions."""
        try:
            with self.pool.connection() as conn, database_errors_explained(conn):
                yield conn
        except PoolTimeout:
            raise DatabaseError(
                "database: no connection came free in time", hint="Ask again in a while."
            ) from None

    def close(self) -> None:
        if "pool" in self.__dict__:
            self.pool.close()
