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
from daftari.api.limits import Limits
from daftari.compile.roles import Roles
from daftari.contract.model import Contract, Dataset
from daftari.contract.permissions import roles_named
from daftari.errors import DatabaseError
from daftari.io.database import connect, explained, parameters
from daftari.io.mart_reports import Report, read_reports
from daftari.io.oidc import Verifier, issuer_of
from daftari.io.workspace import Workspace
from daftari.settings import Settings

if TYPE_CHECKING:
    from daftari.io.keys import KeyStore
    from daftari.io.oidc_sign_in import SignIn

_CONNECTIONS = 8
_WAIT_SECONDS = 10
_FAILURES_A_SECOND, _FAILURES_AT_ONCE = 1 / 6, 10


def now() -> datetime:
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
    def failures(self) -> Limits:
        """Tokens that let nobody in, by the address that they came from. Good ones are let in all the same."""
        return Limits(_FAILURES_A_SECOND, _FAILURES_AT_ONCE, what="tokens that let nobody in")

    @cached_property
    def verifier(self) -> Verifier | None:
        """Of the issuer's tokens, where the settings name one."""
        issuer = issuer_of(self.settings)
        return Verifier(issuer, roles_named(self.datasets.values())) if issuer else None

    @cached_property
    def sign_in(self) -> SignIn | None:
        """By the issuer, where people sign in so."""
        if self.settings.oidc_client_id is None or self.verifier is None:
            return None
        from daftari.io.oidc_sign_in import SignIn, client_of

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
                **parameters(self.settings),
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
            with self.pool.connection() as conn, explained(conn):
                yield conn
        except PoolTimeout:
            raise DatabaseError(
                "database: no connection came free in time", hint="Ask again in a while."
            ) from None

    def close(self) -> None:
        if "pool" in self.__dict__:
            self.pool.close()
