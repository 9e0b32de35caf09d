"""An identity provider's signing side, in memory: keys, JWK sets, and tokens of any shape, right or wrong."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from penstock.identity.fetch import Unreachable
from penstock.policy.settings import GroupClaim, IdentitySettings, Issuer

type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

NOW: Final = 1_800_000_000.0
CORP: Final = "https://idp.example/realms/corp"
OTHER: Final = "https://other.example/"

_SHA: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8))


@functools.cache
def rsa_key(name: str = "main", bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same key for the same name, for as long as the tests run."""
    return rsa.generate_private_key(65537, bits)


@functools.cache
def ec_key(name: str = "main", curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    curves: dict[str, ec.EllipticCurve] = {
        "P-256": ec.SECP256R1(),
        "P-384": ec.SECP384R1(),
        "P-521": ec.SECP521R1(),
        "secp256k1": ec.SECP256K1(),
    }
    return ec.generate_private_key(curves[curve])


@functools.cache
def ed_key(name: str = "main") -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: PrivateKey, kid: str | None = None, **members: Any) -> dict[str, Any]:
    """The public JWK of a private key."""
    public: dict[str, Any]
    match key:
        case rsa.RSAPrivateKey():
            rsa_numbers = key.public_key().public_numbers()
            public = {"kty": "RSA", "n": number(rsa_numbers.n), "e": number(rsa_numbers.e)}
        case ec.EllipticCurvePrivateKey():
            ec_numbers, size = key.public_key().public_numbers(), (key.key_size + 7) // 8
            names = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
            public = {
                "kty": "EC",
                "crv": names.get(key.curve.name, key.curve.name),
                "x": number(ec_numbers.x, size),
                "y": number(ec_numbers.y, size),
            }
        case ed25519.Ed25519PrivateKey():
            public = {"kty": "OKP", "crv": "Ed25519", "x": b64(key.public_key().public_bytes_raw())}
        case ed448.Ed448PrivateKey():
            public = {"kty": "OKP", "crv": "Ed448", "x": b64(key.public_key().public_bytes_raw())}
    if kid is not None:
        public["kid"] = kid
    return public | members


def jwks(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def sign(message: bytes, key: PrivateKey | bytes, algorithm: str) -> bytes:
    """A raw JWS signature; `bytes` as the key means HMAC."""
    sha = _SHA.get(algorithm[2:], hashes.SHA256)
    match key:
        case bytes():
            return hmac.digest(key, message, getattr(hashlib, f"sha{algorithm[2:]}"))
        case rsa.RSAPrivateKey() if algorithm.startswith("PS"):
            return key.sign(message, padding.PSS(padding.MGF1(sha()), sha().digest_size), sha())
        case rsa.RSAPrivateKey():
            return key.sign(message, padding.PKCS1v15(), sha())
        case ec.EllipticCurvePrivateKey():
            size = (key.key_size + 7) // 8
            r, s = decode_dss_signature(key.sign(message, ec.ECDSA(sha())))
            return r.to_bytes(size) + s.to_bytes(size)
        case _:
            return key.sign(message)


def compact(header: bytes, payload: bytes, key: PrivateKey | bytes, algorithm: str) -> str:
    """A token of exactly these header and payload bytes."""
    signed = f"{b64(header)}.{b64(payload)}"
    return f"{signed}.{b64(sign(signed.encode(), key, algorithm))}"


def text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Gone:
    """Stands for a member that is left out."""


def claims(**changes: Any) -> dict[str, Any]:
    """A good access token's claims, with changes; `Gone` leaves one out."""
    good = {
        "iss": CORP,
        "aud": "penstock",
        "sub": "alice",
        "client_id": "notebook",
        "iat": int(NOW) - 10,
        "exp": int(NOW) + 300,
        "jti": "1",
        "realm_access": {"roles": ["data-science", "staff"]},
    }
    return {name: value for name, value in (good | changes).items() if value is not Gone}


def head(**changes: Any) -> dict[str, Any]:
    good = {"typ": "at+jwt", "alg": "RS256", "kid": "r1"}
    return {name: value for name, value in (good | changes).items() if value is not Gone}


def token(header: dict[str, Any] | None = None, key: PrivateKey | bytes | None = None, **changes: Any) -> str:
    """A token signed with RS256 unless the header says otherwise; `changes` are to the claims."""
    full = head(**(header or {}))
    return compact(text(full), text(claims(**changes)), key or rsa_key(), str(full.get("alg")))


def bearer(credential: str) -> list[tuple[bytes, bytes]]:
    return [(b"Host", b"gw.example"), (b"Authorization", b"Bearer " + credential.encode())]


ISSUER: Final = Issuer(
    id="corp",
    issuer=CORP,
    audiences=("penstock", "penstock-eu"),
    algorithms=("RS256", "PS256", "ES256", "EdDSA"),
    groups=GroupClaim("realm_access.roles", prefix="corp:"),
    jwks_uri="https://idp.example/keys",
)
# A provider that cannot do better than `typ: JWT`.
GENERAL: Final = Issuer(
    id="other",
    issuer=OTHER,
    audiences=("penstock",),
    algorithms=("RS256", "ES256", "EdDSA"),
    groups=GroupClaim("groups", delimiter=";", prefix="other:"),
    types=("at+jwt", "jwt"),
    jwks_uri="https://other.example/keys",
)


def settings(*issuers: Issuer, **more: Any) -> IdentitySettings:
    return IdentitySettings(issuers=issuers or (ISSUER, GENERAL), **more)


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Provider:
    """A `Fetch` that answers from memory, counts, and can be away."""

    answers: dict[str, bytes]
    away: bool = False
    fetched: int = 0
    pause: Callable[[], Any] | None = None
    """Awaited before each answer."""

    async def __call__(self, url: str) -> bytes:
        self.fetched += 1
        if self.pause is not None:
            await self.pause()
        if self.away or url not in self.answers:
            raise Unreachable(f"{url}: connection refused")
        return self.answers[url]


def provider(corp: bytes | None = None) -> Provider:
    """Both issuers' key sets."""
    keys = jwks(jwk(rsa_key(), "r1"), jwk(ec_key(), "e1"), jwk(ed_key(), "o1"))
    return Provider({"https://idp.example/keys": corp or keys, "https://other.example/keys": keys})
