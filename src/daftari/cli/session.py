"""What nearly every command begins with: settings, logging, the workspace, a connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daftari import log
from daftari.settings import Settings, read_settings

if TYPE_CHECKING:
    from psycopg import Connection

    from daftari.compile.access.access_policies import Rights
    from daftari.compile.access.roles import Watched
    from daftari.io.keys import KeyStore
    from daftari.io.workspace.files import Workspace


@dataclass(frozen=True)
class CommandSession:
    settings: Settings

    @cached_property
    def workspace(self) -> Workspace:
        return self._read()

    def workspace_of(self, dataset: str) -> Workspace:
        """The workspace as far as it is about one dataset."""
        return self._read(only=dataset)

    def _read(self, only: str | None = None) -> Workspace:
        from daftari.io.workspace.files import open_workspace
        from daftari.protect.redact import redacting

        workspace = open_workspace(self.settings, only=only)
        # From here on rows may be at hand, and it is known which of their values may be shown.
        redact = redacting(contract.dataset for contract in workspace.contracts)
        log.configure_logging(level=self.settings.log_level, style=self.settings.log_format, redact=redact)
        return workspace

    @cached_property
    def keys(self) -> KeyStore:
        from daftari.io.keys import key_store_of

        return key_store_of(self.settings)

    @property
    def rights(self) -> Rights:
        return self.workspace.rights(self.settings.role_prefix)

    @property
    def watched(self) -> Watched:
        from daftari.compile.access import roles

        rights = self.rights
        datasets = [contract.dataset for contract in self.workspace.contracts]
        return roles.watched(datasets, rights.readers.roles, rights.roles)

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """A connection in autocommit mode: operations open their own transactions."""
        from daftari.io.database.connection import connect, database_errors_explained

        conn = connect(self.settings, autocommit=True)
        with database_errors_explained(conn), conn:  # explained outside: closing a lost connection fails too
            yield conn


def open_session(workspace: Path | None, environment: str | None) -> CommandSession:
    settings = read_settings(workspace, environment=environment)
    if settings.vault_secrets is not None:
        from daftari.io.workspace.secrets import with_secrets

        settings = with_secrets(settings)
    log.configure_logging(level=settings.log_level, style=settings.log_format)
    return CommandSession(settings)


def clock() -> datetime:
    """The one place where the terminal reads the clock."""
    return datetime.now(UTC)
