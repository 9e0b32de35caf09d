"""A chain of entries: each holds the hash of the one before it; one chain for each boot of a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import orjson

from penstock.exchange import JsonObject, ulid
from penstock.journal.entry import NONE, digest, envelope, line


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain; `seq` is -1 before the first."""

    chain: str
    seq: int
    hash: str


class Chain:
    """Makes the lines of one chain. Not thread-safe: it belongs to the event loop that appends."""

    __slots__ = ("_hash", "_prefix", "_random", "_seq", "after", "id")

    def __init__(self, id: str, *, random: Callable[[int], bytes], after: Head | None = None) -> None:
        """`after`: the chain of the boot before, which the first entry then proves up to that head."""
        self.id = id
        self.after = after
        self._random = random
        self._seq = -1
        self._hash = after.hash if after is not None else NONE

    @property
    def head(self) -> Head:
        return Head(self.id, self._seq, self._hash)

    def extend(
        self, at: float, kind: str, exchange: str | None, body: JsonObject, payload: JsonObject | None = None
    ) -> bytes:
        """The line of the next entry. Raises: TypeError for what JSON cannot say; the chain is then as it was."""
        seq = self._seq + 1
        if seq == 0:
            body = body | {"after": None if self.after is None else {"chain": self.after.chain, "seq": self.after.seq}}
        salt = packed = hashed = None
        if payload is not None:
            packed = orjson.dumps(payload)
            salt = self._random(16).hex()
            hashed = digest(salt, packed)
        sealed = envelope(self.id, seq, self._hash, round(at * 1_000_000), kind, exchange, body, hashed)
        self._seq = seq
        self._hash = sha256(sealed).hexdigest()
        return line(sealed, self._hash, salt, packed)

    def rewind(self, head: Head) -> None:
        """Forgets the entries after `head`, none of which was kept."""
        self._seq = head.seq
        self._hash = head.hash


def chain_id(at: float, newest: str = "") -> str:
    """A ULID for a new chain that sorts after `newest`, also when the clock was set back."""
    found = ulid(at)
    return found if found > newest else ulid((_milliseconds(newest) + 2) / 1000)


def _milliseconds(id: str) -> int:
    value = 0
    for character in id[:10]:
        value = value * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(character)
    return value
