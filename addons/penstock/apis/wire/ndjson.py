"""Newline-delimited JSON: bytes in, lines out, with the raw bytes of each kept."""

from __future__ import annotations

from penstock.apis.wire.body import emit_line
from penstock.apis.wire.framing import Event, Framer
from penstock.exchange import Json


class Ndjson(Framer):
    """Lines, each an event; an empty line has no data."""

    def feed(self, data: bytes) -> list[Event]:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return self._bounded([self._event(line + b"\n") for line in lines])

    def _end_of(self, raw: bytes) -> bytes:
        return b"\n"

    def _event(self, raw: bytes) -> Event:
        data = raw.strip(b" \t\r\n")
        return Event(raw, data or None, plain=len(raw) - len(data) <= 1)


def encode(document: Json) -> bytes:
    """A line that holds a document."""
    return emit_line(document) + b"\n"
