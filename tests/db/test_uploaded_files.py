"""A file that a caller uploads: its preview and its load disclose the same reasons, and no more."""

import pytest
from tests.clinic import HEADER, NOW
from tests.served_clinic import NAMES, opened

from daftari.operations.load.upload_file import Upload, begin_upload, load_upload, look_at_upload
from daftari.rows.rules.rejection import NAMES_NOTHING, NOT_TAKEN

ROWS = ("V1,2026-03-01,X,,1,", "V2,2026-03-01,Y,,1,", "V3,1999-12-31,A,,1,")
TOO_EARLY = ("seen_on.minimum", "seen_on", "is before 2020-01-01", 1)


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path) as house:
        yield house


@pytest.mark.parametrize(
    ("role", "of_the_wards"),
    [
        ("matron", ("ward.reference", "ward", NAMES_NOTHING, 2)),
        ("clerk", (NOT_TAKEN.rule, "visit_id", NOT_TAKEN.reason, 2)),  # sees no wards
    ],
)
def test_a_preview_and_the_load_give_the_same_reasons(house, tmp_path, role, of_the_wards):
    context, dataset = house.write_context(role).context, house.contract.dataset
    path = begin_upload(tmp_path, dataset, context.caller, "visits.csv", now=NOW)
    path.write_text("\n".join([HEADER, *ROWS]) + "\n", "utf-8")
    upload = Upload(dataset=dataset, path=path, sender=(context, NAMES))

    looked = look_at_upload(house.conn, house.clinic.workspace, upload, now=NOW)
    loaded = load_upload(house.conn, house.clinic.workspace, upload, now=NOW)

    assert HEADER.startswith("visit_id"), "the key is named instead of the field"
    for reasons in (looked.look.reasons, loaded.reasons):
        assert [(it.rule, it.field, it.reason, it.rows) for it in reasons] == [of_the_wards, TOO_EARLY]
