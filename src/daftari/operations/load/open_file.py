"""Open a file that is to be loaded: find its mapping, and which column becomes which field."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from daftari.contract.model import Contract, Dataset
from daftari.errors import MappingError, SourceError
from daftari.io.files import STDIN, Source, open_source
from daftari.io.workspace.files import Pipeline, Workspace
from daftari.io.workspace.mappings import read_mapping_file
from daftari.rows.formats.inference import infer_styles
from daftari.rows.mapping.column_plan import ColumnPlan, resolve_columns
from daftari.rows.mapping.mapping import Mapping


@dataclass(frozen=True, kw_only=True)
class OpenedFile:
    """A file and what is known about it without reading its rows."""

    contract: Contract
    mapping: Mapping | None
    source: Source
    plan: ColumnPlan

    @property
    def settled(self) -> ColumnPlan:
        """
        Return the plan with the formats of each value, inferred from the rows.

        Raises:
            MappingError: the rows leave them ambiguous.
        """
        return infer_styles(self.plan, self.source.blocks())


@dataclass(frozen=True, kw_only=True)
class WantedFile:
    """A file, and its dataset."""

    dataset: str
    path: Path  #: `-` is standard input
    mapping: Path | Mapping | None = None  #: None: the pipeline's own mapping for the file
    sheet: str | None = None  #: of a workbook, by name or number; None: the mapping's

    @property
    def is_file(self) -> bool:
        return self.path != STDIN


def open_file(workspace: Workspace, wanted: WantedFile, *, sha256: str | None = None) -> OpenedFile:
    """
    Open the *wanted* file, whose *sha256* may be known.

    Raises:
        UnknownName: the workspace has no such dataset.
        SourceError, MappingError: it cannot be read, or its mapping is incomplete.
    """
    pipeline, contract = workspace.dataset(wanted.dataset)
    mapping = choose_mapping(pipeline, contract.dataset, wanted)
    source = open_source(wanted.path, mapping=mapping, dataset=contract.dataset, sha256=sha256)
    if wanted.sheet is not None and source.sheet is None:
        raise SourceError(
            f"{source.name}: is {source.facts['format']}, which has no sheets; no name of a sheet was expected",
            hint="Leave out the name of the sheet.",
        )
    plan = resolve_columns(mapping, source.header, contract.dataset, file=source.name)
    return OpenedFile(contract=contract, mapping=mapping, source=source, plan=plan)


def choose_mapping(pipeline: Pipeline, dataset: Dataset, wanted: WantedFile) -> Mapping | None:
    """
    Return the mapping of *pipeline* for the file: by its name first, else the only one for the dataset.

    It names the sheet that is wanted, if one is.

    Raises:
        MappingError: several match.
    """
    chosen = _usual_mapping(pipeline, dataset, wanted)
    if wanted.sheet is None:
        return chosen
    return (chosen or Mapping(dataset=dataset.name)).model_copy(update={"sheet": wanted.sheet})


def _usual_mapping(pipeline: Pipeline, dataset: Dataset, wanted: WantedFile) -> Mapping | None:
    if isinstance(wanted.mapping, Mapping):
        return wanted.mapping
    if wanted.mapping is not None:
        return read_mapping_file(wanted.mapping)
    candidates = [m for m in map(read_mapping_file, pipeline.mappings) if m.dataset == dataset.name]
    name = wanted.path.name
    named = [m for m in candidates if any(fnmatch(name.lower(), glob.lower()) for glob in m.match)]
    chosen = named or [m for m in candidates if not m.match]
    if len(chosen) > 1:
        raise MappingError(
            f"{name}: {len(chosen)} mappings of {pipeline.name} match it: "
            + ", ".join(m.name for m in chosen),
            hint="Name one with --mapping, or narrow `match` in one of them.",
        )
    return chosen[0] if chosen else None
