"""Files that we write into a workspace, beside those that people write."""

import pytest

from daftari.compile.marts.dbt_files import GeneratedFile
from daftari.errors import ContractError
from daftari.io.workspace.generated_files import write_generated

OURS = GeneratedFile(name="stg_visits.sql", text="-- Generated from a contract.\nselect 1\n")


def test_a_file_that_has_its_text_is_not_touched(tmp_path):
    assert write_generated(tmp_path, [OURS]) == (tmp_path / OURS.name,)
    before = (tmp_path / OURS.name).stat().st_mtime_ns

    assert write_generated(tmp_path, [OURS]) == ()
    assert (tmp_path / OURS.name).stat().st_mtime_ns == before


def test_what_no_contract_asks_for_any_more_is_removed_when_we_wrote_it(tmp_path):
    write_generated(tmp_path, [OURS])
    (tmp_path / "by_hand.sql").write_text("select 2\n")

    assert write_generated(tmp_path, []) == (tmp_path / OURS.name,)
    assert [path.name for path in tmp_path.iterdir()] == ["by_hand.sql"]


def test_a_file_by_hand_is_never_overwritten(tmp_path):
    (tmp_path / OURS.name).write_text("select 2\n")

    with pytest.raises(ContractError, match=r"stg_visits\.sql: written by hand"):
        write_generated(tmp_path, [OURS])
    assert (tmp_path / OURS.name).read_text() == "select 2\n"
