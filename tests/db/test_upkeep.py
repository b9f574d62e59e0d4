"""Partitions ahead and checkpoints are made by what runs anyway, as time goes by."""

from datetime import timedelta

import pytest
from tests.clinic import NOW, Clinic, open_clinic

from daftari.io.database.turns import take_turn
from daftari.io.workspace.files import read_workspace
from daftari.operations.audit.signing_keys import make_signing_key
from daftari.operations.schema.upkeep import keep_up
from daftari.settings import read_settings

MONTHS_LATER = NOW + timedelta(days=150)


def fill(conn, root):
    open_clinic(conn, root, partition={"field": "seen_on", "every": "month", "start": "2026-02", "ahead": 2})


@pytest.fixture
def clinic(filled, tmp_path):
    with filled(fill, tmp_path) as (conn, url):
        make_signing_key(read_settings(tmp_path))
        yield Clinic(workspace=read_workspace(tmp_path), conn=conn, url=url)


def kept_up(clinic, now):
    keep_up(clinic.conn, read_settings(clinic.folder), clinic.workspace.contracts, now=now)


def parts(clinic, name):
    found = "select relname from pg_class where relispartition and relkind = 'r' and relname like %s"
    return {it.removeprefix(name) for (it,) in clinic.conn.execute(found, [f"{name}2%"])}


def anchors(clinic):
    return sorted((clinic.folder / ".daftari/audit/anchors").rglob("*.json"))


def test_partitions_that_became_due_are_made_of_datasets_and_of_the_audit(clinic):
    before = parts(clinic, "visits_"), parts(clinic, "audit_entry_")
    kept_up(clinic, NOW)
    assert (parts(clinic, "visits_"), parts(clinic, "audit_entry_")) == before
    kept_up(clinic, MONTHS_LATER)
    assert {"2026_08", "2026_09"} <= parts(clinic, "visits_") - before[0]
    assert {"2026_08", "2026_09"} <= parts(clinic, "audit_entry_") - before[1]


def test_a_checkpoint_is_signed_when_the_last_one_is_five_minutes_old(clinic):
    for minutes, expected in ((0, 1), (4, 1), (5, 2), (6, 2), (11, 3)):
        clinic.load(f"V{minutes},2026-03-01,A,P1,12.5,")
        kept_up(clinic, NOW + timedelta(minutes=minutes))
        assert len(anchors(clinic)) == expected, minutes


def test_without_a_signing_key_partitions_are_made_all_the_same(clinic):
    read_settings(clinic.folder).signing_key.unlink()
    kept_up(clinic, MONTHS_LATER)
    assert anchors(clinic) == []
    assert "2026_09" in parts(clinic, "audit_entry_")


def test_what_cannot_be_done_is_logged_and_fails_nothing(clinic, capsys):
    clinic.conn.execute("set lock_timeout = '50ms'")
    with clinic.session() as other, other.transaction():
        take_turn(other, "apply")
        kept_up(clinic, MONTHS_LATER)
    said = capsys.readouterr().err
    assert "upkeep_failed" in said and "LockNotAvailable" in said and "partitions" in said
    assert len(anchors(clinic)) == 1
