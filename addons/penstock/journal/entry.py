"""The form of a journal entry: an envelope that is hashed and chained, and beside it a payload with its salt.

A line is a JSON object in exactly this order, without spaces, as `orjson` emits it:

    {"hash": sha256(envelope), "envelope": "<canonical JSON in a string>", "salt": hex | null, "payload": {...} | null}

The envelope holds `v, chain, seq, prev, at, kind, exchange, body, payload`, in that order; `payload` is
`sha256(salt || canonical payload)`, so that a payload can be taken away without breaking the chain. What would not be
emitted again byte for byte is not an entry: there is one way to write each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal, cast

import orjson

from penstock.errors import StoreError
from penstock.exchange import Json, JsonObject

VERSION: Final = 1
NONE: Final = "0" * 64
"""`prev` of the first entry of a chain that follows no other."""
MAX_LINE: Final = 64 * 1024 * 1024
"""Bytes; DuckDB reserves twice this for each reading thread, and skips longer lines."""
KINDS: Final = frozenset(
    {
        "start", "stop", "policy", "request", "verdict", "approval", "chunk", "response", "abort", "admin", "redaction",
    }
)  # fmt: skip
FIELDS: Final = ("v", "chain", "seq", "prev", "at", "kind", "exchange", "body", "payload")

_CHAIN: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_SALT: Final = re.compile(r"[0-9a-f]{32}\Z")

type Fault = Literal["unreadable", "envelope", "payload", "erased"]
"""What is wrong with a line by itself: not an entry; not what its hash says; a payload that is not the one that was
hashed; a payload that is gone."""


class EntryError(StoreError):
    """A line that is not an entry as this module writes it."""

    def __init__(self, fault: Fault, message: str, entry: Entry | None = None) -> None:
        super().__init__(message)
        self.fault = fault
        self.entry = entry
        """What it says it is, when that much can be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is chained of a journal line."""

    chain: str
    """ULID of the boot of a worker that wrote it."""
    seq: int
    """0, 1, 2, ... in its chain."""
    prev: str
    """Hash of the envelope before it."""
    at: int
    """Unix time in microseconds."""
    kind: str
    exchange: str | None
    body: JsonObject
    payload: str | None
    """sha256(salt || payload), or None when there is no payload."""

    def envelope(self) -> bytes:
        """The canonical bytes that are hashed."""
        return envelope(
            self.chain, self.seq, self.prev, self.at, self.kind, self.exchange, self.body, self.payload
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A journal line: the entry, its hash, and what stands beside the envelope."""

    entry: Entry
    hash: str
    salt: str | None
    payload: bytes | None

    def payload_object(self) -> JsonObject:
        """The payload parsed; empty when there is none."""
        return cast("JsonObject", orjson.loads(self.payload)) if self.payload is not None else {}


def envelope(
    chain: str, seq: int, prev: str, at: int, kind: str, exchange: str | None, body: JsonObject, payload: str | None
) -> bytes:
    """The canonical envelope. Raises: TypeError for what JSON cannot say (orjson)."""
    return orjson.dumps(
        {
            "v": VERSION,
            "chain": chain,
            "seq": seq,
            "prev": prev,
            "at": at,
            "kind": kind,
            "exchange": exchange,
            "body": body,
            "payload": payload,
        }
    )


def line(sealed: bytes, hashed: str, salt: str | None, payload: bytes | None) -> bytes:
    """A whole line, with its newline. The payload stands in it as it is: copying is cheaper than escaping."""
    text = orjson.dumps(sealed.decode())
    if salt is None or payload is None:
        return b'{"hash":"%b","envelope":%b,"salt":null,"payload":null}\n' % (hashed.encode(), text)
    return b'{"hash":"%b","envelope":%b,"salt":"%b","payload":%b}\n' % (hashed.encode(), text, salt.encode(), payload)


def digest(salt: str, payload: bytes) -> str:
    """What the envelope holds of a payload."""
    return sha256(bytes.fromhex(salt) + payload).hexdigest()


def read(raw: bytes) -> Line:
    """The line in `raw` (with its newline), checked by itself. Raises: EntryError."""
    if not raw.endswith(b"\n"):
        raise EntryError("unreadable", "the line has no end")
    fields = _object(raw)
    match fields:
        case {"hash": str(hashed), "envelope": str(text), "salt": str() | None as salt, "payload": payload}:
            pass
        case _:
            raise EntryError("unreadable", "the line does not have the fields of an entry")
    body = None if payload is None else orjson.dumps(payload)
    found = check(hashed, text.encode(), salt, body)
    if line(text.encode(), hashed, salt, body) != raw:
        raise EntryError("unreadable", "the line is not written the one way it can be", found.entry)
    return found


def check(hashed: str, sealed: bytes, salt: str | None, payload: bytes | None) -> Line:
    """The line made of these columns, checked by itself. `payload` is canonical JSON. Raises: EntryError."""
    entry = parse(sealed)
    if sha256(sealed).hexdigest() != hashed:
        raise EntryError("envelope", "the envelope is not the one that was hashed", entry)
    match entry.payload, salt, payload:
        case None, None, None:
            pass
        case str(), None, None:
            raise EntryError("erased", "the payload is gone", entry)
        case str(expected), str(), bytes() if _SALT.match(salt) and digest(salt, payload) == expected:
            pass
        case _:
            raise EntryError("payload", "the payload is not the one that was hashed", entry)
    return Line(entry, hashed, salt, payload)


def parse(sealed: bytes) -> Entry:
    """The entry in an envelope. Raises: EntryError when it is not canonical."""
    fields = _object(sealed)
    if tuple(fields) != FIELDS:
        raise EntryError("unreadable", "the envelope does not have the fields of an entry")
    match fields:
        case {
            "v": int(version),
            "chain": str(chain),
            "seq": int(seq),
            "prev": str(prev),
            "at": int(at),
            "kind": str(kind),
            "exchange": str() | None as exchange,
            "body": dict(body),
            "payload": str() | None as payload,
        } if version == VERSION and seq >= 0 and at >= 0 and not isinstance(seq, bool) and not isinstance(at, bool):
            entry = Entry(chain, seq, prev, at, kind, exchange, body, payload)
        case _:
            raise EntryError("unreadable", "the envelope's fields are not those of an entry of version 1")  # fmt: skip
    if not _CHAIN.match(chain) or not _HASH.match(prev) or (payload is not None and not _HASH.match(payload)):
        raise EntryError("unreadable", "the envelope's hashes are not hashes")
    if entry.envelope() != sealed:
        raise EntryError("unreadable", "the envelope is not written the one way it can be")
    return entry


def _object(raw: bytes) -> dict[str, Json]:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise EntryError("unreadable", "the line is not JSON") from None
    if not isinstance(found, dict):
        raise EntryError("unreadable", "the line is not a JSON object")
    return found
