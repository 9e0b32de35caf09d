"""A small HTTP/1.1 server that frames its answers as Go's net/http does: the headers it adds, their order, chunks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

_BUFFER: Final = 2048
"""A body up to this size gets a Content-Length; a larger one is sent in chunks (net/http's response buffer)."""
_HEAD_LIMIT: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class Answer:
    """Where a handler writes its answer: `send` for a whole one, or `begin` and `chunk` for a stream."""

    def __init__(self, writer: asyncio.StreamWriter, *, head_only: bool) -> None:
        self._writer = writer
        self._head_only = head_only
        self.begun = False

    async def send(self, status: int, content_type: str, body: bytes) -> None:
        if len(body) > _BUFFER and not self._head_only:
            self._head(status, content_type, ["Transfer-Encoding: chunked"])
            await self.chunk(body)
            return
        self._head(status, content_type, [f"Content-Length: {len(body)}"])
        if not self._head_only:
            self._writer.write(body)
        await self._writer.drain()

    def begin(self, content_type: str) -> None:
        """Head of a stream; the handler then calls `chunk`, and the server ends it."""
        self._head(200, content_type, ["Transfer-Encoding: chunked"])

    async def chunk(self, data: bytes) -> None:
        self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self._writer.drain()

    @property
    def chunked(self) -> bool:
        return self._chunked

    def _head(self, status: int, content_type: str, framing: list[str]) -> None:
        self.begun = True
        self._chunked = framing[0].startswith("Transfer")
        length = [] if self._chunked else framing
        rest = framing if self._chunked else []
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            f"Content-Type: {content_type}",
            f"Date: {formatdate(usegmt=True)}",
            *length,
            *rest,
        ]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))


type Handler = Callable[[Request, Answer], Awaitable[None]]


async def serve(handler: Handler, *, host: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
    """Listen and hand each request to `handler`; `server.sockets[0].getsockname()` tells the port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while request := await _request(reader):
                await _answer(handler, request, writer)
                if request.headers.get("connection", "").lower() == "close":
                    break
        writer.close()

    return await asyncio.start_server(connected, host, port, limit=_HEAD_LIMIT)


async def _answer(handler: Handler, request: Request, writer: asyncio.StreamWriter) -> None:
    answer = Answer(writer, head_only=request.method == "HEAD")
    await handler(request, answer)
    assert answer.begun
    if answer.chunked:
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of the connection, or None at its end; ValueError for one that cannot be read."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    line, *fields = head[:-4].split("\r\n")
    method, target, _ = line.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return Request(method, target.partition("?")[0], headers, await _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    parts: list[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
    await reader.readuntil(b"\r\n")
    return b"".join(parts)
