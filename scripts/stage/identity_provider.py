"""A small OpenID provider on loopback for trying things out: discovery, JWKS and the client-credentials grant.

It issues RFC 9068 access tokens (`at+jwt`) to the people and services it was told of. Its key is made at its start
and lives in memory only. It is no model for a real one: every client is its own user.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qsl, unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk, jwt

AUDIENCE: Final = "penstock"
ALGORITHM: Final = "ES256"
LIFETIME: Final = 3600


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who can get a token: an id, the groups in the token, and a secret made on the spot."""

    id: str
    groups: tuple[str, ...]
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)


class SigningKey:
    """An ES256 key pair with its key id."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_hex(8)
        self._private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        numbers = jwk.construct(public.decode(), ALGORITHM).to_dict()
        self.public: dict[str, str] = {**numbers, "kid": self.id, "use": "sig", "alg": ALGORITHM}

    def sign(self, claims: Mapping[str, Any]) -> str:
        header = {"typ": "at+jwt", "kid": self.id}
        token: str = jwt.encode(dict(claims), self._private, algorithm=ALGORITHM, headers=header)
        return token


class IdentityProvider:
    """Runs in threads of this process from the start of its `with` block to the end."""

    def __init__(self, clients: Sequence[Client], *, port: int = 0) -> None:
        self.clients = {client.id: client for client in clients}
        self.key = SigningKey()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="identity provider", daemon=True)

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/token"

    def token(self, client_id: str, **claims: Any) -> str:
        """A token for a client, as its grant would give; `claims` replace those it would have (None leaves one out)."""
        client = self.clients[client_id]
        now = int(time.time())
        told = {
            "iss": self.issuer,
            "sub": client.id,
            "aud": AUDIENCE,
            "client_id": client.id,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": secrets.token_urlsafe(12),
            "scope": "inference",
            "groups": list(client.groups),
            **claims,
        }
        return self.key.sign({name: value for name, value in told.items() if value is not None})

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish only that one."""
        self.key = SigningKey()

    def document(self, path: str) -> dict[str, Any] | None:
        """What is published at a path."""
        if path == "/jwks":
            return {"keys": [self.key.public]}
        if path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
            return {
                "issuer": self.issuer,
                "token_endpoint": self.token_endpoint,
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["none"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "scopes_supported": ["inference"],
            }
        return None

    def grant(self, authorization: str, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer to a token request (RFC 6749 section 4.4): status and body."""
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        identifier, secret = _client_credentials(authorization, form)
        client = self.clients.get(identifier)
        if client is None or not hmac.compare_digest(client.secret, secret):
            return 401, {"error": "invalid_client"}
        body = {"access_token": self.token(client.id), "token_type": "Bearer", "expires_in": LIFETIME}
        return 200, {**body, "scope": "inference"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _client_credentials(authorization: str, form: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        identifier, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote(identifier), unquote(secret)


def _handler(provider: IdentityProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "demo-identity-provider"
        sys_version = ""

        def do_GET(self) -> None:
            document = provider.document(self.path.partition("?")[0])
            self._answer(200 if document else 404, document or {"error": "not_found"}, "public, max-age=60")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path != "/token":
                self._answer(404, {"error": "not_found"})
                return
            form = dict(parse_qsl(body.decode("utf-8", "replace")))
            self._answer(*provider.grant(self.headers.get("authorization", ""), form))

        def _answer(self, status: int, body: Mapping[str, Any], cache: str = "no-store") -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Cache-Control", cache)
            if status == 401:
                self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a token request is no news, and its headers are secret."""

    return Handler
