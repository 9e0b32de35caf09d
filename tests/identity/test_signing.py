"""A JWK set becomes keys that each fit one algorithm, and what is unfit is left out with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, rsa

from penstock.identity.encoding import Malformed
from penstock.identity.signing import ALGORITHMS, read_keys
from tests.identity.mint import b64, ec_key, ed_key, jwk, jwks, number, rsa_key

ALL = sorted(ALGORITHMS)


def test_each_kind_of_key_serves_the_algorithms_of_its_kind() -> None:
    keys = read_keys(jwks(jwk(rsa_key(), "r"), jwk(ec_key(), "e"), jwk(ed_key(), "o")), ALL)
    assert set(keys.keys) == {
        *(("r", name) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        ("e", "ES256"),
        ("o", "EdDSA"),
        ("o", "Ed25519"),
    }
    assert keys.skipped == ()


def test_an_algorithm_that_the_issuer_may_not_use_gets_no_key() -> None:
    keys = read_keys(jwks(jwk(rsa_key(), "r"), jwk(ec_key(), "e")), ["ES256"])
    assert set(keys.keys) == {("e", "ES256")}


def test_a_declared_alg_narrows_a_key_to_it() -> None:
    keys = read_keys(jwks(jwk(rsa_key(), "r", alg="PS256")), ALL)
    assert set(keys.keys) == {("r", "PS256")}


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_each_curve_has_one_algorithm(curve: str) -> None:
    (place,) = read_keys(jwks(jwk(ec_key("x", curve), "e")), ALL).keys
    assert place == ("e", {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[curve])


def test_use_and_key_ops_that_allow_verification_are_fine() -> None:
    keys = read_keys(jwks(jwk(ec_key(), "e", use="sig", key_ops=["sign", "verify"])), ALL)
    assert ("e", "ES256") in keys.keys


_private = number(rsa_key().private_numbers().d)
_off_curve = jwk(ec_key(), "x") | {"y": b64(b"\1" * 32)}
_short = jwk(ec_key(), "x") | {"x": b64(b"\1" * 31)}

UNFIT: list[tuple[Any, str]] = [
    (jwk(rsa_key("small", 1024), "x"), "RSA of 1024 bits"),
    (jwk(rsa_key(), "x", e=number(1)), "weak exponent"),
    (jwk(rsa_key(), "x", e=number(65536)), "weak exponent"),
    (jwk(rsa_key(), "x", e=number(2**32 + 1)), "weak exponent"),
    (jwk(rsa_key(), "x", n=number(2**8193 - 1)), "RSA of 8193 bits"),
    (jwk(rsa_key(), "x", n=""), "n is missing"),
    (jwk(rsa_key(), "x", n=7), "n is missing"),
    (jwk(rsa_key(), "x", n="AQAB="), "not canonical"),
    (jwk(rsa_key(), "x", d=_private), "private"),
    (jwk(rsa_key(), "x", use="enc"), "use is 'enc'"),
    (jwk(rsa_key(), "x", use=None), "use is None"),
    (jwk(rsa_key(), "x", key_ops=["sign"]), "key_ops"),
    (jwk(rsa_key(), "x", key_ops="verify"), "key_ops"),
    (jwk(rsa_key(), "x", alg="ES256"), "alg is 'ES256'"),
    (jwk(rsa_key(), "x", alg="RSA-OAEP"), "alg is 'RSA-OAEP'"),
    (jwk(rsa_key(), "x", alg=["RS256"]), "alg is"),
    (jwk(rsa_key()) | {"kid": 7}, "kid is not a string"),
    (jwk(rsa_key(), ""), "kid is not a string"),
    (jwk(rsa_key(), "x", kty="rsa"), "kty is 'rsa'"),
    (jwk(ec_key(), "x", alg="ES384"), "alg is 'ES384'"),
    (jwk(ec_key("k", "secp256k1"), "x"), "crv is 'secp256k1'"),
    (jwk(ec_key(), "x", crv="P-384"), "wrong length"),
    (jwk(ec_key(), "x", crv=["P-256"]), "crv is"),
    (_off_curve, "not a public key"),
    (_short, "wrong length"),
    (jwk(ed448.Ed448PrivateKey.generate(), "x"), "crv is 'Ed448'"),
    (jwk(ed_key(), "x", crv="X25519"), "crv is 'X25519'"),
    (jwk(ed_key(), "x", x=b64(b"\1" * 31)), "not a public key"),
    ({"kty": "oct", "kid": "x", "k": b64(b"0" * 32)}, "symmetric"),
    ({"kid": "x"}, "kty is None"),
    ({}, "kty is None"),
    ("key", "not a JSON object"),
    (None, "not a JSON object"),
]


@pytest.mark.parametrize(("unfit", "why"), UNFIT, ids=[why for _, why in UNFIT])
def test_an_unfit_key_is_left_out_with_a_reason_and_the_others_stay(unfit: Any, why: str) -> None:
    keys = read_keys(jwks(jwk(ec_key("a"), "before"), unfit, jwk(ec_key("b"), "after")), ALL)
    assert set(keys.keys) == {("before", "ES256"), ("after", "ES256")}
    (line,) = keys.skipped
    assert line.startswith("key 1 (") and why in line


def test_a_long_name_is_cut_in_the_log_line() -> None:
    (line,) = read_keys(jwks(jwk(rsa_key(), "k" * 10_000, use="enc")), ALL).skipped
    assert len(line) < 200


def test_different_keys_of_one_id_and_algorithm_are_all_left_out() -> None:
    keys = read_keys(jwks(jwk(rsa_key("a"), "x"), jwk(rsa_key("b"), "x"), jwk(ec_key(), "x")), ["RS256", "ES256"])
    assert set(keys.keys) == {("x", "ES256")}
    assert keys.skipped == ("kid 'x': several different keys for RS256",)


def test_the_same_key_twice_is_one_key() -> None:
    keys = read_keys(jwks(jwk(ec_key(), "x"), jwk(ec_key(), "x", use="sig")), ["ES256"])
    assert set(keys.keys) == {("x", "ES256")} and not keys.skipped


def test_without_an_id_the_only_key_of_an_algorithm_is_found() -> None:
    keys = read_keys(jwks(jwk(rsa_key(), "r"), jwk(ec_key())), ["RS256", "ES256"])
    assert keys.find(None, "RS256") is keys.find("r", "RS256") is not None
    assert keys.find(None, "ES256") is not None
    assert keys.find("e", "ES256") is None, "a key without an id answers to no id"
    two = read_keys(jwks(jwk(rsa_key("a"), "a"), jwk(rsa_key("b"), "b")), ["RS256"])
    assert two.find(None, "RS256") is None


def test_a_print_names_the_key_and_its_algorithm_whatever_the_id() -> None:
    first = read_keys(jwks(jwk(rsa_key(), "a")), ["RS256", "PS256"])
    assert len(first.prints) == 2
    assert first.prints == read_keys(jwks(jwk(rsa_key(), "b")), ["RS256", "PS256"]).prints
    assert not first.prints & read_keys(jwks(jwk(rsa_key("other"), "a")), ["RS256", "PS256"]).prints


def test_a_modulus_with_a_leading_zero_octet_is_the_same_key() -> None:
    n = rsa_key().public_key().public_numbers().n
    padded = jwk(rsa_key(), "a", n=b64(b"\0" + n.to_bytes(256)))
    assert read_keys(jwks(padded), ["RS256"]).prints == read_keys(jwks(jwk(rsa_key(), "a")), ["RS256"]).prints


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":null}', b"<html>", b'{"keys":[],"keys":[]}']
)
def test_what_is_no_key_set_is_malformed(document: bytes) -> None:
    with pytest.raises(Malformed):
        read_keys(document, ALL)


def test_an_empty_set_has_no_keys() -> None:
    assert not read_keys(b'{"keys":[]}', ALL).keys


def test_the_public_exponent_three_is_accepted() -> None:
    old = rsa.generate_private_key(3, 2048)
    assert read_keys(json.dumps({"keys": [jwk(old, "x")]}).encode(), ["RS256"]).keys
