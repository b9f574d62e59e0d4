"""The session of a command: settings, logging, the workspace, a connection."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daftari.cli.clock import now as now
from daftari.operations.workspace.open_settings import open_settings
from daftari.settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection

    from daftari.compile.access.access_policies import Rights
    from daftari.compile.access.roles import Watched
    from daftari.operations.workspace.connect import KeyStore
    from daftari.operations.workspace.open_workspace import Workspace


@dataclass(frozen=True)
class CommandSession:
    settings: Settings

    @cached_property
    def workspace(self) -> Workspace:
        from daftari.operations.workspace.open_workspace import open_workspace

        return open_workspace(self.settings)

    def workspace_of(self, dataset: str) -> Workspace:
        """Return the workspace, limited to what concerns one dataset."""
        from daftari.operations.workspace.open_workspace import open_workspace

        return open_workspace(self.settings, only=dataset)

    @cached_property
    def keys(self) -> KeyStore:
        from daftari.operations.workspace.connect import open_keys

        return open_keys(self.settings)

    @property
    def rights(self) -> Rights:
        return self.workspace.rights(self.settings.role_prefix)

    @property
    def watched(self) -> Watched:
        from daftari.compile.access import roles

        rights = self.rights
        datasets = [contract.dataset for contract in self.workspace.contracts]
        return roles.watched(datasets, rights.readers.roles, rights.roles)

    def connection(self) -> AbstractContextManager[Connection[Any]]:
        """A connection in autocommit mode: operations open their own transactions."""
        from daftari.operations.workspace.connect import connection

        return connection(self.settings)


def open_session(workspace: Path | None, environment: str | None) -> CommandSession:
    return CommandSession(open_settings(workspace, environment))
