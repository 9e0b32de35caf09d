"""Server-sent events: bytes in, events out, with the raw bytes of each kept (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import re
from typing import Final

from penstock.apis.wire.body import emit_line
from penstock.apis.wire.framing import MAX_EVENT, Event, Framer
from penstock.exchange import Json

_BOM: Final = b"\xef\xbb\xbf"
_LINE: Final = re.compile(rb"\r\n|\n|\r")
# An event with a name, as those servers write it that name them.
_NAMED: Final = re.compile(rb"event: ([\w.-]{1,64})\ndata: ([^\r\n]*)\n\n", re.ASCII)
# The end of an event: an empty line, which may also be the very first one.
_BLANK: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)")


class Sse(Framer):
    """Events, each ended by an empty line."""

    def __init__(self, limit: int = MAX_EVENT) -> None:
        super().__init__(limit)
        self._start = True
        self._searched = 0

    def feed(self, data: bytes) -> list[Event]:
        if data[:6] == b"data: " and data[-2:] == b"\n\n" and not self._buffer and self._alone(data):
            return [Event(data, data[6:-2])]
        buffer = self._buffer + data if self._buffer else data
        if b"\r" in buffer:
            events, at = self._any(buffer)
        else:
            events, at = self._unix(buffer)
        self._buffer = buffer[at:] if at else buffer
        self._searched = max(0, len(self._buffer) - 3)
        return events if len(buffer) <= self._limit and not self.overflow else self._bounded(events)

    def _alone(self, data: bytes) -> bool:
        """Whether a read that looks like it is one event of one line: most are, as model servers write them."""
        size = len(data)
        if data.find(b"\n") != size - 2 or b"\r" in data or size > self._limit or self.overflow:
            return False
        self._start = False
        return True

    def _end_of(self, raw: bytes) -> bytes:
        return b"" if _BLANK.search(raw) else b"\n" if raw.endswith(b"\n") else b"\n\n"

    def _unix(self, buffer: bytes) -> tuple[list[Event], int]:
        """The ordinary case: lines end in LF alone."""
        events: list[Event] = []
        at, look = 0, self._searched
        while (end := buffer.find(b"\n\n", look)) >= 0:
            events.append(self._event(buffer[at : end + 2]))
            at = look = end + 2
        return events, at

    def _any(self, buffer: bytes) -> tuple[list[Event], int]:
        """Any mix of line ends. An empty line whose CR stands last waits: the LF behind it may be on its way."""
        events: list[Event] = []
        at, look = 0, self._searched
        while (found := _BLANK.search(buffer, look)) and not (found.end() == len(buffer) and buffer.endswith(b"\r")):
            events.append(self._event(buffer[at : found.end()]))
            at = look = found.end()
        return events, at

    def _event(self, raw: bytes) -> Event:
        start, self._start = self._start, False
        if raw.startswith(b"data: ") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
            return Event(raw, raw[6:-2])
        if (named := _NAMED.fullmatch(raw)) is not None:
            return Event(raw, named[2], named[1].decode())
        return _read(raw, start=start)


def _read(raw: bytes, *, start: bool) -> Event:
    """An event line by line. Fields other than data and event are left out of what is understood."""
    text = raw.removeprefix(_BOM) if start else raw
    data: list[bytes] = []
    names: list[bytes] = []
    lines = 0
    for line in _LINE.split(text):
        field, _, value = line.partition(b":")
        lines += bool(line)
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            names.append(value.removeprefix(b" "))
    if not data:
        return Event(raw, None, plain=False)
    name = names[-1].decode("utf-8", "replace") if names else ""
    plain = len(data) == 1 and len(names) <= 1 and lines == len(data) + len(names)
    return Event(raw, b"\n".join(data), name, plain)


def encode(document: Json, name: str = "") -> bytes:
    """An event that holds a document."""
    data = b"data: " + emit_line(document) + b"\n\n"
    return b"event: " + name.encode() + b"\n" + data if name else data
