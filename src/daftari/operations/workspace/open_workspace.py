"""Read the workspace of the settings: its pipelines and contracts."""

from __future__ import annotations

from daftari import log
from daftari.io.workspace import files
from daftari.io.workspace.files import Workspace as Workspace
from daftari.io.workspace.files import read_workspace as read_workspace
from daftari.protect.redact import redacting
from daftari.settings import Settings


def open_workspace(settings: Settings, *, only: str | None = None) -> Workspace:
    """
    Return the workspace of *settings*, or the part of it about the dataset *only*, with access to its keys.

    From here on the log hides the values that the contracts protect.

    Raises:
        ContractError: a contract is wrong, or they do not fit together.
    """
    workspace = files.read_open_workspace(settings, only=only)
    redact = redacting(contract.dataset for contract in workspace.contracts)
    log.configure_logging(level=settings.log_level, style=settings.log_format, redact=redact)
    return workspace
