"""The key store, in a file and in a PostgreSQL database: what it keeps, and what nobody gets from it."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from daftari.errors import CannotOpen, KeyDestroyed, KeysUnavailable, SettingError
from daftari.io.keys import key_store_of
from daftari.operations.keys.begin_key_epoch import EpochBegun, begin_key_epoch
from daftari.protect.keys import KeyOwner
from daftari.settings import read_settings

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
USERS, PAY = "users.user_id/730d", "users.user_id/2555d"
AMINA, BARAKA = KeyOwner(scope=USERS, subject="U1"), KeyOwner(scope=USERS, subject="U2")
AMINAS_PAY, TABLE = KeyOwner(scope=PAY, subject="U1"), KeyOwner(scope="dataset:visits")


@pytest.fixture(params=["file", "postgres"])
def opened(request, settings, monkeypatch):
    """Open the store, anew each time: what one has in memory is not in the next."""
    if request.param == "postgres":
        monkeypatch.setenv("DAFTARI_KEYS_URL", settings.database_url.get_secret_value())
        monkeypatch.setenv("DAFTARI_DATABASE_URL", "postgresql://elsewhere/data")
    return lambda: key_store_of(read_settings(settings.root))


@pytest.fixture
def files(settings):
    data = settings.data_dir
    return SimpleNamespace(store=data / "keys/dev.sqlite", kek=data / "kek/dev.json")


@pytest.fixture
def store(settings):
    return key_store_of(settings)


def versions(key):
    return (key.key_id, key.version)


def test_an_owner_keeps_the_key_it_was_given(opened):
    first = opened().keys_for([AMINA, TABLE])
    again = opened().keys_for([TABLE, BARAKA, AMINA])
    assert {it: again[it].secret for it in first} == {it: first[it].secret for it in first}


def test_owners_share_no_key(opened):
    keys = opened().keys_for([AMINA, BARAKA, AMINAS_PAY, TABLE])
    assert len({key.secret for key in keys.values()}) == len({key.key_id for key in keys.values()}) == 4
    assert {len(key.secret) for key in keys.values()} == {64}


def test_a_key_is_found_by_what_a_sealed_value_says(opened):
    key = opened().keys_for([AMINA])[AMINA]
    assert opened().key_version(*versions(key), of="users.phone").secret == key.secret


def test_two_that_ask_at_once_get_the_same_keys(opened):
    owners = [KeyOwner(scope=USERS, subject=f"U{n}") for n in range(300)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: opened().keys_for(owners), range(8)))
    assert all(
        {owner: key.secret for owner, key in one.items()} == {o: k.secret for o, k in found[0].items()}
        for one in found
    )
    assert opened().state().keys == 300


def test_twenty_thousand_keys_are_made_and_found_again_in_seconds(opened):
    owners = [KeyOwner(scope=USERS, subject=f"U{n}") for n in range(20_000)]
    made, found = opened().keys_for(owners), opened().keys_for(owners)
    assert [made[it].key_id for it in owners] == [found[it].key_id for it in owners]


def test_a_destroyed_key_is_gone_in_all_its_versions(opened):
    store = opened()
    key = store.keys_for([AMINA, AMINAS_PAY, BARAKA])[AMINA]
    store.begin_rotation()
    second = store.keys_for([AMINA])[AMINA]
    assert store.destroy([AMINA], now=NOW) == 1
    for gone in (key, second):
        with pytest.raises(KeyDestroyed):
            opened().key_version(*versions(gone), of="users.phone")
    assert store.destroy([AMINA], now=NOW) == 0
    state = opened().state()
    assert (state.keys, state.destroyed) == (2, 1)


def test_who_comes_again_after_being_erased_gets_another_key(opened):
    first = opened().keys_for([AMINA])[AMINA]
    opened().destroy([AMINA], now=NOW)
    second = opened().keys_for([AMINA])[AMINA]
    assert first.key_id != second.key_id and first.secret != second.secret


def test_a_key_that_was_never_made_opens_nothing(opened):
    key = opened().keys_for([AMINA])[AMINA]
    for unknown in ((b"nosuchid", 1), (key.key_id, 2)):
        with pytest.raises(CannotOpen):
            opened().key_version(*unknown, of="users.phone")


def test_a_rotation_brings_new_versions_and_keeps_the_old_for_opening(opened):
    store = opened()
    old = store.keys_for([AMINA])[AMINA]
    assert (store.begin_rotation(), store.begin_rotation()) == (2, 2)  # one that is unfinished goes on
    new = store.keys_for([AMINA, BARAKA])
    assert (new[AMINA].key_id, new[AMINA].version) == (old.key_id, 2)
    assert new[AMINA].secret != old.secret and new[BARAKA].version == 2
    assert store.key_version(*versions(old), of="users.phone").secret == old.secret
    store.end_rotation()
    assert store.begin_rotation() == 3


def test_an_epoch_leaves_every_key_as_it_was(opened):
    before = opened().keys_for([AMINA, BARAKA])
    assert begin_key_epoch(opened(), dry_run=True) == EpochBegun(epoch=2, rewrapped=2)
    assert begin_key_epoch(opened()) == EpochBegun(epoch=2, rewrapped=2)
    after = opened().keys_for([AMINA, BARAKA])
    assert {it: key.secret for it, key in after.items()} == {it: key.secret for it, key in before.items()}
    state = opened().state()
    assert (state.epoch, state.outdated) == (2, 0)


@pytest.mark.parametrize("happens", ["epoch", "rotation"])
def test_a_key_that_was_wrapped_before_an_epoch_or_a_rotation_began_is_not_taken_in_after(
    opened, monkeypatch, happens
):
    store, other = opened(), opened()
    wrap = store.wrapping.wrap

    def overtaken(secrets):
        wrapped = wrap(secrets)
        monkeypatch.setattr(store.wrapping, "wrap", wrap)
        begin_key_epoch(other) if happens == "epoch" else other.begin_rotation()
        return wrapped

    other.keys_for([BARAKA])
    monkeypatch.setattr(store.wrapping, "wrap", overtaken)
    made = store.keys_for([AMINA])[AMINA]
    assert opened().keys_for([AMINA])[AMINA].secret == made.secret
    assert made.version == (1 if happens == "epoch" else 2)
    assert opened().state().outdated == 0


def test_keys_made_while_an_epoch_begins_are_wrapped_by_it(opened):
    owners = [KeyOwner(scope=USERS, subject=f"U{n}") for n in range(400)]
    with ThreadPoolExecutor(5) as pool:
        made = [pool.submit(opened().keys_for, owners[n::4]) for n in range(4)]
        epochs = [pool.submit(begin_key_epoch, opened()) for _ in range(3)]
        for one in [*made, *epochs]:
            one.result()
    assert opened().state().outdated == 0
    assert len(opened().keys_for(owners)) == 400


@pytest.mark.parametrize("stop", ["begin_epoch", "rewrap_some"])
def test_an_epoch_that_is_killed_leaves_every_key_usable(opened, stop, monkeypatch):
    before = opened().keys_for([AMINA])[AMINA]
    store = opened()

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(store, stop, killed)
        begin_key_epoch(store)
    assert opened().keys_for([AMINA])[AMINA].secret == before.secret
    assert begin_key_epoch(opened()).rewrapped == 1
    assert opened().keys_for([AMINA])[AMINA].secret == before.secret


def test_an_old_copy_of_the_store_cannot_open_what_was_destroyed_before_the_last_epoch(
    store, files, settings
):
    key = store.keys_for([AMINA, BARAKA])[AMINA]
    copy = files.store.with_name("copy")
    shutil.copy(files.store, copy)
    store.destroy([AMINA], now=NOW)

    shutil.copy(files.store, now_kept := files.store.with_name("kept"))
    shutil.copy(copy, files.store)
    # until the next epoch, whoever has the copy and the wrapping key has the destroyed key too
    assert key_store_of(settings).key_version(*versions(key), of="users.phone").secret == key.secret
    shutil.copy(now_kept, files.store)

    begin_key_epoch(key_store_of(settings))
    shutil.copy(copy, files.store)
    with pytest.raises(KeysUnavailable, match="epoch 1"):
        key_store_of(settings).key_version(*versions(key), of="users.phone")


def test_nothing_of_a_destroyed_key_is_left_in_the_file(store, files):
    store.keys_for([AMINA])
    content = files.store.read_bytes()
    assert b"U1" in content
    store.destroy([AMINA], now=NOW)
    assert b"U1" not in files.store.read_bytes()
    assert not list(files.store.parent.glob("*-journal"))


def test_no_key_stands_in_the_clear_in_a_file(store, files):
    keys = store.keys_for([AMINA, TABLE])
    content = files.store.read_bytes() + files.kek.read_bytes()
    assert not any(key.secret[at : at + 16] in content for key in keys.values() for at in (0, 16, 32, 48))


@pytest.mark.parametrize("name", ["store", "kek"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_of_keys_that_others_may_read_is_refused(store, files, settings, name, mode):
    store.keys_for([AMINA])
    path = getattr(files, name)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(mode)
    with pytest.raises(KeysUnavailable, match=f"mode 0{mode:o}; expected mode 0600"):
        key_store_of(settings).keys_for([AMINA])
    path.chmod(0o600)
    path.parent.chmod(0o755)
    if name == "store":
        with pytest.raises(KeysUnavailable, match="mode 0755; expected mode 0700"):
            key_store_of(settings).keys_for([AMINA])


def test_a_file_of_keys_that_is_anothers_is_refused(store, files, settings, monkeypatch):
    store.keys_for([AMINA])
    own = files.kek.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: own + 1)
    with pytest.raises(KeysUnavailable, match=f"owner {own}"):
        key_store_of(settings).keys_for([AMINA])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        ("", "not readable"),
        ("[]", "not readable"),
        ('{"epochs": {"1": "eA=="}}', "not readable"),
    ],
)
def test_without_its_wrapping_key_the_store_says_so_and_makes_no_other(store, files, settings, content, said):
    store.keys_for([AMINA])
    if content is None:
        files.kek.unlink()
    else:
        files.kek.write_text(content, "utf-8")
    with pytest.raises(KeysUnavailable, match=said):
        key_store_of(settings).keys_for([AMINA])


def test_another_wrapping_key_is_told_from_the_right_one(store, files, settings, tmp_path):
    store.keys_for([AMINA])
    files.kek.unlink()
    other = key_store_of(settings.model_copy(update={"data_dir": tmp_path / "other"}))
    other.keys_for([AMINA])
    shutil.copy(tmp_path / "other/kek/dev.json", files.kek)
    with pytest.raises(KeysUnavailable, match="does not unwrap"):
        key_store_of(settings).keys_for([AMINA])


def test_keys_that_have_changed_places_are_found_out(store, files, settings):
    store.keys_for([AMINA, BARAKA])
    with sqlite3.connect(files.store) as conn:
        conn.execute("""
            update data_key_version as v set wrapped =
                (select o.wrapped from data_key_version o where o.key_id <> v.key_id)
        """)
    with pytest.raises(KeysUnavailable, match="in the place of another"):
        key_store_of(settings).keys_for([AMINA])


def test_keys_are_not_kept_in_the_database_of_the_data(settings, monkeypatch):
    monkeypatch.setenv("DAFTARI_KEYS_URL", settings.database_url.get_secret_value())
    with pytest.raises(SettingError, match="a separate database"):
        key_store_of(read_settings(settings.root))


def test_a_store_that_cannot_be_reached_says_no_more_than_that(settings, monkeypatch):
    monkeypatch.setenv("DAFTARI_KEYS_URL", "postgresql://u:s3cret@127.0.0.1:1/keys")
    with pytest.raises(KeysUnavailable) as caught:
        key_store_of(read_settings(settings.root)).keys_for([AMINA])
    assert "s3cret" not in str(caught.value) and caught.value.__cause__ is None


def test_neither_a_store_nor_its_wrapping_key_shows_a_secret(store):
    store.keys_for([AMINA])
    assert repr(store) == "KeyStore(wrapped by file)"
    assert repr(store.wrapping).startswith("FileWrapping(") and "AESGCM" not in repr(store.wrapping)
