"""Loads into a dataset with sealed fields: judged in the clear, kept as bytes, counted as any other."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from tests.clinic import NOW, apply_workspace, counted, write_workspace
from tests.sealed_clinic import (
    FIELDS,
    HEADER,
    SEALED,
    clinic_in,
    fill,
    open_sealed_clinic,
    opened,
    store_of,
)

from daftari.errors import BreakingChange, KeyDestroyed, KeysUnavailable
from daftari.io.workspace.files import read_workspace
from daftari.operations.load.load_file import load_file
from daftari.operations.load.load_path import LoadRequest, load_path, prepare_load
from daftari.operations.schema.verify_database import verify_database
from daftari.protect.keys import KeyOwner, person_scope

ROWS = [
    "V1,2026-03-01,A,P1,+254712345678,12.5,asthma",
    "V2,2026-03-02,A,P2,+254722345678,,",
    "V3,2026-03-03,B,P1,+254732345678,900,malaria",
    "V4,2026-03-04,B,,+254742345678,0,asthma",
]
OPENED = [
    ("V1", "P1", "+254712345678", "12.50", "asthma"),
    ("V2", "P2", "+254722345678", None, None),
    ("V3", "P1", "+254732345678", "900.00", "malaria"),
    ("V4", None, "+254742345678", "0.00", "asthma"),
]


@pytest.fixture
def clinic(filled, tmp_path, monkeypatch):
    with filled(fill, tmp_path) as (conn, url):
        monkeypatch.setenv("DAFTARI_DATABASE_URL", url)
        yield clinic_in(conn, url, tmp_path)


def load(clinic, *rows, name="visits.csv", **said):
    path = clinic.file(*rows, name=name, header=HEADER)
    return load_path(clinic.conn, clinic.workspace, LoadRequest(dataset="visits", path=path, **said), now=NOW)


def reasons(clinic):
    found = clinic.conn.execute("select reasons, preview from daftari.quarantine order by line").fetchall()
    return [([one["rule"] for one in reasons], preview) for reasons, preview in found]


def test_what_was_loaded_is_bytes_in_the_table_and_opens_as_the_file_had_it(clinic):
    assert counted(load(clinic, *ROWS)) == {"received": 4, "inserted": 4}
    assert opened(clinic) == OPENED
    kept = clinic.rows(*SEALED)
    assert {type(value) for row in kept for value in row} == {bytes, type(None)}
    assert not any(b"asthma" in (row[2] or b"") for row in kept)


def test_the_same_rows_again_are_unchanged_and_others_are_updated(clinic):
    load(clinic, *ROWS)
    before = clinic.rows("visit_id", *SEALED, "_run_id")
    assert counted(load(clinic, *ROWS, again=True)) == {"received": 4, "unchanged": 4}
    assert clinic.rows("visit_id", *SEALED, "_run_id") == before
    changed = [ROWS[0].replace("asthma", "cough"), ROWS[1], ROWS[2].replace("P1", "P2"), ROWS[3]]
    assert counted(load(clinic, *changed)) == {"received": 4, "updated": 2, "unchanged": 2}
    expected = [list(row) for row in OPENED]
    expected[0][4], expected[2][1] = "cough", "P2"
    assert opened(clinic) == [tuple(row) for row in expected]


def test_the_first_content_stays_where_the_contract_keeps_it(db, database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    clinic = open_sealed_clinic(db, database_url, tmp_path, conflict="keep")
    load(clinic, *ROWS)
    changed = [ROWS[0].replace("asthma", "cough"), ROWS[1]]
    assert counted(load(clinic, *changed)) == {"received": 2, "superseded": 1, "unchanged": 1}
    assert opened(clinic) == OPENED


def test_a_row_that_contradicts_a_sealed_value_is_refused_where_the_contract_says_so(
    db, database_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    clinic = open_sealed_clinic(db, database_url, tmp_path, conflict="reject")
    load(clinic, *ROWS)
    changed = [ROWS[0].replace("asthma", "cough"), ROWS[1]]
    assert counted(load(clinic, *changed)) == {"received": 2, "quarantined": 1, "unchanged": 1}
    ((rules, preview),) = reasons(clinic)
    assert rules == ["conflict"] and preview["notes"] == preview["phone"] == preview["fee"] == "***"


def test_rules_are_judged_before_sealing_and_refused_values_show_nowhere(clinic):
    bad = [
        "V5,2026-03-01,A,P1,0712345678,12.5,",
        "V6,2026-03-01,A,P1,+254713345678,1000.01,x",
        "V7,2026-03-01,A,P1,+254714345678,600,",
        "V8,2026-03-01,A,P1,,1,a note that is much too long",
        "V9,2031-03-01,A,P1,+254715345678,much,",
    ]
    load(clinic, *bad)
    found = reasons(clinic)
    assert [rules for rules, _ in found] == [
        ["phone.pattern"],
        ["fee.maximum"],
        ["dear"],
        ["phone.required", "notes.length"],
        ["fee.type", "late"],
    ]
    assert {preview[name] for _, preview in found for name in SEALED} == {"***", None}
    everything = clinic.everything() + json.dumps(found)
    for secret in ("12.5", "1000.01", "0712345678", "713345678", "much"):
        assert secret not in everything


def test_a_sealed_field_is_kept_unique_by_its_blind_index(clinic):
    load(clinic, *ROWS)
    again = ["V5,2026-03-05,A,P9,+254 712 345 678,1,", "V6,2026-03-05,A,P9,+254752345678,1,"]
    assert counted(load(clinic, *again, name="more.csv")) == {"received": 2, "inserted": 1, "quarantined": 1}
    ((rules, preview),) = reasons(clinic)
    assert rules == ["phone.unique"] and preview["phone"] == "***"
    twice = ["V7,2026-03-05,A,P8,+254762345678,1,", "V8,2026-03-05,A,P8,+254 762345678,1,"]
    assert counted(load(clinic, *twice, name="twice.csv")) == {"received": 2, "inserted": 1, "quarantined": 1}


def test_equal_values_have_equal_indexes_in_a_field_and_in_no_other(clinic):
    load(clinic, *ROWS, "V5,2026-03-05,A,P9,+254772345678,1,+254712345678")
    found = {row[0]: row[1:] for row in clinic.rows("visit_id", "phone_index", "notes_index", "notes")}
    assert found["V1"][1] == found["V4"][1] is not None
    assert found["V1"][2] != found["V4"][2]
    assert found["V2"][1] is None
    assert found["V5"][1] != found["V1"][0]  # the same text, as a note and as a number


def test_a_person_has_one_key_and_rows_without_a_person_have_the_datasets(clinic):
    load(clinic, *ROWS)
    ids = {
        row[0]: {bytes(value)[2:10] for value in row[1:] if value} for row in clinic.rows("visit_id", *SEALED)
    }
    assert [len(one) for one in ids.values()] == [1, 1, 1, 1]
    assert ids["V1"] == ids["V3"] and len(ids["V1"] | ids["V2"] | ids["V4"]) == 3


def test_destroying_a_persons_key_takes_that_persons_values_and_no_others(clinic):
    load(clinic, *ROWS)
    scope = person_scope(clinic.workspace.dataset("visits")[1].dataset)
    assert scope == "visits.patient/731d"
    assert store_of(clinic).destroy([KeyOwner(scope=scope, subject="P1")], now=NOW) == 1
    for visit in ("V1", "V3"):
        with pytest.raises(KeyDestroyed):
            opened(clinic, where=f"visit_id = '{visit}'")
    assert opened(clinic, where="patient is distinct from 'P1'") == [OPENED[1], OPENED[3]]


def test_a_value_that_was_moved_to_another_persons_row_does_not_open(clinic):
    load(clinic, *ROWS)
    clinic.conn.execute("""
        update ops.visits set notes = (select notes from ops.visits where visit_id = 'V1') where visit_id = 'V2'
    """)
    with pytest.raises(Exception, match=r"visits\.notes: a sealed value cannot be opened"):
        opened(clinic, where="visit_id = 'V2'")


def test_nothing_is_loaded_where_no_key_store_is_given(clinic):
    path = clinic.file(*ROWS, header=HEADER)
    with pytest.raises(KeysUnavailable):
        load_path(
            clinic.conn, read_workspace(clinic.folder), LoadRequest(dataset="visits", path=path), now=NOW
        )
    assert clinic.rows() == []


def test_keys_are_kept_before_the_rows_that_need_them(clinic):
    path = clinic.file(*ROWS, header=HEADER)
    delivery = prepare_load(clinic.workspace, LoadRequest(dataset="visits", path=path))

    def stop(_rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_file(clinic.conn, delivery, now=NOW, progress=stop)
    assert clinic.rows() == []
    assert store_of(clinic).state().keys == 5  # two persons, the dataset, two indexes


def test_a_store_that_goes_away_stops_the_load_and_leaves_nothing_half_done(clinic):
    (clinic.folder / ".daftari/keys").mkdir(parents=True, mode=0o755)
    with pytest.raises(KeysUnavailable):
        load(clinic, *ROWS)
    assert clinic.rows() == []
    assert clinic.runs("status", "error_code") == [("refused", "keys_unavailable")]


def test_the_database_is_what_the_contract_says(clinic):
    load(clinic, *ROWS)
    verified = verify_database(
        clinic.conn,
        clinic.workspace.contracts,
        migrations_dir=clinic.folder / "migrations",
        now=datetime(2026, 3, 14, tzinfo=UTC),
    )
    assert verified.drifts == ()
    checks = clinic.conn.execute("""
        select conname from pg_constraint where conrelid = 'ops.visits'::regclass and contype in ('c', 'u')
        order by conname
    """).fetchall()
    assert [name for (name,) in checks] == [
        "visits_late",
        "visits_phone_key",
        "visits_seen_on_minimum",
        "visits_visit_id_length",
    ]
    assert clinic.conn.execute(
        "select indexdef from pg_indexes where indexname = 'visits_notes_index_idx'"
    ).fetchall()


@pytest.mark.parametrize("there", ["sealed", "clear"])
def test_sealing_neither_begins_nor_ends_in_place(db, database_url, tmp_path, monkeypatch, there):
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    clear = [{k: v for k, v in it.items() if k != "customProperties"} for it in FIELDS]
    fields = {"sealed": FIELDS, "clear": clear}
    apply_workspace(db, write_workspace(tmp_path, visits=fields.pop(there), subject="patient"))
    with pytest.raises(BreakingChange, match="a column cannot be sealed or unsealed in place"):
        apply_workspace(db, write_workspace(tmp_path, visits=fields.popitem()[1], subject="patient"))


def test_a_value_that_is_not_sealed_is_refused_by_the_server_as_well(clinic):
    with pytest.raises(psycopg.errors.DatatypeMismatch):
        clinic.conn.execute("update ops.visits set notes = 'asthma'::text")
