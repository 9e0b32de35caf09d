"""Machine keys: only a hash is kept, each ends, and none is found by guessing at its form."""

from __future__ import annotations

import hashlib

import pytest

from penstock.errors import ConfigurationError, Refusal
from penstock.identity.keys import PREFIX, KeyRing, advice, new_key
from penstock.policy.settings import MachineKey
from tests.identity.mint import NOW


def machine(key: str, name: str = "batch", *, expires: float = NOW + 60) -> MachineKey:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return MachineKey(name, digest, f"svc:{name}", frozenset({"batch"}), expires)


def test_a_key_is_found_by_its_hash() -> None:
    first, second = new_key(), new_key()
    ring = KeyRing([machine(first.key, "a"), machine(second.key, "b")])
    assert ring.find(first.key, NOW).id == "a"
    assert ring.find(second.key, NOW).id == "b"


@pytest.mark.parametrize("presented", ["", "x", "penstock_", "batch", hashlib.sha256(b"secret").hexdigest()])
def test_anything_else_is_not_known(presented: str) -> None:
    ring = KeyRing([machine("secret")])
    with pytest.raises(Refusal, match="not known") as refused:
        ring.find(presented, NOW)
    assert refused.value.code == "invalid_token"


def test_without_keys_nothing_is_known() -> None:
    with pytest.raises(Refusal, match="not known"):
        KeyRing([]).find("anything", NOW)


def test_a_key_ends_on_the_second() -> None:
    ring = KeyRing([machine("secret", expires=NOW)])
    assert ring.find("secret", NOW - 1).subject == "svc:batch"
    with pytest.raises(Refusal, match="expired"):
        ring.find("secret", NOW)


def test_a_new_key_is_random_has_its_hash_and_needs_no_advice() -> None:
    made = new_key(lambda size: bytes(range(size)))
    assert made.key == PREFIX + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert made.sha256 == hashlib.sha256(made.key.encode()).hexdigest()
    assert new_key().key != new_key().key
    assert advice(new_key().key) == ()


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("short", "guessed"),
        ("abc" * 20, "repeats"),
        ("0123456789abcdef.0123456789abcdef.xyz", "read as a token"),
        ("0123456789abcdef 0123456789abcdef", "visible ASCII"),
        ("0123456789abcdef-0123456789abcdeé", "visible ASCII"),
        ("", "visible ASCII"),
    ],
)
def test_a_key_that_somebody_chose_gets_advice(key: str, part: str) -> None:
    assert any(part in line for line in advice(key))


@pytest.mark.parametrize("digest", ["", "ab", "Z" * 64, "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_a_hash_that_is_none_is_a_configuration_error(digest: str) -> None:
    with pytest.raises(ConfigurationError, match="'batch' has no sha256"):
        KeyRing([MachineKey("batch", digest, "svc", frozenset(), NOW)])


def test_two_keys_of_one_hash_are_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="same sha256"):
        KeyRing([machine("secret", "a"), machine("secret", "b")])
