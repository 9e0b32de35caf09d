"""JWS compact tokens, read strictly: what is judged is the only reading of what was signed."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from jose import jws

from penstock.errors import Refusal
from penstock.exchange import JsonObject
from penstock.identity.encoding import Malformed, json_object, octets
from penstock.identity.signing import SigningKey

MAX_BYTES: Final = 16_384

# RFC 7515 section 4.1. Keys that a token brings along or points to are never used: only the issuer's own are.
_IGNORED: Final = frozenset({"jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256"})
_READ: Final = frozenset({"alg", "kid", "typ"})
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as read, not yet trusted: `verify` it, then `claims.check` it."""

    text: str = field(repr=False)
    payload: bytes = field(repr=False)
    algorithm: str
    kid: str | None
    type: str
    """Lower case, without `application/`; a missing `typ` is `jwt` (RFC 7519 section 5.1)."""
    issuer: str
    claims: JsonObject = field(repr=False)


def invalid_token(message: str) -> Refusal:
    """A credential that is not accepted (401); `message` never quotes it."""
    return Refusal("invalid_token", message)


def refusing[**P, T](read: Callable[P, T]) -> Callable[P, T]:
    """Let nothing but a `Refusal` out: python-jose and its parsers raise foreign exceptions on hostile input."""

    @functools.wraps(read)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except Refusal:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the token is refused
            raise invalid_token("The token cannot be read.") from None

    return guarded


def is_token(credential: str) -> bool:
    """Whether a credential is to be read as a token at all: three parts; everything else is a machine key."""
    return credential.count(".") == 2


@refusing
def parse(text: str) -> Token:
    """Read a compact token; `Refusal("invalid_token")` for anything but its one canonical form."""
    if len(text) > MAX_BYTES:
        raise invalid_token("The token is too long.")
    if not _SHAPE.fullmatch(text):
        raise invalid_token("The token is not a signed token in compact form.")
    head, body, signature = text.split(".")
    try:
        octets(signature)
        payload = octets(body)
        header, claims = json_object(octets(head)), json_object(payload)
    except Malformed:
        raise invalid_token("The token is not well formed.") from None
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise invalid_token("The token names no issuer.")
    return Token(text, payload, _algorithm(header), _kid(header), _type(header), issuer, claims)


def _algorithm(header: JsonObject) -> str:
    if not header.keys() <= _READ | _IGNORED:
        raise invalid_token("The token's header has members that are not understood here.")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise invalid_token("The token names no algorithm.")
    return algorithm


def _kid(header: JsonObject) -> str | None:
    if "kid" not in header:
        return None
    kid = header["kid"]
    if not isinstance(kid, str) or not kid:
        raise invalid_token("The token's key id is not a string.")
    return kid


def _type(header: JsonObject) -> str:
    # Media types compare without case; `application/` may be left out (RFC 7515 section 4.1.9).
    kind = header.get("typ", "jwt")
    if not isinstance(kind, str) or not kind.isascii():
        raise invalid_token("The token's type is not a media type.")
    return kind.lower().removeprefix("application/")


@refusing
def verify(token: Token, key: SigningKey) -> None:
    """Check the signature with a key that was built for this very algorithm; `Refusal("invalid_token")` otherwise."""
    if key.algorithm != token.algorithm:
        raise invalid_token("The token's algorithm is not the key's.")
    try:
        signed = jws.verify(token.text, key.key, [key.algorithm])
    except Exception:  # noqa: BLE001 - JWSError, or anything else that hostile input brings out of python-jose
        raise invalid_token("The token's signature does not hold.") from None
    if signed != token.payload:
        raise invalid_token("The token's signature covers something else.")
