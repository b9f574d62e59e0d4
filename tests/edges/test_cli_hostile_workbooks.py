"""A workbook made to cost much ends a command with one line and a hint, or is loaded like any other."""

import pytest
from tests.hostile_workbooks import CORPUS, MAPPING

#: It is loaded; it cannot be read; its columns do not fit; most of its rows are in quarantine.
ENDS = {0, 20, 21, 40}


@pytest.mark.parametrize("words", [("load", "visits"), ("contract", "import")], ids=" ".join)
def test_no_workbook_ends_a_command_without_words(clinic, daftari, words):
    (clinic.folder / "pipelines/clinic/ingest/visits.yaml").write_text(MAPPING, "utf-8")
    for hostile in CORPUS:
        said = daftari(*words, str(hostile.write(clinic.folder)))
        assert said.exit_code in ENDS, (hostile.name, said)
        assert "Traceback" not in said.err and "fault" not in said.err, (hostile.name, said.err)
        if hostile.said is not None:
            assert said.exit_code == 20, (hostile.name, said)
            assert hostile.said in " ".join(said.err.split()), (hostile.name, said.err)
