"""Machine keys: secrets of which only a hash is kept, each with an end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from penstock.errors import ConfigurationError
from penstock.identity.token import invalid_token
from penstock.policy.settings import MachineKey

PREFIX: Final = "penstock_"
"""Every key made here begins so, for people and for secret scanners."""

_BYTES: Final = 32
_SHORTEST: Final = 32
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_VISIBLE: Final = re.compile(r"[!-~]+")


class NewKey(NamedTuple):
    """A key to hand out once, and the hash to write into the policy."""

    key: str
    sha256: str


class KeyRing:
    """The machine keys of a policy."""

    def __init__(self, keys: Sequence[MachineKey]) -> None:
        """`ConfigurationError` for a hash that is none, or that two keys share."""
        self._keys = tuple((_digest(key), key) for key in keys)
        if len({digest for digest, _ in self._keys}) != len(self._keys):
            raise ConfigurationError("identity.keys: two machine keys have the same sha256")

    def find(self, presented: str, now: float) -> MachineKey:
        """The key that was presented, unless it is unknown or over: `Refusal("invalid_token")`.

        Every hash is compared, each in constant time, whichever matches.
        """
        digest = hashlib.sha256(presented.encode()).digest()
        found: MachineKey | None = None
        for known, key in self._keys:
            if hmac.compare_digest(known, digest):
                found = key
        if found is None:
            raise invalid_token("The credential is not known here.")
        if now >= found.expires:
            raise invalid_token("The machine key has expired.")
        return found


def new_key(random: Callable[[int], bytes] = os.urandom) -> NewKey:
    """A new key of 256 random bits."""
    key = PREFIX + base64.urlsafe_b64encode(random(_BYTES)).rstrip(b"=").decode()
    return NewKey(key, hashlib.sha256(key.encode()).hexdigest())


def advice(key: str) -> tuple[str, ...]:
    """What is wrong with a key that somebody chose, before its hash goes into a policy; empty when nothing is."""
    problems = []
    if not _VISIBLE.fullmatch(key):
        problems.append("a key must be visible ASCII characters only: it travels in a header")
    if key.count(".") == 2:
        problems.append("a key of three parts with dots between them is read as a token, and never found")
    if len(key) < _SHORTEST:
        problems.append(f"a key of fewer than {_SHORTEST} characters can be guessed once its hash is known")
    elif len(set(key)) < _SHORTEST // 3:
        problems.append("a key that repeats a few characters can be guessed once its hash is known")
    return tuple(problems)


def _digest(key: MachineKey) -> bytes:
    if not _HASH.fullmatch(key.sha256):
        raise ConfigurationError(f"identity.keys: {key.id!r} has no sha256 of 64 lower-case hexadecimal digits")
    return bytes.fromhex(key.sha256)
