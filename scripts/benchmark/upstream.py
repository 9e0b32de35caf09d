"""A stand-in for a model server that costs next to nothing: canned JSON replies, and streams at a steady pace.

`python -m scripts.benchmark.upstream` prints its address and serves until SIGTERM. A request for model `bench-230`
with `"stream": true` gets 230 events, one every few milliseconds, each in a chunk of its own.
"""

from __future__ import annotations

import asyncio
import re
import signal
from functools import cache
from typing import Final, cast

import click
import uvloop

from scripts.benchmark import texts

READY: Final = "benchmark upstream: listening on "
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAMED: Final = re.compile(rb'"stream": ?true')
_EVENTS: Final = re.compile(rb'"model": ?"bench-(\d+)"')
_STREAM_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@cache
def _whole() -> bytes:
    body = texts.reply()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@cache
def _chunks(count: int) -> tuple[bytes, ...]:
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in texts.events(count)]
    # The last text, the finish and [DONE] leave together, as they do from a real server.
    return (*chunks[: count - 1], b"".join(chunks[count - 1 :]) + b"0\r\n\r\n")


class Stub(asyncio.Protocol):
    """One connection: any POST is answered, in order."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is none

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end + 2)
            stop = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < stop:
                return
            body, self._buffer = self._buffer[end + 4 : stop], self._buffer[stop:]
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        assert self._transport is not None
        if not _STREAMED.search(body):
            self._transport.write(_whole())
            return
        asked = _EVENTS.search(body)
        chunks = _chunks(int(asked[1]) if asked else 25)
        self._transport.write(_STREAM_HEAD + chunks[0])
        asyncio.get_running_loop().call_later(self._pace, self._go_on, chunks, 1)

    def _go_on(self, chunks: tuple[bytes, ...], at: int) -> None:
        if self._transport is None:
            return
        self._transport.write(chunks[at])
        if at + 1 < len(chunks):
            asyncio.get_running_loop().call_later(self._pace, self._go_on, chunks, at + 1)


async def _run(pace: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Stub(pace), "127.0.0.1", 0, backlog=512)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_signal_handler(signal.SIGINT, ended.set)
    print(f"{READY}http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()


@click.command()
@click.option("--pace", type=float, default=4.0, help="Milliseconds between two events of a stream.")
def main(pace: float) -> None:
    """Answer chat completions on loopback."""
    uvloop.run(_run(pace / 1000))


if __name__ == "__main__":
    main()
