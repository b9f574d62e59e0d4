"""What every request needs: the workspace, its roles and reports, keys, and connections to its database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from daftari.api.rate_limits import RateLimits
from daftari.compile.access.roles import Roles
from daftari.contract.model import Contract, Dataset
from daftari.operations.access.issuer import Verifier, sign_in_of, verifier_of
from daftari.operations.marts.read_reports import Report, reports_of
from daftari.operations.workspace.connect import open_keys
from daftari.operations.workspace.open_pool import Pool, open_pool, pooled
from daftari.operations.workspace.open_workspace import Workspace
from daftari.settings import Settings

if TYPE_CHECKING:
    from daftari.operations.access.issuer import SignIn
    from daftari.operations.workspace.connect import KeyStore

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
        return reports_of(self.workspace)

    @cached_property
    def failures(self) -> RateLimits:
        """Limits of invalid tokens by client address. Valid tokens from the same address are still accepted."""
        return RateLimits(_FAILURES_A_SECOND, _FAILURES_AT_ONCE, what="invalid tokens")

    @cached_property
    def verifier(self) -> Verifier | None:
        """The verifier of the issuer's tokens; None if the settings name no issuer."""
        return verifier_of(self.settings, self.datasets.values())

    @cached_property
    def sign_in(self) -> SignIn | None:
        """The sign-in by the issuer; None if it is not configured."""
        return sign_in_of(self.settings, self.verifier)

    @cached_property
    def keys(self) -> KeyStore:
        return open_keys(self.settings)

    @cached_property
    def pool(self) -> Pool:
        return open_pool(self.settings)

    def connection(self) -> AbstractContextManager[Connection[Any]]:
        """A connection in autocommit mode: operations open their own transactions."""
        return pooled(self.pool)

    def close(self) -> None:
        if "pool" in self.__dict__:
            self.pool.close()
