"""Whom an issuer vouches for, and every way in which a token does not do that."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from daftari.errors import NotAuthenticated, SettingError
from daftari.io.access import oidc_tokens
from daftari.io.access.oidc_tokens import Issuer, Verifier, keys_of

ISSUER, AUDIENCE = "https://login.example.org/", "daftari"
ROLES = ("employee", "hr")
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
_OF = {
    "RS256": jwt.algorithms.RSAAlgorithm,
    "ES256": jwt.algorithms.ECAlgorithm,
    "EdDSA": jwt.algorithms.OKPAlgorithm,
}


def jwk(key, name, algorithm="RS256"):
    return {**json.loads(_OF[algorithm].to_jwk(key.public_key())), "kid": name, "use": "sig"}


KEYS = [jwk(RSA_KEY, "rsa"), jwk(EC_KEY, "ec", "ES256"), jwk(ED_KEY, "ed", "EdDSA")]


def claims(**other):
    now = int(time.time())
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "U3",
        "exp": now + 600,
        "iat": now,
        "daftari_role": "employee",
    }
    return {name: value for name, value in {**said, **other}.items() if value is not None}


def signed(key=RSA_KEY, name="rsa", algorithm="RS256", headers=None, **other):
    return jwt.encode(claims(**other), key, algorithm=algorithm, headers={"kid": name, **(headers or {})})


@pytest.fixture
def jwks(tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": KEYS}))
    return path


@pytest.fixture
def verifier(jwks):
    return Verifier(Issuer(issuer=ISSUER, audience=AUDIENCE, jwks=str(jwks)), ROLES)


@pytest.mark.parametrize(
    ("key", "name", "algorithm"),
    [(RSA_KEY, "rsa", "RS256"), (EC_KEY, "ec", "ES256"), (ED_KEY, "ed", "EdDSA")],
)
def test_a_token_that_the_issuer_signed_lets_its_person_in_with_its_role(verifier, key, name, algorithm):
    caller = verifier.caller_of(signed(key, name, algorithm))
    assert (caller.name, caller.role, caller.user_id) == ("oidc U3", "employee", "U3")


def test_one_role_of_ours_among_others_is_the_role(verifier):
    assert verifier.caller_of(signed(daftari_role=["staff", "hr"])).role == "hr"


def test_a_clock_that_differs_within_the_leeway_does_not_matter(verifier):
    now = int(time.time())
    assert verifier.caller_of(signed(exp=now - 10, nbf=now - 100)).role == "employee"
    assert verifier.caller_of(signed(nbf=now + 10)).role == "employee"


def _unsigned():
    parts = [{"alg": "none", "typ": "JWT"}, claims()]
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(it).encode()).rstrip(b"=").decode() for it in parts)
        + "."
    )


def _signed_with_the_public_key():
    """Where a verifier takes the algorithm from the token, its public key becomes a password that everybody knows."""
    secret = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [{"alg": "HS256", "kid": "rsa"}, claims()]
    text = b".".join(base64.urlsafe_b64encode(json.dumps(it).encode()).rstrip(b"=") for it in parts)
    mac = hmac.digest(secret, text, hashlib.sha256)
    return (text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


def _tampered():
    head, body, signature = signed().split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = (
        base64.urlsafe_b64encode(json.dumps({**said, "daftari_role": "hr"}).encode()).rstrip(b"=").decode()
    )
    return f"{head}.{other}.{signature}"


NO = {
    "another issuer": lambda: signed(iss="https://evil.example.org/"),
    "another audience": lambda: signed(aud="payroll"),
    "no issuer": lambda: signed(iss=None),
    "no audience": lambda: signed(aud=None),
    "no end": lambda: signed(exp=None),
    "expired": lambda: signed(exp=int(time.time()) - 60),
    "not yet valid": lambda: signed(nbf=int(time.time()) + 120),
    "nobody": lambda: signed(sub=None),
    "a person of no name": lambda: signed(sub=""),
    "no role": lambda: signed(daftari_role=None),
    "a role that no contract names": lambda: signed(daftari_role="postgres"),
    "two roles": lambda: signed(daftari_role=["hr", "employee"]),
    "a role that is no text": lambda: signed(daftari_role={"hr": True}),
    "an unknown key": lambda: signed(OTHER_KEY, "other"),
    "another key under a known name": lambda: signed(OTHER_KEY, "rsa"),
    "a key of another kind": lambda: signed(EC_KEY, "rsa", "ES256"),
    "an algorithm that is not allowed": lambda: signed(algorithm="RS384"),
    "no signature": _unsigned,
    "a shared key": _signed_with_the_public_key,
    "claims changed after": _tampered,
    "a key of its own along with it": lambda: signed(OTHER_KEY, "other", headers={"jwk": jwk(OTHER_KEY, "other")}),
    "the address of its own keys": lambda: signed(OTHER_KEY, "other", headers={"jku": "http://127.0.0.1:9/"}),
    "an extension that must be understood": lambda: signed(headers={"crit": ["exp"]}),
    "no token": lambda: "a.b.c",
    "nothing": lambda: "",
    "more than any token": lambda: signed(more="x" * 20_000),
}  # fmt: skip


@pytest.mark.parametrize("what", NO)
def test_nobody_is_let_in_by(verifier, what):
    with pytest.raises(NotAuthenticated):
        verifier.caller_of(NO[what]())


@pytest.mark.parametrize(
    "said",
    [
        b"{}", b"[]", b"no json", b'{"keys": []}', b'{"keys": ["x"]}',
        b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}',
    ],
)  # fmt: skip
def test_what_is_no_set_of_keys_is_refused(said):
    with pytest.raises(SettingError):
        keys_of(said)


class _Issuer:
    """A server of keys on this machine, which counts who asks."""

    def __init__(self):
        self.keys, self.asked, self.status = KEYS, [], 200
        place = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                place.asked.append(self.path)
                self.send_response(place.status)
                if place.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(json.dumps({"keys": place.keys}).encode())

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def issuer():
    found = _Issuer()
    yield found
    found.server.shutdown()
    found.server.server_close()


def asking(issuer):
    return Verifier(Issuer(issuer=ISSUER, audience=AUDIENCE, jwks=issuer.url), ROLES)


def test_keys_are_asked_for_once_and_kept(issuer):
    verifier = asking(issuer)
    for _ in range(3):
        verifier.caller_of(signed())
    assert issuer.asked == ["/jwks"]


def test_a_new_key_is_asked_for_and_unknown_ones_do_not_make_us_ask_again_at_once(issuer, monkeypatch):
    verifier = asking(issuer)
    verifier.caller_of(signed())
    issuer.keys = [*KEYS, jwk(OTHER_KEY, "new")]
    with pytest.raises(NotAuthenticated):  # asked less than a minute ago
        verifier.caller_of(signed(OTHER_KEY, "new"))
    assert len(issuer.asked) == 1
    monkeypatch.setattr(oidc_tokens, "_ASKED_AGAIN_SECONDS", 0)
    assert verifier.caller_of(signed(OTHER_KEY, "new")).role == "employee"


def test_a_key_that_the_issuer_took_back_holds_no_longer_than_it_is_kept(issuer, monkeypatch):
    verifier = asking(issuer)
    verifier.caller_of(signed())
    issuer.keys = [jwk(OTHER_KEY, "new")]
    monkeypatch.setattr(oidc_tokens, "_KEPT_SECONDS", 0)
    with pytest.raises(NotAuthenticated):
        verifier.caller_of(signed())


def test_where_keys_cannot_be_had_those_that_are_known_still_hold(issuer, monkeypatch):
    structlog.reset_defaults()  # to a stream that is open
    verifier = asking(issuer)
    verifier.caller_of(signed())
    issuer.status = 503
    monkeypatch.setattr(oidc_tokens, "_KEPT_SECONDS", 0)
    assert verifier.caller_of(signed()).role == "employee"
    assert len(issuer.asked) == 2


def test_a_redirect_is_not_followed(issuer):
    structlog.reset_defaults()
    issuer.status = 302
    with pytest.raises(NotAuthenticated):
        asking(issuer).caller_of(signed())
    assert issuer.asked == ["/jwks"]
