"""First contracts of real files: each can be governed, holds no value of a person, and reads its own file."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from tests.real_files import real_files

from daftari.contract.draft_contract import contract_text
from daftari.contract.governable.governable import governable
from daftari.contract.reader.read import read_contract
from daftari.errors import SourceError
from daftari.io.files import open_source
from daftari.operations.contracts.import_contract import FileOptions, profile_file
from daftari.operations.workspace.pipeline_from_file import draft_pipeline
from daftari.rows.mapping.mapping import Mapping

FOLDERS = (
    "adventureworks_hr_purchasing/*.csv",
    "dirty_clean_pairs/*/*.csv",
    "expense_claims_tue_bpi2020/*.csv.gz",
    "expenses_uk_leeds_raw/20*.csv",
    "expenses_uk_other/*/*.csv",
    "incidents/*.csv",
    "leave/*.csv",
    "organisation_uk_organograms/*-*.csv",
    "payroll/*.csv",
)
DATA = real_files(in_module=True)
FILES = [path for folder in FOLDERS for path in sorted(DATA.glob(folder))]
WITHOUT_HEADER = [path for path in FILES if path.parent.name == "adventureworks_hr_purchasing"]


def name_of(path: Path) -> str:
    return str(path.relative_to(DATA))


def options_of(path: Path) -> FileOptions:
    return FileOptions(name="new", header_row=0 if path in WITHOUT_HEADER else None)


@pytest.mark.parametrize("path", WITHOUT_HEADER, ids=name_of)
def test_a_file_without_a_header_is_asked_about(path):
    with pytest.raises(SourceError, match="looks like a row, not a header"):
        profile_file(path)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_first_contract_can_be_governed_and_holds_no_value_of_a_person(path):
    profile = profile_file(path, options_of(path))
    text = contract_text(profile)
    assert governable(read_contract(text, source="new")) == ()
    personal = [column.name for column in profile.columns if column.personal]
    comments = "\n".join(re.findall(r"# .*|validValues: .*|examples: .*", text))
    mapping = Mapping(dataset="new", header_row=options_of(path).header_row)
    source = open_source(path, mapping=mapping)
    for block in source.blocks():
        values = (
            pl.concat([block.cells[name] for name in personal])
            if personal
            else pl.Series([], dtype=pl.String)
        )
        found = values.drop_nulls().unique()
        assert [value for value in found if len(value) > 5 and value in comments] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_loads_by_the_pipeline_that_is_made_from_it(path):
    draft = draft_pipeline(path, "new", options_of(path), today=date(2026, 11, 28))
    assert draft.tried.received > 0
    assert draft.tried.rejected <= 0.25 * draft.tried.received
