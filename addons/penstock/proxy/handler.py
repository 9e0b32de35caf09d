"""One client's connection: a crash below the hooks drops it, its buffers and times are bounded, its errors are ours."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import commands, events, mode_servers
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._events import ResponseProtocolError

from penstock.proxy import answers, passage, shortcut
from penstock.proxy.shortcut import Shortcut

if TYPE_CHECKING:
    from penstock.proxy.stream import Stream

logger = logging.getLogger("penstock")

MOST_UNREAD: Final = 1_000_000
"""Bytes beyond a request head that a client may send before its first head was seen (a body on its way behind it)."""
LINGER_SECONDS: Final = 20.0
"""How long a connection that is being closed may take to deliver what was written to it."""


def where_of(error: BaseException) -> str:
    """Type and place of an error, without its message: messages may hold prompt text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "nowhere"
    return f"{type(error).__name__} at {place}"


class GovernedHandler(mode_servers.ProxyConnectionHandler):
    """mitmproxy's connection handler: a crash below the hooks drops the connection, and buffers are bounded."""

    header_bytes: int = 64_000
    per_client: int = 100
    request_body: int = 20_000_000
    counts: dict[str, int] = {}
    _shortcuts: dict[Connection, Shortcut]
    _parsers: dict[Connection, _http1.Http1Connection]
    head_since: float = 0.0
    """Since when a request head is due (see `waits_for_head`); 0: none is."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)  # type: ignore[no-untyped-call]
        self._shortcuts = {}
        self._parsers = {}
        self.crashed = False
        self.requests = 0
        self._current: passage.Passage | None = None
        self._body_bytes = 0

    def log(self, message: str, level: int = logging.INFO, exc_info: Any = None) -> None:
        if level >= logging.ERROR:
            error = exc_info[1] if isinstance(exc_info, tuple) else None
            if error is None and exc_info:
                error = sys.exception()
            logger.error("connection dropped after %s", where_of(error) if error else "a failure")
            self.crashed = True
            self.abort()

    def abort(self) -> None:
        """Closes every socket of this client at once, unflushed."""
        for io in list(self.transports.values()):
            transport = getattr(io.writer, "transport", None)
            if transport is not None:
                transport.abort()
            if io.handler is not None:
                io.handler.cancel("aborted")

    def close_upstream(self) -> None:
        """Closes the connections to model servers; the caller's stays."""
        for connection, io in list(self.transports.items()):
            if connection is not self.client and io.handler is not None:
                io.handler.cancel("closed by the gateway")

    def end_early(self, terminator: bytes) -> None:
        """Ends the message to the caller although the model's goes on: flushes what was written, closes both sides."""
        io = self.transports.get(self.client)
        if io is not None and io.writer is not None and not io.writer.is_closing():
            if terminator:
                io.writer.write(terminator)
            self.close_connection(self.client)
        self.close_upstream()

    def write_early(self, data: bytes) -> None:
        """Writes to the caller from outside a hook (a stream that the watchdog ends)."""
        io = self.transports.get(self.client)
        if io is not None and io.writer is not None and not io.writer.is_closing():
            io.writer.write(data)

    def close_connection(self, connection: Connection, half_close: bool = False) -> None:
        """As mitmproxy does, but a caller that does not read, or does not stop sending, is not waited for for ever."""
        io = self.transports.get(connection)
        transport = getattr(io.writer, "transport", None) if io is not None else None
        super().close_connection(connection, half_close)
        if connection is self.client and transport is not None:
            asyncio.get_running_loop().call_later(LINGER_SECONDS, transport.abort)

    def begin(self, here: passage.Passage) -> None:
        """A request head is complete; its body is counted from here on."""
        self.head_since = 0.0
        self.requests += 1
        self._current = here
        self._body_bytes = 0

    def waits_for_head(self, now: float) -> float:
        """Seconds since a request head was begun that is not complete yet, or since the connection was opened without
        any; 0 when none is due. `now` is the loop's time; to be called every now and then."""
        parser = self._parser(self.client)
        if parser is None or not self.requests:
            due = True
        else:
            due = bool(len(parser.buf)) and parser.state.__name__ == "read_headers"
        self.head_since = (self.head_since or now) if due else 0.0
        return now - self.head_since if due else 0.0

    async def handle_client(self) -> None:
        if self.client.peername is None:  # gone before it was accepted
            self.abort()
            return
        host = self.client.peername[0]
        if self.counts.get(host, 0) >= self.per_client:
            logger.warning("connection refused: %s has %d open", host, self.per_client)
            self.abort()
            return
        self.counts[host] = self.counts.get(host, 0) + 1
        try:
            await super().handle_client()
        finally:
            self.counts[host] -= 1
            if not self.counts[host]:
                del self.counts[host]

    def shorten(self, server: Connection, stream: Stream, *, chunked: bool) -> None:
        """From the next read on, the body of this streamed reply takes the short way."""
        http1 = self._parser(server)
        if http1 is not None:
            self._shortcuts[server] = Shortcut(http1, stream, chunked=chunked)

    async def server_event(self, event: events.Event) -> None:
        if type(event) is not events.DataReceived:
            await super().server_event(event)
            if type(event) is events.ConnectionClosed:
                self._parsers.pop(event.connection, None)
                self._shortcuts.pop(event.connection, None)
            return
        if event.connection is self.client and self._over_limit(len(event.data)):
            return
        shortcut = self._shortcuts.get(event.connection)
        if shortcut is not None:
            io = self.transports.get(self.client)
            if io is not None and io.writer is not None and not io.writer.is_closing():
                assert isinstance(io.writer, asyncio.StreamWriter)
                if shortcut.take(event.data, io.writer):
                    self.timeout_watchdog.register_activity()
                    return
                event = events.DataReceived(event.connection, b"")  # `take` has put the bytes where they belong
            del self._shortcuts[event.connection]
        await super().server_event(event)
        self._bound_buffers(event)

    def _over_limit(self, arrived: int) -> bool:
        """mitmproxy has one limit for bodies of both directions; a request's own is kept here."""
        self._body_bytes += arrived
        if self._current is None:
            # Not one request head of HTTP/1 yet. What else is spoken has a smaller limit of its own; this one holds
            # also while its layer waits for the journal.
            if self._body_bytes > self.header_bytes + MOST_UNREAD:
                self.abort()
                return True
            return False
        if self._body_bytes <= self.request_body + self.header_bytes + 65_535:
            return False
        self._current.refuse(answers.by_status(413))
        io = self.transports.get(self.client)
        if io is not None and io.writer is not None and not io.writer.is_closing():
            io.writer.write(answers.page(None, 413))
            self.close_connection(self.client)
        return True

    def _bound_buffers(self, event: events.DataReceived) -> None:
        """mitmproxy bounds neither heads nor what a client sends ahead of its turn; both are what is left in `buf`."""
        http1 = self._parser(event.connection)
        if http1 is None:
            return
        pending = len(http1.buf)
        if pending > self.header_bytes + 65_535:
            logger.warning("connection dropped: %d bytes of head or of requests sent ahead", pending)
            self.abort()
        elif pending > self.header_bytes and http1.state.__name__ == "read_headers":
            io = self.transports.get(self.client)
            if io is not None and io.writer is not None and event.connection is self.client:
                io.writer.write(answers.page(None, 431))
                self.close_connection(self.client)
            else:
                self.abort()

    def _parser(self, connection: Connection) -> _http1.Http1Connection | None:
        """The HTTP/1 parser of a connection (it stays the same as long as the connection lives)."""
        found = self._parsers.get(connection) or self._find_parser(connection)
        if found is not None:
            self._parsers[connection] = found
        return found

    def _find_parser(self, connection: Connection) -> _http1.Http1Connection | None:
        for known in self.layer.context.layers:
            top = getattr(known, "connections", {}).get(connection)
            if top is not None:
                last = top if isinstance(top, _http1.Http1Connection) else top.context.layers[-1]
                return last if isinstance(last, _http1.Http1Connection) else None
        return None


def _send(self: _http1.Http1Server, event: Any) -> Generator[commands.Command, Any, None]:
    """`Http1Server.send`, with our error answers in place of mitmproxy's HTML page (which names its version)."""
    if isinstance(event, ResponseProtocolError):
        status = event.code.http_status_code()
        if self.conn.state & ConnectionState.CAN_WRITE:
            # (mitmproxy keeps an interim `100 Continue` as the response.)
            begun = self.response is not None and self.response.status_code >= 200
            last = answers.ending(self.request, status, begun=begun)
            if last:
                yield commands.SendData(self.conn, last)
            if last and not self.request_done:
                # The caller is still sending: closing now would take the answer out of his hands (RFC 9112, 9.6).
                yield commands.CloseTcpConnection(self.conn, half_close=True)
            else:
                yield commands.CloseConnection(self.conn)
        return
    yield from _original_send(self, event)


_original_send = _http1.Http1Server.send


def install() -> None:
    """Every connection that mitmproxy accepts from now on is one of these, and so are its error pages."""
    shortcut.install()
    mode_servers.ProxyConnectionHandler = GovernedHandler  # type: ignore[misc]
    _http1.Http1Server.send = _send  # type: ignore[method-assign]
    _http1.make_error_response = lambda status, _message="": answers.page(None, status)  # type: ignore[assignment]
