"""Lint contracts; report every fault of each, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from daftari.contract.governable.contract_warnings import contract_warnings
from daftari.contract.model import Contract
from daftari.errors import ContractError, Fault
from daftari.io.workspace.files import (
    contract_files,
    enforcement_faults,
    files_passed_over,
    read_contract_file,
    read_overseers,
    read_workspace,
)


@dataclass(frozen=True, kw_only=True)
class Linted:
    contracts: tuple[Contract, ...]  #: those that could be read
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()  #: allowed, but probably not meant
    passed_over: tuple[
        Path, ...
    ] = ()  #: files that may be contracts and were not read, because of their names


def lint_workspace(root: Path) -> Linted:
    """Lint the workspace in *root*: each contract, and how they fit together."""
    try:
        workspace = read_workspace(root)
    except ContractError as error:
        return Linted(contracts=(), faults=error.faults)
    passed_over = files_passed_over(root / "pipelines")
    if not workspace.contracts:
        return Linted(contracts=(), faults=(_nothing(root / "pipelines"),), passed_over=passed_over)
    return Linted(
        contracts=workspace.contracts,
        faults=(),
        warnings=contract_warnings(workspace.contracts, roles=workspace.overseers),
        passed_over=passed_over,
    )


def lint_files(paths: Iterable[Path], *, governed: bool, root: Path | None = None) -> Linted:
    """
    Lint the contracts at *paths*; for a folder, all in it and below.

    A contract of any origin passes when ODCS allows it; *governed* also checks that it can be enforced. The contracts
    of the workspace in *root* tell which roles are declared.
    """
    paths = tuple(paths)
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
    others = _others(root, contracts) if root else ()
    return Linted(
        contracts=tuple(contracts),
        faults=tuple(faults),
        warnings=contract_warnings(contracts, others=others, roles=read_overseers(root) if root else ()),
        passed_over=tuple(file for path in paths if path.is_dir() for file in files_passed_over(path)),
    )


def _others(root: Path, read: Iterable[Contract]) -> tuple[Contract, ...]:
    """Return the workspace's contracts that are not among those *read*; one with faults is left out."""
    known = {Path(contract.source).resolve() for contract in read}
    found = []
    for path in contract_files(root / "pipelines"):
        if path.resolve() not in known:
            try:
                found.append(read_contract_file(path))
            except ContractError:
                continue
    return tuple(found)


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
