"""The key store wrapped by Vault's transit engine, and secrets from its KV engine."""

import shutil
import traceback
from datetime import UTC, datetime

import pytest
from tests.certificates import certificate_of
from tests.vault_server import TOKEN, vault_server

from daftari.errors import KeysUnavailable, SettingError
from daftari.io.keys import key_store_of
from daftari.io.keys.vault_session import AppRole, VaultAccess, VaultToken
from daftari.io.workspace.secrets import with_secrets
from daftari.operations.keys.begin_key_epoch import begin_key_epoch
from daftari.protect.keys import KeyOwner
from daftari.settings import read_settings

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SCOPE = "users.user_id/730d"
OWNERS = [KeyOwner(scope=SCOPE, subject=f"U{n}") for n in range(600)]
ADDRESS = "postgresql://daftari:s3cret@db.example.org/daftari"


@pytest.fixture
def vault():
    with vault_server() as server:
        yield server


@pytest.fixture
def root(tmp_path, monkeypatch, vault):
    (tmp_path / "daftari.toml").write_text('[workspace]\nname = "Test"\n', "utf-8")
    monkeypatch.setenv("DAFTARI_VAULT_ADDRESS", vault.address)
    monkeypatch.setenv("DAFTARI_VAULT_TOKEN", TOKEN)
    monkeypatch.setenv("DAFTARI_VAULT_KEY", "daftari")
    return tmp_path


def opened(root):
    return key_store_of(read_settings(root))


def secrets_of(keys):
    return {owner: key.secret for owner, key in keys.items()}


def test_keys_wrapped_by_vault_are_found_again(root, vault):
    made = opened(root).keys_for(OWNERS)
    assert secrets_of(opened(root).keys_for(OWNERS)) == secrets_of(made)
    assert vault.asked[:2] == ["POST /v1/transit/keys/daftari", "GET /v1/transit/keys/daftari"]
    assert vault.asked.count("POST /v1/transit/encrypt/daftari") == 3  # 600 keys, 250 in a request
    assert not (root / ".daftari/kek").exists()


def test_an_epoch_rotates_rewraps_and_trims(root, vault):
    made = opened(root).keys_for(OWNERS)
    store = root / ".daftari/keys/dev.sqlite"
    copy = shutil.copy(store, store.with_name("copy"))
    opened(root).destroy([OWNERS[1]], now=NOW)
    vault.asked.clear()
    assert begin_key_epoch(opened(root)).epoch == 2
    asked = [one.split("/v1/transit/")[1] for one in vault.asked]
    assert asked[:2] == ["keys/daftari/rotate", "keys/daftari"]
    assert set(asked[2:-3]) == {"rewrap/daftari"}  # no key leaves Vault
    assert asked[-3:] == ["keys/daftari/config", "keys/daftari/config", "keys/daftari/trim"]
    left = [owner for owner in OWNERS if owner.subject != "U1"]
    assert secrets_of(opened(root).keys_for(left)) == {it: made[it].secret for it in left}
    shutil.copy(copy, store)
    with pytest.raises(KeysUnavailable, match=r"were not accepted|did not accept"):
        opened(root).keys_for(OWNERS[:2])


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "did not accept what it was sent"),
        (403, "does not accept this token"),
        (404, "has no such path"),
        (429, "accepts no more requests"),
        (500, "failed (InternalServerError)"),
        (502, "failed (BadGateway)"),
        (503, "is sealed, or not ready"),
    ],
)
def test_each_failure_of_vault_is_told_in_words_that_hold_nothing_it_said(root, vault, status, said):
    opened(root).keys_for(OWNERS[:1])
    for path in ("decrypt", "encrypt"):
        vault.fails = {path: (status, ["quotes the plaintext"])}
        with pytest.raises(KeysUnavailable) as caught:
            opened(root).keys_for(OWNERS[:2])
        assert said in str(caught.value) and caught.value.hint
        told = "".join(traceback.format_exception(caught.value))
        assert "quotes the plaintext" not in told and TOKEN not in told


def test_vault_that_is_not_there_is_told(root, monkeypatch):
    monkeypatch.setenv("DAFTARI_VAULT_ADDRESS", "http://127.0.0.1:1")
    with pytest.raises(KeysUnavailable, match="cannot be reached"):
        opened(root).keys_for(OWNERS[:1])


def test_vault_that_sends_us_elsewhere_is_not_followed(root, vault):
    opened(root).keys_for(OWNERS[:1])
    with vault_server() as another:
        vault.sends_to = another.address
        with pytest.raises(
            KeysUnavailable, match="redirected us to another address; the token is not sent there"
        ):
            opened(root).keys_for(OWNERS[:2])
        with pytest.raises(KeysUnavailable, match="redirected us to another address"):
            opened(root).wrapping.forget_before(1)
        assert another.asked == []


def test_a_vault_with_an_untrusted_certificate_receives_nothing(root, monkeypatch, tmp_path):
    certificate = certificate_of(tmp_path)
    with vault_server(certificate) as secured:
        monkeypatch.setenv("DAFTARI_VAULT_ADDRESS", secured.address)
        with pytest.raises(KeysUnavailable, match="cannot be reached"):
            opened(root).keys_for(OWNERS[:1])
        assert secured.tokens == []

        monkeypatch.setenv("DAFTARI_VAULT_CA_FILE", str(certificate))
        assert opened(root).keys_for(OWNERS[:1])
        assert set(secured.tokens) == {TOKEN}


def test_a_token_shows_in_nothing_that_is_printed(root, vault):
    access = VaultAccess(address=vault.address, login=VaultToken(token=TOKEN))
    assert TOKEN not in f"{access!r} {opened(root)!r} {opened(root).wrapping!r} {read_settings(root)!r}"


def test_a_store_that_a_file_wrapped_is_not_taken_for_vaults(root, monkeypatch):
    opened(root).keys_for(OWNERS[:1])
    monkeypatch.delenv("DAFTARI_VAULT_KEY")
    with pytest.raises(KeysUnavailable, match="wrapped by vault transit/daftari; found the settings of file"):
        opened(root).keys_for(OWNERS[:1])


def test_secrets_come_from_vault_where_nothing_nearer_gives_them(root, vault, monkeypatch):
    monkeypatch.setenv("DAFTARI_EMBEDDED_SERVER", "off")
    monkeypatch.setenv("DAFTARI_VAULT_SECRETS", "daftari/prod")
    vault.secrets["daftari/prod"] = {"database_url": ADDRESS, "oidc_client_secret": "s3cret", "other": "x"}
    settings = with_secrets(read_settings(root))
    assert settings.oidc_client_secret.get_secret_value() == "s3cret"
    assert settings.database_url.get_secret_value() == ADDRESS
    assert "s3cret" not in repr(settings)
    monkeypatch.setenv("DAFTARI_DATABASE_URL", "postgresql://nearer/daftari")
    assert with_secrets(read_settings(root)).database_url.get_secret_value() == "postgresql://nearer/daftari"


@pytest.mark.parametrize(
    ("secret", "error"),
    [
        ({"database_url": "mysql://s3cret"}, "unusable value"),
        ({}, "database_url: missing"),
        (None, "no such path"),
    ],
    ids=str,
)
def test_a_secret_that_will_not_do_is_named_and_not_quoted(root, vault, monkeypatch, secret, error):
    monkeypatch.setenv("DAFTARI_EMBEDDED_SERVER", "off")
    monkeypatch.setenv("DAFTARI_VAULT_SECRETS", "daftari/prod")
    if secret is not None:
        vault.secrets["daftari/prod"] = secret
    with pytest.raises((SettingError, KeysUnavailable), match=error) as caught:
        with_secrets(read_settings(root))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["DAFTARI_VAULT_ADDRESS", "DAFTARI_VAULT_TOKEN"])
def test_settings_that_name_vault_say_what_is_missing(root, monkeypatch, name):
    monkeypatch.delenv(name)
    with pytest.raises(SettingError, match=f"{name}: missing"):
        read_settings(root)


def test_a_token_in_the_versioned_file_is_refused(root):
    (root / "daftari.toml").write_text('[workspace]\nvault_token = "s.1"\n', "utf-8")
    with pytest.raises(SettingError, match="vault_token may hold a password"):
        read_settings(root)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"ROLE_ID": "r", "SECRET_ID": "s"},
            "DAFTARI_VAULT_TOKEN and DAFTARI_VAULT_ROLE_ID: expected one way",
        ),
        ({"TOKEN": "", "ROLE_ID": "r"}, "DAFTARI_VAULT_SECRET_ID: missing"),
        ({"KUBERNETES_ROLE": "r"}, "DAFTARI_VAULT_TOKEN and DAFTARI_VAULT_KUBERNETES_ROLE: expected one way"),
    ],
    ids=str,
)
def test_one_complete_way_to_log_in_is_asked_for(root, monkeypatch, given, said):
    for name, value in given.items():
        monkeypatch.setenv(f"DAFTARI_VAULT_{name}", value)
    with pytest.raises(SettingError, match=said):
        read_settings(root)


def test_a_login_that_is_sent_elsewhere_is_not_followed(root, vault, monkeypatch):
    monkeypatch.delenv("DAFTARI_VAULT_TOKEN")
    monkeypatch.setenv("DAFTARI_VAULT_ROLE_ID", "r")
    monkeypatch.setenv("DAFTARI_VAULT_SECRET_ID", "s3cret-id")
    with vault_server() as another:
        vault.sends_to = another.address
        with pytest.raises(KeysUnavailable, match="redirected us to another address") as caught:
            opened(root).keys_for(OWNERS[:1])
        assert another.asked == []
    assert "s3cret-id" not in "".join(traceback.format_exception(caught.value))


def test_a_secret_id_shows_in_nothing_that_is_printed():
    login = AppRole(role_id="r", secret_id="s3cret-id")
    assert "s3cret-id" not in repr(VaultAccess(address="http://127.0.0.1", login=login))
