"""A key with a character that nobody sees is the key without it, by file and by the API alike, and that is said."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tables import dataset, field

from daftari.contract.model import Contract
from daftari.io.files import open_source
from daftari.operations.write.judge_records import JudgedRecords, judge_records, remarks_on_records
from daftari.rows.formats.inference import canonical
from daftari.rows.intake.intake import Intake, take_in
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping
from daftari.rows.rules.rules import rulebook

TABLE = dataset(field("note"), field("k", key=True), name="t")
#: Unicode's property Default_Ignorable_Code_Point, and controls.
UNSEEN = [
    *range(0x1, 0x9), *range(0xE, 0x1C), 0x7F, *range(0x80, 0x85), *range(0x86, 0xA0), 0xAD, 0x34F, 0x61C,
    0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F),
    *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0, *range(0xFFF0, 0xFFF9),
    *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), 0xE0001, 0xE0041, 0xE0100, 0xE01EF, 0xE0FFF,
]  # fmt: skip
#: Inside a key each is one space, and around it nothing.
BLANK = [0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x2800, 0x3000]


def by_file(folder, key):
    path = folder / "keys.csv"
    path.write_text(f'note,k\nx,"{key}"\n', "utf-8", newline="")
    mapping = Mapping(dataset="t", total_row="none", encoding="utf-8", separator=",", header_row=1)
    source = open_source(path, mapping=mapping, dataset=TABLE)
    plan = canonical(resolve_columns(mapping, source.header, TABLE, file=source.name))
    intake = Intake(book=rulebook(TABLE, today=date(2026, 3, 14)), plan=plan, run_id=1)
    (judged,) = take_in(source.blocks(), intake)
    return key_of(judged), {it.text for it in judged.met.remarks}


def by_api(key):
    contract = Contract(
        id="t", name="t", version="1.0.0", status="active", datasets=(TABLE,), api_version="v3.1.0", hash="0"
    )
    sent = JudgedRecords(records=[{"note": "x", "k": key}], seal=lambda rows: rows)
    judged = judge_records(contract, sent, datetime(2026, 3, 14, tzinfo=UTC), look_up=None)
    return key_of(judged), set(remarks_on_records(contract, sent, judged).get(1, ()))


def key_of(judged):
    (batch,) = judged.batches
    assert judged.rejected.is_empty()
    return batch.rows["k"].item()


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(code=st.sampled_from(UNSEEN), place=st.integers(0, 4))
def test_a_mark_that_nobody_sees_is_removed_from_a_key_and_said(tmp_path, code, place):
    key = "EA-1"[:place] + chr(code) + "EA-1"[place:]
    expected = ("EA-1", {f"k: U+{code:04X} removed"})

    assert by_api(key) == expected
    assert by_file(tmp_path, key) == expected


@pytest.mark.parametrize("code", BLANK)
def test_white_space_of_any_kind_is_one_space_in_a_key_and_none_around_it(tmp_path, code):
    for key, expected in ((f"EA{chr(code)} 1", "EA 1"), (f"{chr(code)}EA-1 {chr(code)}", "EA-1")):
        assert by_api(key)[0] == expected
        assert by_file(tmp_path, key)[0] == expected
