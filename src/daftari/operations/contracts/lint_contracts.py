"""Lint contracts; report every fault of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from daftari.contract.model import Contract
from daftari.errors import ContractError, Fault
from daftari.io.workspace.files import (
    contract_files,
    enforcement_faults,
    read_contract_file,
    read_workspace,
)


@dataclass(frozen=True, kw_only=True)
class Linted:
    contracts: tuple[Contract, ...]  #: those that could be read
    faults: tuple[Fault, ...]


def lint_workspace(root: Path) -> Linted:
    """Lint the workspace in *root*: each contract, and how they fit together."""
    try:
        workspace = read_workspace(root)
    except ContractError as error:
        return Linted(contracts=(), faults=error.faults)
    if not workspace.contracts:
        return Linted(contracts=(), faults=(_nothing(root / "pipelines"),))
    return Linted(contracts=workspace.contracts, faults=())


def lint_files(paths: Iterable[Path], *, governed: bool) -> Linted:
    """
    Lint the contracts at *paths*; for a folder, all in it and below.

    A contract of any origin passes when ODCS allows it; *governed* also checks that it can be enforced.
    """
    contracts: list[Contract] = []
    faults: list[Fault] = []
    for path, missing in _files(paths):
        if missing:
            faults.append(missing)
            continue
        try:
            contract = read_contract_file(path)
        except ContractError as error:
            faults += error.faults
            continue
        contracts.append(contract)
        faults += enforcement_faults(contract) if governed else ()
    return Linted(contracts=tuple(contracts), faults=tuple(faults))


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, Fault | None]]:
    """Yield each file to read; a folder without contracts is a fault."""
    for path in paths:
        if not path.is_dir():
            yield path, None
            continue
        found = contract_files(path)
        yield from ((file, None) for file in found)
        if not found:
            yield path, _nothing(path)


def _nothing(folder: Path) -> Fault:
    return Fault(
        source=str(folder), line=0, place="", found="no contract", expected="files named *.odcs.yaml"
    )
