"""Create a workspace: the reference workspace, under a new name, in an empty folder."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from daftari.errors import SettingError
from daftari.io.workspace.scaffold import reference_files, write_files
from daftari.settings import CONFIG_FILE

_NAME_IN_REFERENCE = 'name = "reference"'


def init_workspace(folder: Path, *, name: str, dry_run: bool = False) -> tuple[PurePosixPath, ...]:
    """
    Write a new workspace called *name* into *folder* and return the paths of its files in it.

    Raises:
        SettingError: *folder* is a file, or is not empty.
    """
    _require_empty(folder)
    files = dict(reference_files())
    config = PurePosixPath(CONFIG_FILE)
    # A basic string of TOML is also valid JSON.
    named = files[config].decode().replace(_NAME_IN_REFERENCE, f"name = {json.dumps(name)}", 1)
    files[config] = named.encode()
    if not dry_run:
        write_files(files, folder)
    return tuple(files)


def _require_empty(folder: Path) -> None:
    hint = "Name a folder that is empty or does not exist."
    if folder.exists() and not folder.is_dir():
        raise SettingError(f"{folder}: found a file; expected an empty or new folder", hint=hint)
    held = len(list(folder.iterdir())) if folder.exists() else 0
    if held:
        raise SettingError(f"{folder}: holds {held} files or folders; expected none", hint=hint)
