"""Find a contract by its file or its dataset."""

from __future__ import annotations

from pathlib import Path

from daftari.contract.model import Contract
from daftari.io.workspace.files import read_contract_file, read_workspace
from daftari.settings import find_root


def find_contract(name: str, start: Path) -> Contract:
    """
    Return the contract in the file *name*, or that of the dataset *name* in the workspace at or above *start*.

    Raises:
        ContractError: it cannot be read, or is not valid.
        SettingError: there is no workspace.
        UnknownName: the workspace has no such dataset.
    """
    if Path(name).is_file() or Path(name).suffix in (".yaml", ".yml", ".json"):
        return read_contract_file(Path(name))
    return read_workspace(find_root(start)).dataset(name)[1]
