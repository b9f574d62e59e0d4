"""The files of a new pipeline, made from a file of rows; and what a load of that file would do with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath

from daftari.contract.draft_contract import ColumnProfile, TableProfile, Terms, contract_text
from daftari.contract.drafts.draft_examples import examples_text, sample_text
from daftari.contract.drafts.draft_mapping import ROW_KEY, FileLayout, mapping_text
from daftari.contract.drafts.draft_mart import draft_mart
from daftari.contract.model import Contract, LogicalType
from daftari.contract.reader.read import read_contract
from daftari.io.files import open_source
from daftari.operations.contracts.import_contract import FileOptions, profile_file
from daftari.rows.formats.dates import date_style
from daftari.rows.formats.inference import infer_styles
from daftari.rows.intake.intake import Intake, take_in
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping_reader import read_mapping
from daftari.rows.rules.rules import rulebook

_READERS = ("auditor", "manager")
_WRITER = "data_engineer"
_USUAL_RATIO = 0.05


@dataclass(frozen=True, kw_only=True)
class TriedFile:
    """What a load of the file would do."""

    received: int = 0
    rejected: int = 0

    @property
    def ratio(self) -> float:
        """The share of rejected rows that its contract must tolerate, in whole percent."""
        share = self.rejected / self.received if self.received else 0.0
        return max(_USUAL_RATIO, math.ceil(share * 100) / 100)


@dataclass(frozen=True, kw_only=True)
class DraftPipeline:
    files: Mapping[PurePosixPath, bytes]  #: by their paths in its folder
    tried: TriedFile


def draft_pipeline(path: Path, dataset: str, options: FileOptions, *, today: date) -> DraftPipeline:
    """
    Return the files of a pipeline for the file at *path*; its one dataset is called *dataset*.

    The contract's purpose, retention and access are examples for its owner to correct.

    Raises:
        SourceError, MappingError: the file cannot be read as rows, or its header looks like a row.
    """
    profile = _with_key(profile_file(path, replace(options, name=dataset)))
    layout = FileLayout(name=path.name, sheet=options.sheet, header_row=options.header_row)
    mapping = mapping_text(profile, dataset, layout)
    tried = _tried(path, _contract(profile, dataset, TriedFile()), mapping, today)
    contract = _contract(profile, dataset, tried)
    text = contract_text(profile, _terms(tried))
    mart = draft_mart(contract.dataset, _READERS)
    formats = {column.name: date_style(column.format).chrono for column in profile.columns if column.format}
    sample = sample_text(profile, contract.dataset, formats, header_row=options.header_row)
    files = {
        f"{dataset}.odcs.yaml": text,
        f"ingest/{dataset}.yaml": mapping,
        f"tests/{dataset}.examples.yaml": examples_text(contract.dataset),
        f"tests/{dataset}.sample.csv": sample,
        f"transform/{mart.name}.sql": mart.sql,
        "transform/schema.yml": mart.schema,
    }
    return DraftPipeline(
        files={PurePosixPath(name): content.encode() for name, content in files.items()}, tried=tried
    )


def _with_key(profile: TableProfile) -> TableProfile:
    """Return *profile* with a key: its own, or a digest of its columns."""
    if any(column.key_position for column in profile.columns):
        return profile
    key = ColumnProfile(
        name=ROW_KEY,
        logical_type=LogicalType.STRING,
        description="A digest of the row's content, because no column identifies it.",
        required=True,
        unique=True,
        key_position=1,
        personal="",
    )
    return replace(profile, columns=(key, *profile.columns))


def _terms(tried: TriedFile) -> Terms:
    return Terms(readers=_READERS, writer=_WRITER, max_rejected_ratio=f"{tried.ratio:.2f}")


def _contract(profile: TableProfile, dataset: str, tried: TriedFile) -> Contract:
    return read_contract(contract_text(profile, _terms(tried)), source=f"{dataset}.odcs.yaml")


def _tried(path: Path, contract: Contract, mapping_of: str, today: date) -> TriedFile:
    """Judge the file's rows by the drafts."""
    dataset = contract.dataset
    mapping = read_mapping(mapping_of, f"{dataset.name}.yaml")
    source = open_source(path, mapping=mapping, dataset=dataset)
    plan = infer_styles(resolve_columns(mapping, source.header, dataset, file=source.name), source.blocks())
    intake = Intake(book=rulebook(dataset, today=today), plan=plan, run_id=0, count_only=True)
    tried = TriedFile()
    for judged in take_in(source.blocks(), intake):
        tried = TriedFile(
            received=tried.received + judged.received, rejected=tried.rejected + judged.rejected.height
        )
    return tried
