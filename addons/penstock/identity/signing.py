"""The public keys of an issuer: a JWK set in, python-jose keys out, each fit for one algorithm."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from jose import jwk
from jose.backends.base import Key

from penstock.errors import PenstockError
from penstock.exchange import Json, JsonObject
from penstock.identity.encoding import Malformed, json_object, octets

type PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

RSA_BITS: Final = range(2048, 8193)

_RSA_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
# RFC 7518 section 3.4: each ES algorithm has one curve. python-jose takes any curve for any of them.
_CURVES: Final[Mapping[Json, tuple[str, ec.EllipticCurve]]] = {
    "P-256": ("ES256", ec.SECP256R1()),
    "P-384": ("ES384", ec.SECP384R1()),
    "P-521": ("ES512", ec.SECP521R1()),
}
# RFC 8037, and RFC 9864 for the name that says which curve.
_ED_ALGORITHMS: Final = ("EdDSA", "Ed25519")
_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "PS256": hashes.SHA256(),
    "PS384": hashes.SHA384(),
    "PS512": hashes.SHA512(),
}

ALGORITHMS: Final = frozenset({*_RSA_ALGORITHMS, *_ED_ALGORITHMS, *(name for name, _ in _CURVES.values())})
"""Every signature algorithm that can be allowed for an issuer; none is symmetric."""


class Ed25519Key(Key):  # type: ignore[misc]
    """EdDSA over Ed25519, which python-jose lacks."""

    def __init__(self, key: ed25519.Ed25519PublicKey, algorithm: str) -> None:
        super().__init__(key, algorithm)
        self._key = key

    def verify(self, msg: bytes, sig: bytes) -> bool:
        try:
            self._key.verify(sig, msg)
        except InvalidSignature:
            return False
        return True


class PssKey(Key):  # type: ignore[misc]
    """RSASSA-PSS with the salt as long as the hash (RFC 7518 section 3.5), which python-jose lacks."""

    def __init__(self, key: rsa.RSAPublicKey, algorithm: str) -> None:
        super().__init__(key, algorithm)
        self._key = key
        self._hash = _HASHES[algorithm]
        self._padding = padding.PSS(mgf=padding.MGF1(self._hash), salt_length=self._hash.digest_size)

    def verify(self, msg: bytes, sig: bytes) -> bool:
        try:
            self._key.verify(sig, msg, self._padding, self._hash)
        except InvalidSignature:
            return False
        return True


for _name in _ED_ALGORITHMS:
    jwk.register_key(_name, Ed25519Key)
for _name in _HASHES:
    jwk.register_key(_name, PssKey)


class UnfitKey(PenstockError):
    """A JWK that must not verify a token; the message says why."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key for one algorithm."""

    kid: str | None
    algorithm: str
    print: str
    """SHA-256 of the public key (its DER form) and the algorithm: equal when the key is the same."""
    key: Any = field(repr=False, compare=False)
    """The python-jose key, built once."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """What an issuer signs with, for the algorithms allowed to it."""

    keys: Mapping[tuple[str | None, str], SigningKey] = MappingProxyType({})
    prints: frozenset[str] = frozenset()
    skipped: tuple[str, ...] = ()
    """Why a key of the set is not among `keys`, a line each."""

    def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """The key of that id; without an id, the only key of that algorithm, if there is exactly one."""
        if kid is not None:
            return self.keys.get((kid, algorithm))
        fit = [key for key in self.keys.values() if key.algorithm == algorithm]
        return fit[0] if len(fit) == 1 else None


def read_keys(document: bytes, algorithms: Sequence[str]) -> KeySet:
    """Build the keys of a JWK set (RFC 7517); those unfit are left out one by one. `Malformed` when it is no set."""
    members = json_object(document).get("keys")
    if not isinstance(members, list):
        raise Malformed("not a JWK set")
    found: dict[tuple[str | None, str], SigningKey] = {}
    ambiguous: set[tuple[str | None, str]] = set()
    skipped: list[str] = []
    for index, member in enumerate(members):
        try:
            for key in _fit(member, algorithms):
                place = (key.kid, key.algorithm)
                if place in found and found[place].print != key.print:
                    ambiguous.add(place)
                found[place] = key
        except (UnfitKey, Malformed) as error:
            skipped.append(f"key {index} ({_label(member)}): {error}")
    for kid, algorithm in sorted(ambiguous, key=str):
        del found[kid, algorithm]
        skipped.append(f"kid {kid!r:.80}: several different keys for {algorithm}")
    return KeySet(MappingProxyType(found), frozenset(key.print for key in found.values()), tuple(skipped))


def _label(member: Json) -> str:
    return f"kid {member.get('kid')!r:.80}" if isinstance(member, dict) else "not an object"


def _fit(member: Json, algorithms: Sequence[str]) -> Iterator[SigningKey]:
    if not isinstance(member, dict):
        raise UnfitKey("not a JSON object")
    kid = member.get("kid")
    if kid is not None and (not isinstance(kid, str) or not kid):
        raise UnfitKey("kid is not a string")
    _for_signatures(member)
    key, able = _public_key(member)
    declared = member.get("alg")
    if declared is not None and declared not in able:
        raise UnfitKey(f"alg is {declared!r:.20}, which is not for a key of this kind")
    for algorithm in able:
        if algorithm in algorithms and declared in (None, algorithm):
            yield SigningKey(kid, algorithm, _print(key, algorithm), jwk.construct(key, algorithm))


def _for_signatures(member: JsonObject) -> None:
    if member.get("use", "sig") != "sig":
        raise UnfitKey(f"use is {member['use']!r:.20}")
    operations = member.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise UnfitKey("key_ops lacks verify")
    if member.keys() & {"d", "p", "q", "k"}:
        raise UnfitKey("holds a private or symmetric key, which the issuer must never publish")


def _public_key(member: JsonObject) -> tuple[PublicKey, tuple[str, ...]]:
    """The key, and the algorithms that its kind can do."""
    try:
        match member.get("kty"):
            case "RSA":
                return _rsa(member), _RSA_ALGORITHMS
            case "EC":
                return _ec(member)
            case "OKP":
                return _ed25519(member), _ED_ALGORITHMS
            case other:
                raise UnfitKey(f"kty is {other!r:.20}")
    except ValueError:
        raise UnfitKey("not a public key") from None


def _rsa(member: JsonObject) -> rsa.RSAPublicKey:
    modulus, exponent = (int.from_bytes(_octets(member, name)) for name in ("n", "e"))
    if modulus.bit_length() not in RSA_BITS:
        raise UnfitKey(f"RSA of {modulus.bit_length()} bits, not {RSA_BITS.start} to {RSA_BITS.stop - 1}")
    if not (3 <= exponent < 2**32 and exponent % 2):
        raise UnfitKey("RSA with a weak exponent")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _ec(member: JsonObject) -> tuple[ec.EllipticCurvePublicKey, tuple[str, ...]]:
    crv = member.get("crv")
    if not isinstance(crv, str) or crv not in _CURVES:
        raise UnfitKey(f"crv is {crv!r:.20}")
    algorithm, curve = _CURVES[crv]
    x, y = _octets(member, "x"), _octets(member, "y")
    if not len(x) == len(y) == (curve.key_size + 7) // 8:
        raise UnfitKey("coordinates of the wrong length")
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve)
    return numbers.public_key(), (algorithm,)


def _ed25519(member: JsonObject) -> ed25519.Ed25519PublicKey:
    if member.get("crv") != "Ed25519":
        raise UnfitKey(f"crv is {member.get('crv')!r:.20}")
    return ed25519.Ed25519PublicKey.from_public_bytes(_octets(member, "x"))


def _octets(member: JsonObject, name: str) -> bytes:
    text = member.get(name)
    if not isinstance(text, str) or not text:
        raise UnfitKey(f"{name} is missing")
    return octets(text)


def _print(key: PublicKey, algorithm: str) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(algorithm.encode() + b"\0" + der).hexdigest()
