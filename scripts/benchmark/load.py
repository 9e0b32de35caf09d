"""The load: raw HTTP/1.1 over keep-alive connections, each asking again as soon as it has its answer."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import urlsplit

import uvloop

from scripts.benchmark import texts

PATH: Final = "/v1/chat/completions"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LAST_CHUNK: Final = b"0\r\n\r\n"


class Refused(RuntimeError):
    """An answer that is not the one expected, or none: the figures would mean nothing."""


@dataclass(slots=True)
class Outcome:
    """What a batch of calls came to. Times are seconds."""

    latencies: list[float] = field(default_factory=list[float])
    first: list[float] = field(default_factory=list[float])
    """Streams: until the first event had arrived."""
    took: float = 0.0
    events: int = 0


class _Caller(asyncio.Protocol):
    """One connection, one call at a time."""

    def __init__(self, head: bytes, body: bytes, outcome: Outcome, left: list[int], events: int) -> None:
        self._head = head
        self._body = body
        self._outcome = outcome
        self._left = left
        self._events = events
        self._buffer = b""
        self._started = 0.0
        self._first = 0.0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is none
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(Refused(f"connection closed: {exc or self._buffer[:200]!r}"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._events:
            if not self._first and b"data: " in self._buffer:
                self._first = time.perf_counter()
            if self._buffer.endswith(_LAST_CHUNK):
                self._finish_stream()
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end >= 0:
            length = _LENGTH.search(self._buffer, 0, end + 2)
            if length is None or len(self._buffer) >= end + 4 + int(length[1]):
                self._finish()

    def _next(self) -> None:
        assert self._transport is not None
        if not self._left[0]:
            self._transport.close()
            self._end(None)
            return
        self._left[0] -= 1
        body = self._body.replace(texts.MARK, b"%07d" % self._left[0], 1)
        self._buffer = b""
        self._first = 0.0
        self._started = time.perf_counter()
        self._transport.write(self._head + body)

    def _finish_stream(self) -> None:
        events = self._buffer.count(b'"delta":{"content"')
        if b"data: [DONE]" not in self._buffer or not events:
            self._end(Refused(f"a stream without an end: {self._buffer[-300:]!r}"))
            return
        self._outcome.first.append(self._first - self._started)
        self._outcome.events += self._events
        self._finish()

    def _finish(self) -> None:
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            self._end(Refused(f"answered {self._buffer[:400]!r}"))
            return
        self._outcome.latencies.append(time.perf_counter() - self._started)
        self._next()

    def _end(self, error: Refused | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


async def _calls(url: str, token: str, count: int, connections: int, events: int) -> Outcome:
    place = urlsplit(url)
    body = texts.request(f"bench-{events or 1}", stream=bool(events))
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode("ascii")
    outcome, left = Outcome(), [count]
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    callers: list[_Caller] = []
    for _ in range(connections):
        _, caller = await loop.create_connection(
            lambda: _Caller(head, body, outcome, left, events), place.hostname or "", place.port or 80
        )
        callers.append(caller)
    try:
        async with asyncio.timeout(120):
            await asyncio.gather(*(caller.done for caller in callers))
    except TimeoutError:
        raise Refused(f"{url} did not finish {count} calls in 120 s") from None
    outcome.took = time.perf_counter() - started
    return outcome


def calls(url: str, token: str, count: int, *, connections: int = 16, events: int = 0) -> Outcome:
    """Make `count` calls at `url` and wait for all of them; with `events`, streams of that many."""
    return uvloop.run(_calls(url, token, count, connections, events))
