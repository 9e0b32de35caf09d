"""What was admitted is remembered for a minute, within bounds, and only while its key is still the issuer's."""

from __future__ import annotations

from penstock.caller import Caller
from penstock.identity.jwks import KeySource
from penstock.identity.memory import SECONDS, Memory
from penstock.identity.signing import KeySet, read_keys
from tests.identity.mint import ISSUER, NOW, Clock, jwk, jwks, provider, rsa_key


def caller(expires: float = NOW + 3600) -> Caller:
    return Caller("corp", "alice", frozenset(), "oidc", expires)


def test_a_caller_is_remembered_for_a_minute() -> None:
    memory = Memory()
    memory.put(b"a", caller(), NOW, None, None)
    assert memory.get(b"a", NOW + SECONDS - 0.1) == caller()
    assert memory.get(b"a", NOW + SECONDS) is None
    assert len(memory) == 0


def test_a_caller_is_forgotten_when_the_credential_ends() -> None:
    memory = Memory()
    memory.put(b"a", caller(NOW + 5), NOW, None, None)
    assert memory.get(b"a", NOW + 4.9) is not None
    assert memory.get(b"a", NOW + 5) is None


def test_nothing_else_is_remembered() -> None:
    assert Memory().get(b"a", NOW) is None


def test_the_one_unused_longest_goes_first() -> None:
    memory = Memory(limit=2)
    for digest in (b"a", b"b"):
        memory.put(digest, caller(), NOW, None, None)
    memory.get(b"a", NOW)
    memory.put(b"c", caller(), NOW, None, None)
    assert len(memory) == 2
    assert [memory.get(digest, NOW) is not None for digest in (b"a", b"b", b"c")] == [True, False, True]


def test_a_caller_is_forgotten_when_the_key_rotates_out() -> None:
    source = KeySource(ISSUER, provider(), Clock())
    source.keys = read_keys(jwks(jwk(rsa_key(), "r1")), ["RS256"])
    memory = Memory()
    memory.put(b"a", caller(), NOW, source, source.keys.find("r1", "RS256"))
    source.keys = read_keys(jwks(jwk(rsa_key(), "renamed"), jwk(rsa_key("second"), "r2")), ["RS256"])
    assert memory.get(b"a", NOW) is not None, "the key is still there"
    source.keys = KeySet()
    assert memory.get(b"a", NOW) is None
