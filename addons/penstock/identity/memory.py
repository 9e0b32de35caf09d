"""Credentials that were admitted a moment ago, remembered by their hash."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from penstock.caller import Caller
from penstock.identity.jwks import KeySource
from penstock.identity.signing import SigningKey

LIMIT: Final = 10_000
"""Entries, about 1 KB each; the one that was unused longest goes first."""

SECONDS: Final = 60.0
"""Longest that an entry lives.

A rotated key and a new policy end an entry at once, so this only bounds what nobody notices: a key set that goes
stale while the provider is away. Verifying each token once a minute costs next to nothing.
"""


def digest_of(credential: bytes) -> bytes:
    """What stands for a credential here, so that none is kept: BLAKE2b, two thirds of the time that SHA-256 takes."""
    return hashlib.blake2b(credential, digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    caller: Caller
    until: float
    source: KeySource | None = None
    key: SigningKey | None = None
    """The key that signed, and where it must still be; None for machine keys."""

    def holds(self, now: float) -> bool:
        if now >= self.until:
            return False
        return self.source is None or self.key is None or self.key.print in self.source.keys.prints


class Memory:
    """A bounded map from the digest of a credential to its caller."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._limit = limit

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, digest: bytes, now: float) -> Caller | None:
        """The caller, if it was admitted and nothing has changed since."""
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if not entry.holds(now):
            del self._entries[digest]
            return None
        self._entries.move_to_end(digest)
        return entry.caller

    def put(self, digest: bytes, caller: Caller, now: float, source: KeySource | None, key: SigningKey | None) -> None:
        self._entries[digest] = Entry(caller, min(caller.expires, now + SECONDS), source, key)
        self._entries.move_to_end(digest)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)
