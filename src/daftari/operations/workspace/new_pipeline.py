"""Add a pipeline to a workspace: a contract, a mapping, a mart and tests that work at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from daftari.errors import SettingError
from daftari.io.workspace.files import Workspace
from daftari.io.workspace.scaffold import pipeline_files, write_files
from daftari.operations.contracts.import_contract import FileOptions
from daftari.operations.workspace.pipeline_from_file import TriedFile, draft_pipeline

_PIPELINE_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
#: PostgreSQL cuts names at 63 bytes; ours get up to 20 more, as in `<dataset>_quantity_minimum`.
_DATASET_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, kw_only=True)
class NewPipeline:
    name: str
    dataset: str
    folder: Path
    files: tuple[Path, ...]
    source: Path | None = None  #: the file that it was made from
    tried: TriedFile | None = None  #: what a load of that file would do

    @property
    def sample(self) -> Path:
        """A file of three records, to try a load."""
        return self.folder / "tests" / f"{self.dataset}.sample.csv"


@dataclass(frozen=True, kw_only=True)
class PipelineSource:
    """The file that a pipeline is made from."""

    path: Path
    options: FileOptions
    today: date  #: for rules about the present day


def new_pipeline(
    workspace: Workspace,
    name: str,
    *,
    dataset: str | None = None,
    source: PipelineSource | None = None,
    dry_run: bool = False,
) -> NewPipeline:
    """
    Create the folder of a pipeline called *name*; *dataset* has the same name by default.

    Its files are made from the *source*, or are an example without one.

    Raises:
        SettingError: a name is not valid, or is taken.
        SourceError, MappingError: the source cannot be read as rows, or its header looks like a row.
    """
    dataset = dataset or name.replace("-", "_")
    folder = workspace.root / "pipelines" / name
    _require_usable(workspace, name, dataset, folder)
    made = NewPipeline(name=name, dataset=dataset, folder=folder, files=())
    if source is None:
        files = pipeline_files(pipeline=name, dataset=dataset)
    else:
        draft = draft_pipeline(source.path, dataset, source.options, today=source.today)
        files, made = draft.files, replace(made, source=source.path, tried=draft.tried)
    if not dry_run:
        write_files(files, folder)
    return replace(made, files=tuple(folder / path for path in files))


def _require_usable(workspace: Workspace, name: str, dataset: str, folder: Path) -> None:
    if not _PIPELINE_NAME.fullmatch(name):
        raise SettingError(
            f"pipeline {name!r}: expected lowercase letters and digits, with hyphens between words",
            hint="For example: daftari new pipeline fleet-costs",
        )
    if not _DATASET_NAME.fullmatch(dataset):
        raise SettingError(
            f"dataset {dataset!r}: expected up to 40 lowercase letters, digits and underscores",
            hint="Name it with --dataset, for example --dataset trips",
        )
    if folder.exists():
        raise SettingError(f"pipeline {name!r}: {folder} exists already; expected a new name")
    for pipeline in workspace.pipelines:
        if any(contract.dataset.name == dataset for contract in pipeline.contracts):
            raise SettingError(
                f"dataset {dataset!r}: pipeline {pipeline.name} has it already; expected a new name",
                hint="Name another with --dataset.",
            )
