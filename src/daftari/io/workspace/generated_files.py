"""Files that Daftari generates in a workspace, next to those that people write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from daftari.compile.marts.dbt_files import MARK, GeneratedFile
from daftari.errors import ContractError
from daftari.io.workspace.whole_files import write_whole_file

#: Bytes of a file that are read to see who wrote it.
_HEAD_CHARACTERS = 80


def write_generated(folder: Path, files: Sequence[GeneratedFile]) -> tuple[Path, ...]:
    """
    Make *folder* hold *files*; return those that changed, including removed ones.

    A file that already has its text is not touched. A generated file that no contract asks for is removed.

    Raises:
        ContractError: a handwritten file has one of the names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    changed = [folder / file.name for file in files if _write(folder / file.name, file.text)]
    wanted = {file.name for file in files}
    stale = [path for path in sorted(folder.iterdir()) if path.name not in wanted and _is_ours(path)]
    for path in stale:
        path.unlink()
    return (*changed, *stale)


def _write(path: Path, text: str) -> bool:
    if path.exists():
        if path.read_text("utf-8") == text:
            return False
        if not _is_ours(path):
            raise ContractError(
                f"{path}: written by hand; expected a file generated from a contract",
                hint="Move it out of the folder staging, or give it another name.",
            )
    write_whole_file(path, text.encode())
    return True


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return MARK in file.read(_HEAD_CHARACTERS)
