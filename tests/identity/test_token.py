"""Tokens that are let in, and the reader and the verifier by themselves."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import Refusal
from penstock.identity.signing import ALGORITHMS, SigningKey, read_keys
from penstock.identity.token import MAX_BYTES, Token, is_token, parse, refusing, verify
from tests.identity.mint import PrivateKey, b64, claims, compact, ec_key, ed_key, head, jwk, jwks, rsa_key, text, token

SIGNERS: dict[str, PrivateKey] = {
    **{name: rsa_key() for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")},
    "ES256": ec_key(),
    "ES384": ec_key("wide", "P-384"),
    "ES512": ec_key("widest", "P-521"),
    "EdDSA": ed_key(),
    "Ed25519": ed_key(),
}


def key_for(algorithm: str) -> SigningKey:
    key = read_keys(jwks(jwk(SIGNERS[algorithm], "r1")), [algorithm]).find("r1", algorithm)
    assert key is not None
    return key


def made(algorithm: str, **changes: Any) -> str:
    return token({"alg": algorithm}, SIGNERS[algorithm], **changes)


def test_every_algorithm_has_a_signer_here() -> None:
    assert SIGNERS.keys() == ALGORITHMS


@pytest.mark.parametrize("algorithm", sorted(SIGNERS))
def test_a_token_of_each_algorithm_verifies_with_its_key_and_no_other_token_does(algorithm: str) -> None:
    good, other = parse(made(algorithm)), made(algorithm, sub="bob")
    verify(good, key_for(algorithm))
    a, b, _ = good.text.split(".")
    with pytest.raises(Refusal, match="signature does not hold"):
        verify(parse(f"{a}.{b}.{other.split('.')[2]}"), key_for(algorithm))


def test_a_read_token_gives_its_header_and_claims_and_hides_its_text() -> None:
    read = parse(token({"typ": "application/AT+JWT", "x5t": "abc", "jku": "https://elsewhere.example"}))
    assert (read.algorithm, read.kid, read.type, read.issuer) == ("RS256", "r1", "at+jwt", claims()["iss"])
    assert read.claims == claims()
    assert read.text not in repr(read) and "alice" not in repr(read)


def test_a_missing_typ_is_jwt_and_a_missing_kid_is_none() -> None:
    read = parse(compact(b'{"alg":"RS256"}', text(claims()), rsa_key(), "RS256"))
    assert (read.type, read.kid) == ("jwt", None)


def test_a_key_of_another_algorithm_is_not_even_tried() -> None:
    with pytest.raises(Refusal, match="not the key's"):
        verify(parse(made("RS256")), key_for("PS256"))


def test_a_payload_that_is_not_the_signed_one_is_refused() -> None:
    read = parse(made("RS256"))
    swapped = Token(read.text, b"{}", read.algorithm, read.kid, read.type, read.issuer, {})
    with pytest.raises(Refusal, match="covers something else"):
        verify(swapped, key_for("RS256"))


def test_a_key_that_raises_anything_refuses_the_token() -> None:
    read = parse(made("RS256"))
    with pytest.raises(Refusal, match="signature does not hold"):
        verify(read, SigningKey("r1", "RS256", "", object()))


@pytest.mark.parametrize("error", [RecursionError, ValueError, OverflowError, MemoryError, KeyError])
def test_any_foreign_exception_becomes_a_refusal(error: type[Exception]) -> None:
    @refusing
    def hostile() -> None:
        raise error("what was read")

    with pytest.raises(Refusal, match="cannot be read") as refused:
        hostile()
    assert refused.value.code == "invalid_token"
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


def test_a_token_is_told_from_a_key_by_its_three_parts() -> None:
    assert is_token("a.b.c") and is_token("..")
    assert not is_token("a.b") and not is_token("a.b.c.d.e") and not is_token("penstock_abc")


def test_a_token_may_be_as_long_as_the_limit_and_no_longer() -> None:
    lengths = {}
    for header, pad in itertools.product("xyz", range(11_780, 11_800)):
        made = token({"x5t": header * "xyz".index(header)}, pad="x" * pad)
        lengths[len(made)] = made
    parse(lengths[MAX_BYTES])
    with pytest.raises(Refusal, match="too long"):
        parse(lengths[MAX_BYTES + 1])


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=200)
    | st.from_regex(r"[\w=-]{0,40}\.[\w-]{0,40}\.[\w-]{0,9}")
)
def test_whatever_the_text_only_a_refusal_comes_out(text_: str) -> None:
    with pytest.raises(Refusal):
        parse(text_)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "jwk", "crit", "x"]), _json),
    st.dictionaries(st.sampled_from(["iss", "aud", "exp", "sub"]), _json),
)
def test_whatever_the_documents_a_token_is_read_or_refused(header: dict[str, Any], payload: dict[str, Any]) -> None:
    try:
        read = parse(f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}.{b64(b'x' * 64)}")
    except Refusal:
        return
    assert read.claims["iss"] == read.issuer
    assert header["alg"] == read.algorithm


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_other_spelling_of_a_token_is_accepted(data: st.DataObject) -> None:
    good = made("EdDSA")
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != good[place]))
    spelled = good[:place] + other + good[place + 1 :]
    with pytest.raises(Refusal):
        verify(parse(spelled), key_for("EdDSA"))


def test_the_default_header_is_as_written() -> None:
    assert json.loads(text(head())) == {"typ": "at+jwt", "alg": "RS256", "kid": "r1"}
