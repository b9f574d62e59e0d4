"""An OpenID Connect issuer on this machine: it vouches for whoever is at it, as a real one does after their login."""

import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CLIENT_ID, CLIENT_SECRET = "control-room", "kept between the two"
AUDIENCE = "daftari-api"
_KEY = ec.generate_private_key(ec.SECP256R1())
_OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


class Issuer:
    """`claims` go into its tokens, `said` into its description, `answered` into its answer at the token's address."""

    def __init__(self):
        self.claims, self.said, self.answered = {"sub": "U2", "daftari_role": "employee"}, {}, {}
        self.key, self.back, self.tokens = _KEY, {}, []
        self._codes = {}
        place = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                place.get(self)

            def do_POST(self):
                place.post(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def sign_with_another_key(self):
        self.key = _OTHER_KEY

    def get(self, request):
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        if path == "/authorize":
            self._authorize(request, {name: value for name, (value,) in query.items()})
            return
        documents = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                **self.said,
            },
            "/jwks": {
                "keys": [{**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_KEY.public_key())), "kid": "k"}]
            },
        }
        send(request, documents.get(path), 200 if path in documents else 404)

    def _authorize(self, request, asked):
        assert (asked["response_type"], asked["client_id"], asked["scope"]) == ("code", CLIENT_ID, "openid")
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.url, **self.back}
        request.send_response(302)
        request.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
        request.end_headers()

    def post(self, request):
        body = request.rfile.read(int(request.headers["content-length"])).decode()
        given = {name: value for name, (value,) in parse_qs(body).items()}
        asked = self._codes.pop(given.get("code"), None)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        verifier = given.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        is_right = (
            asked is not None
            and request.headers["authorization"] == f"Basic {basic}"
            and challenge == asked["code_challenge"]
            and given["redirect_uri"] == asked["redirect_uri"]
        )
        if not is_right:
            send(request, {"error": "invalid_grant"}, 400)
            return
        token = self.token(asked["nonce"])
        send(request, {"access_token": "a", "token_type": "Bearer", "id_token": token, **self.answered})

    def token(self, nonce):
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.claims,
        }
        token = jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            self.key,
            algorithm="ES256",
            headers={"kid": "k"},
        )
        self.tokens.append(token)
        return token


def send(request, document, status=200):
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    request.wfile.write(json.dumps(document).encode())


@contextmanager
def issuing():
    issuer = Issuer()
    try:
        yield issuer
    finally:
        issuer.server.shutdown()
        issuer.server.server_close()


def settings_of(issuer, public_url):
    """The settings of a workspace whose people sign in by *issuer*."""
    return {
        "DAFTARI_OIDC_ISSUER": issuer.url,
        "DAFTARI_OIDC_AUDIENCE": AUDIENCE,
        "DAFTARI_OIDC_JWKS": f"{issuer.url}/jwks",
        "DAFTARI_OIDC_CLIENT_ID": CLIENT_ID,
        "DAFTARI_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "DAFTARI_PUBLIC_URL": public_url,
    }
