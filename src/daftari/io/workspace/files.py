"""The workspace's folder: its pipelines, with their contracts and mappings, read from disk."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from daftari.compile.access.access_policies import Rights
from daftari.compile.access.roles import Roles
from daftari.contract.access.mart_readers import Readers
from daftari.contract.access.role_permissions import permissions_of
from daftari.contract.governable.governable import governable
from daftari.contract.model import DEFAULT_TIME_ZONE, Contract
from daftari.contract.ordering import in_order
from daftari.contract.reader.read import read_contract
from daftari.contract.reader.references import with_targets
from daftari.errors import ContractError, Fault, SettingError, UnknownName
from daftari.io.marts.mart_readers import read_readers
from daftari.rows.rules.rule_faults import looks_at_references, rule_faults
from daftari.settings import CONFIG_FILE, Settings

if TYPE_CHECKING:
    from daftari.io.keys import KeyStore

CONTRACT_SUFFIX = ".odcs.yaml"


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """One folder of `pipelines/`, with everything about it."""

    name: str
    path: Path
    contracts: tuple[Contract, ...]  #: a referenced dataset before those that refer to it
    mappings: tuple[Path, ...]  #: the files of ingest/, in the order of their names

    def examples(self, dataset: str) -> Path:
        """Return the path of the example rows of *dataset*, if there are any."""
        return self.path / "tests" / f"{dataset}.examples.yaml"


@dataclass(frozen=True, kw_only=True)
class Workspace:
    root: Path
    name: str
    pipelines: tuple[Pipeline, ...]
    contracts: tuple[Contract, ...]  #: of all pipelines, a referenced dataset first
    readers: Readers = Readers()
    time_zone: str = DEFAULT_TIME_ZONE

    def rights(self, role_prefix: str | None = None) -> Rights:
        """Return who may access the workspace's database, where roles start with *role_prefix*."""
        return Rights(roles=Roles(prefix=role_prefix or ""), readers=self.readers)

    #: roles that see the audit trail and access reviews in the control room
    overseers: tuple[str, ...] = ()

    #: opens the keys of sealed fields; None: only the workspace's files are read
    open_keys: Callable[[], KeyStore] | None = None

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def pipeline(self, name: str) -> Pipeline:
        """
        Return the pipeline called *name*.

        Raises:
            UnknownName: there is none.
        """
        for pipeline in self.pipelines:
            if pipeline.name == name:
                return pipeline
        raise UnknownName("workspace", "pipeline", name, known=[p.name for p in self.pipelines])

    def dataset(self, name: str) -> tuple[Pipeline, Contract]:
        """
        Return the contract of the dataset called *name*, and the pipeline that holds it.

        Raises:
            UnknownName: no contract describes it.
        """
        for pipeline in self.pipelines:
            for contract in pipeline.contracts:
                if contract.dataset.name == name:
                    return pipeline, contract
        raise UnknownName("workspace", "dataset", name, known=[c.dataset.name for c in self.contracts])


def read_workspace(root: Path, *, only: str | None = None, time_zone: str = DEFAULT_TIME_ZONE) -> Workspace:
    """
    Read the workspace in the folder *root*. Every contract in it can be enforced.

    *only* reads the contract of the dataset of that name and its pipeline, where a file has that name: reading a
    contract takes 30 ms. The caller compares its hash with the database's; all contracts were applied together.

    Its keys are not opened: `open_workspace` names them, and the workspace's *time_zone*.

    Raises:
        ContractError: with every fault of every contract, and of how they fit together.
    """
    folders = sorted(path for path in (root / "pipelines").glob("*") if path.is_dir())
    if only is not None and (part := _part(root, folders, only, time_zone)):
        return part
    read = _with_targets({folder: _read_folder(folder, root, time_zone) for folder in folders})
    readers = {folder: read_readers(folder, root) for folder in folders}
    faults = [fault for _, found in (*read.values(), *readers.values()) for fault in found]
    contracts = [contract for found, _ in read.values() for contract in found]
    # A contract with faults may refer to unread ones: first report the faults of each contract.
    ordered, misfits = ((), ()) if faults else in_order(contracts)
    if faults or misfits:
        raise ContractError.from_faults([*faults, *misfits])
    pipelines = tuple(
        Pipeline(
            name=folder.name,
            path=folder,
            contracts=tuple(contract for contract in ordered if contract in found),
            mappings=_mappings(folder),
        )
        for folder, (found, _) in read.items()
    )
    of_marts = {mart: named for found, _ in readers.values() for mart, named in found.of.items()}
    return Workspace(
        root=root,
        name=_name(root),
        pipelines=pipelines,
        contracts=ordered,
        readers=Readers(of=of_marts),
        overseers=read_overseers(root),
        time_zone=time_zone,
    )


def _part(root: Path, folders: Sequence[Path], dataset: str, time_zone: str) -> Workspace | None:
    found = [
        (folder, path)
        for folder in folders
        for path in contract_files(folder)
        if path.name == f"{dataset}{CONTRACT_SUFFIX}"
    ]
    if len(found) != 1:
        return None
    [(folder, path)] = found
    contract, faults = _read(path, root, time_zone)
    if contract is None or faults:
        raise ContractError.from_faults(faults)
    if looks_at_references(contract.dataset):
        targets = {it.target for it in contract.dataset.relationships}
        others = [it for folder in folders for it in contract_files(folder)]
        paths = [it for it in others if it.name.removesuffix(CONTRACT_SUFFIX) in targets]
        known = [read_contract_file(it, source=it.relative_to(root).as_posix()).dataset for it in paths]
        contract = with_targets(contract, {it.name: it for it in known})
    if misfits := enforcement_faults(contract):
        raise ContractError.from_faults(misfits)
    pipeline = Pipeline(name=folder.name, path=folder, contracts=(contract,), mappings=_mappings(folder))
    return Workspace(
        root=root, name=_name(root), pipelines=(pipeline,), contracts=(contract,), time_zone=time_zone
    )


def _mappings(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted((folder / "ingest").glob("*.yaml")))


def read_open_workspace(settings: Settings, *, only: str | None = None) -> Workspace:
    """
    Read the workspace of *settings*, with the key store of its environment.

    Raises:
        ContractError: as `read_workspace`.
    """
    workspace = read_workspace(settings.root, only=only, time_zone=settings.time_zone)
    return replace(workspace, open_keys=partial(_key_store, settings))


def _key_store(settings: Settings) -> KeyStore:
    # This takes half a second to import, and most loads need none of it.
    from daftari.io.keys import key_store_of

    return key_store_of(settings)


def contract_files(folder: Path) -> tuple[Path, ...]:
    """The contracts in *folder* and below, in order of their paths."""
    return tuple(sorted(folder.rglob(f"*{CONTRACT_SUFFIX}")))


#: Folders of a pipeline whose files are not contracts.
_NOT_CONTRACTS = {"ingest", "tests", "transform"}
_CONTRACT_MARK = re.compile(
    rb"^[ {\"]*(kind[\"]?: *[\"']?DataContract|dataContractSpecification)\b", re.MULTILINE
)


def files_passed_over(folder: Path) -> tuple[Path, ...]:
    """Return the files in *folder* and below that may be contracts and are not read as such, because of their names."""
    found = (path for end in ("yaml", "yml", "json") for path in folder.rglob(f"*.{end}") if path.is_file())
    return tuple(
        sorted(
            path
            for path in found
            if not path.name.endswith(CONTRACT_SUFFIX)
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and (path.parent.name not in _NOT_CONTRACTS or _is_marked(path))
        )
    )


def _is_marked(path: Path) -> bool:
    """Whether the start of the file says that it is a contract."""
    with path.open("rb") as file:
        return _CONTRACT_MARK.search(file.read(2**16)) is not None


def read_contract_file(path: Path, *, source: str | None = None) -> Contract:
    """
    Read one contract, of any origin. *source* names it in messages; by default, its path does.

    Raises:
        ContractError: it cannot be read, is not UTF-8, or is not a valid contract.
    """
    source = source or str(path)
    try:
        return read_contract(path.read_text("utf-8"), source=source)
    except UnicodeDecodeError as error:
        found, expected = f"byte {error.start} that is not UTF-8", "text in UTF-8"
    except OSError as error:
        found, expected = (error.strerror or str(error)).lower(), "a file that can be read"
    raise ContractError.from_faults([Fault(source=source, line=0, place="", found=found, expected=expected)])


def enforcement_faults(contract: Contract) -> tuple[Fault, ...]:
    """Return why *contract* alone cannot be enforced. Empty: it can."""
    return governable(contract) or rule_faults(contract) or tuple(_access_faults(contract))


def _access_faults(contract: Contract) -> Iterator[Fault]:
    for dataset in contract.datasets:
        try:
            permissions_of(dataset)
        except ContractError as error:
            where, _, what = str(error).partition(": ")
            found, _, expected = what.partition("; expected ")
            place = f"{where}.access"
            yield Fault(
                source=contract.source, line=dataset.line, place=place, found=found, expected=expected
            )


def _read_folder(folder: Path, root: Path, time_zone: str) -> tuple[list[Contract], list[Fault]]:
    contracts: list[Contract] = []
    faults: list[Fault] = []
    for path in contract_files(folder):
        contract, found = _read(path, root, time_zone)
        faults += found
        if contract is not None:
            contracts.append(contract)
    return contracts, faults


def _read(path: Path, root: Path, time_zone: str) -> tuple[Contract | None, list[Fault]]:
    """Return the contract of a file, None where it cannot be read, and its own faults."""
    try:
        contract = read_contract_file(path, source=path.relative_to(root).as_posix())
    except ContractError as error:
        return None, list(error.faults)
    placed = tuple(replace(it, time_zone=time_zone) for it in contract.datasets)
    contract = replace(contract, datasets=placed)
    return contract, list(_file_name_faults(contract, path))


def _with_targets(
    read: dict[Path, tuple[list[Contract], list[Fault]]],
) -> dict[Path, tuple[list[Contract], list[Fault]]]:
    """Return the contracts with the fields of the datasets that they refer to, and the faults that show only then."""
    known = {it.name: it for found, _ in read.values() for contract in found for it in contract.datasets}
    linked = {}
    for folder, (found, faults) in read.items():
        contracts = [with_targets(contract, known) for contract in found]
        more = [fault for contract in contracts for fault in enforcement_faults(contract)]
        linked[folder] = (contracts, [*faults, *more])
    return linked


def _file_name_faults(contract: Contract, path: Path) -> Iterator[Fault]:
    names = [dataset.name for dataset in contract.datasets]
    stem = path.name.removesuffix(CONTRACT_SUFFIX)
    if len(names) == 1 and names != [stem]:
        expected = f"{stem!r}, the file's name"
        line = contract.dataset.line
        yield Fault(
            source=contract.source, line=line, place="schema.name", found=repr(names[0]), expected=expected
        )


def _name(root: Path) -> str:
    return str(_table(root, "workspace").get("name", root.name))


def read_overseers(root: Path) -> tuple[str, ...]:
    """Return the roles of the workspace in *root* that see the audit trail and access reviews."""
    said = _table(root, "control_room").get("overseers", [])
    if not isinstance(said, list) or not all(isinstance(it, str) for it in said):
        raise SettingError(
            f"{CONFIG_FILE}: control_room.overseers: expected a list of roles that contracts name"
        )
    return tuple(said)


def _table(root: Path, name: str) -> dict[str, Any]:
    config = root / CONFIG_FILE
    said = tomllib.loads(config.read_text("utf-8")).get(name, {}) if config.is_file() else {}
    return said if isinstance(said, dict) else {}
