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

    from daftari.io.keys import KeyStore
    from daftari.io.workspace import Workspace


@dataclass(frozen=True)
class Session:
    settings: Settings

    @cached_property
    def workspace(self) -> Workspace:
        from daftari.io.workspace import open_workspace

        return open_workspace(self.settings)

    @cached_property
    def keys(self) -> KeyStore:
        from daftari.io.keys import key_store_of

        return key_store_of(self.settings)

    def workspace_of(self, dataset: str) -> Workspace:
        """The workspace as far as it is about one dataset."""
        from daftari.io.workspace import open_workspace

        return open_workspace(self.settings, only=dataset)

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """A connection in autocommit mode: operations open their own transactions."""
        from daftari.io.database import connect, explained

        conn = connect(self.settings, autocommit=True)
        with explained(conn), conn:  # explained outside: closing a lost connection fails too
            yield conn


def open_session(workspace: Path | None, environment: str | None) -> Session:
    settings = read_settings(workspace, environment=environment)
    if settings.vault_secrets is not None:
        from daftari.io.secrets import with_secrets

        settings = with_secrets(settings)
    log.configure(level=settings.log_level, style=settings.log_format)
    return Session(settings)


def now() -> datetime:
    """The one place where the terminal reads the clock."""
    return datetime.now(UTC)
