"""
Read the settings of a workspace.

Light to import: a command that hands work to another process starts it before other imports.
"""

from __future__ import annotations

from pathlib import Path

from daftari import log
from daftari.settings import Settings, read_settings


def open_settings(workspace: Path | None, environment: str | None) -> Settings:
    """
    Return the settings of *workspace*, secrets from Vault included, and set up the log accordingly.

    The default workspace is the one around the current folder.

    Raises:
        SettingError: there is no workspace, or a setting is missing or wrong.
        KeysUnavailable: Vault cannot be reached.
    """
    settings = read_settings(workspace, environment=environment)
    if settings.vault_secrets is not None:
        from daftari.io.workspace.secrets import with_secrets  # most workspaces need no Vault client

        settings = with_secrets(settings)
    log.configure_logging(level=settings.log_level, style=settings.log_format)
    return settings
