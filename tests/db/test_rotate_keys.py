"""A rotation seals every value anew while others work, and may be killed at any moment."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest
from tests.clinic import NOW, counted
from tests.sealed_clinic import HEADER, SEALED, clinic_in, fill, opened, store_of

from daftari.errors import KeysUnavailable
from daftari.operations.keys import rotate_keys as rotation
from daftari.operations.keys.begin_key_epoch import begin_key_epoch
from daftari.operations.keys.key_status import SealedField, survey_keys
from daftari.operations.keys.rotate_keys import Rotated, rotate_keys
from daftari.operations.load.load_path import LoadRequest, load_path
from daftari.protect.keys import KeyOwner

SOURCES = Path(__file__).parents[2] / "src"
SEED = int(os.environ.get("DAFTARI_KILL_SEED") or random.SystemRandom().randrange(10**6))
SCOPE = "visits.patient/731d"


def lines(number):
    return [f"V{n},2026-03-01,A,P{n % 40},+2547{n:08d},{n % 400},note {n}" for n in range(number)]


@pytest.fixture
def custom(request):
    return getattr(request, "param", {})


@pytest.fixture
def clinic(filled, tmp_path, monkeypatch, custom):
    with filled(fill, tmp_path, **custom) as (conn, url):
        monkeypatch.setenv("DAFTARI_DATABASE_URL", url)
        clinic = clinic_in(conn, url, tmp_path)
        load(clinic, 200)
        yield clinic


def load(clinic, number, **said):
    path = clinic.file(*lines(number), header=HEADER)
    return load_path(clinic.conn, clinic.workspace, LoadRequest(dataset="visits", path=path, **said), now=NOW)


def versions(clinic):
    found = clinic.conn.execute(f"""
        select distinct get_byte(value, 10) * 256 + get_byte(value, 11)
        from ops.visits, lateral (values {", ".join(f"({name})" for name in SEALED)}) v (value)
        where value is not null
    """)
    return sorted(version for (version,) in found)


def rotate(clinic, **said):
    return rotate_keys(clinic.conn, store_of(clinic), clinic.workspace.contracts, **said)


def command(clinic, *words):
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    environment.pop("DAFTARI_ENV", None)
    return subprocess.Popen(
        [sys.executable, "-m", "daftari", "keys", *words, "-w", str(clinic.folder)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_every_value_is_sealed_anew_and_opens_as_before(clinic, monkeypatch):
    monkeypatch.setattr(rotation, "ROWS", 70)
    before, told = opened(clinic), []
    bytes_before = set(clinic.rows("phone"))
    assert versions(clinic) == [1]
    assert rotate(clinic, progress=told.append) == Rotated(generation=2, rows=200, erased=0)
    assert told == [70, 70, 60]
    assert versions(clinic) == [2]
    assert not bytes_before & set(clinic.rows("phone"))
    assert opened(clinic) == before


def test_the_same_file_is_unchanged_after_a_rotation(clinic):
    rotate(clinic)
    assert counted(load(clinic, 200, again=True)) == {"received": 200, "unchanged": 200}


def test_a_dry_run_tells_how_many_rows_and_changes_nothing(clinic):
    before = clinic.rows(*SEALED)
    assert rotate(clinic, dry_run=True) == Rotated(generation=2, rows=200, erased=0)
    assert clinic.rows(*SEALED) == before and store_of(clinic).state().generation == 1


def test_values_of_erased_persons_stay_as_they_are(clinic):
    store_of(clinic).destroy([KeyOwner(scope=SCOPE, subject="P7")], now=NOW)
    assert rotate(clinic) == Rotated(generation=2, rows=195, erased=1)
    assert versions(clinic) == [1, 2]
    assert len(opened(clinic, where="patient <> 'P7'")) == 195


def test_a_row_that_somebody_changes_meanwhile_keeps_the_change(clinic, monkeypatch):
    monkeypatch.setattr(rotation, "ROWS", 50)

    def interfere(_rows):
        load(clinic, 200, again=True)  # under the new version already
        clinic.conn.execute("update ops.visits set notes = null, notes_index = null where visit_id = 'V9'")

    rotate(clinic, progress=interfere)
    assert versions(clinic) == [2]
    assert [row[4] for row in opened(clinic, where="visit_id in ('V8', 'V9')")] == ["note 8", None]


def test_status_tells_what_a_rotation_would_do(clinic):
    store_of(clinic).begin_rotation()
    found = survey_keys(clinic.conn, store_of(clinic), clinic.workspace.contracts)
    assert (found.wrapped_by, found.state.is_rotating, found.state.generation) == ("file", True, 2)
    assert found.state.keys == 42  # 40 persons, two indexes
    assert found.fields == tuple(
        SealedField(field=f"visits.{name}", values=200, outdated=200) for name in SEALED
    )


@pytest.mark.parametrize("custom", [{"conflict": "keep"}, {"conflict": "reject"}], indirect=True, ids=str)
def test_what_would_be_taken_for_another_value_is_not_loaded_until_a_rotation_is_through(clinic):
    store_of(clinic).begin_rotation()
    with pytest.raises(KeysUnavailable, match="a key rotation is unfinished"):
        load(clinic, 200, again=True)
    rotate(clinic)
    assert counted(load(clinic, 200, again=True)) == {"received": 200, "unchanged": 200}


def test_an_epoch_after_a_rotation_leaves_every_value_readable(clinic):
    before = opened(clinic)
    rotate(clinic)
    begin_key_epoch(store_of(clinic))
    assert opened(clinic) == before


@pytest.mark.system
@pytest.mark.parametrize("at", range(4))
def test_a_rotation_killed_at_a_random_moment_leaves_every_value_readable_and_run_again_is_through(
    clinic, at
):
    load(clinic, 8_000)
    before = opened(clinic)
    process = command(clinic, "rotate")
    for _ in range(3000):
        if store_of(clinic).state().is_rotating or process.poll() is not None:
            break
        sleep(0.005)
    moment = random.Random(f"{SEED} {at}").random() * 1.5
    print(f"DAFTARI_KILL_SEED={SEED}: killed {moment:.3f} s after it began")
    sleep(moment)
    process.kill()
    process.communicate()
    assert opened(clinic) == before

    said, errors = command(clinic, "rotate", "--output", "json").communicate(timeout=120)
    assert not errors, errors
    assert json.loads(said)["erased"] == 0
    state = store_of(clinic).state()
    assert not state.is_rotating and versions(clinic) == [state.generation]
    assert opened(clinic) == before


def test_the_commands_say_what_they_did(clinic):
    told = [command(clinic, *words).communicate(timeout=60) for words in (["rotate"], ["epoch"], ["status"])]
    assert [errors for _, errors in told] == ["", "", ""]
    rotated, begun, status = (" ".join(said.split()) for said, _ in told)
    assert rotated == "200 rows were re-encrypted under version 2"
    assert begun.startswith("82 keys were rewrapped; epoch 2")
    assert status.startswith(
        "keys: 42, 0 destroyed; wrapped by file epoch 2; values are sealed under version 2"
    )
    assert "visits.phone 200 0" in status and "unfinished" not in status
