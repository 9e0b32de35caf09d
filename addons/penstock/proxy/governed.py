"""Governed dispatch: any failure in any hook, layer or stream is a refusal, never a forwarded request.

mitmproxy logs an exception that a hook raises and forwards the flow all the same; here that is impossible, for
`penstock serve` and for `mitmdump -s` alike. Three pieces do it: a manager whose dispatch refuses by kind of event
and checks what is about to be forwarded against what was cleared; a connection handler that drops a connection whose
layers crashed; and error pages of our own.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import traceback
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

from mitmproxy import addonmanager, flow, hooks, http
from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import commands, events, layer, mode_servers, server_hooks
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._events import ResponseProtocolError
from mitmproxy.proxy.layers.websocket import WebsocketMessageHook

from penstock.errors import Refusal, failed
from penstock.proxy import answers, passage, shortcut
from penstock.proxy.layers import Refused
from penstock.proxy.shortcut import Shortcut

if TYPE_CHECKING:
    from mitmproxy.master import Master

    from penstock.proxy.stream import Stream

logger = logging.getLogger("penstock")

LINGER_SECONDS: Final = 20.0
"""How long a connection that is being closed may take to deliver what was written to it."""

# Hooks after which a flow goes on to the model or back to the caller.
_GOVERNED: Final = frozenset({"requestheaders", "request", "responseheaders", "response"})
# Events of protocols that are never governed: whatever brings one here is cut.
_FOREIGN: Final = ("tcp_", "udp_", "dns_", "quic_", "http_connect", "socks5_")


def always(hook: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a hook that runs although the exchange is refused already (to record and to answer)."""
    hook.always = True  # type: ignore[attr-defined]
    return hook


class GovernedManager(addonmanager.AddonManager):
    """mitmproxy's addon manager, failing closed."""

    _table: dict[str, list[tuple[Callable[..., Any], bool]]]
    closed: bool
    """True once the chain was unloaded: nothing is forwarded any more."""

    @classmethod
    def govern(cls, master: Master) -> GovernedManager:
        """Turns the manager of a running master into a governed one, in place (mitmproxy has signals bound to it)."""
        manager = master.addons
        manager.__class__ = cls
        assert isinstance(manager, cls)
        manager._table = {}
        manager.closed = False
        return manager

    def register(self, addon: Any) -> Any:
        self._table = {}
        try:
            return super().register(addon)  # type: ignore[no-untyped-call]
        finally:
            self._table = {}

    def remove(self, addon: Any) -> None:
        try:
            super().remove(addon)  # type: ignore[no-untyped-call]
        finally:
            self._table = {}

    def adopt(self, addons: list[Any]) -> None:
        """Makes the sub-addons that a registered addon has gained known by name, and their hooks run."""
        for addon in addonmanager.traverse(addons):
            self.lookup[addonmanager._get_name(addon)] = addon
        self._table = {}

    def clear(self) -> None:
        self.closed = True
        super().clear()  # type: ignore[no-untyped-call]
        self._table = {}

    async def handle_lifecycle(self, event: hooks.Hook) -> None:
        await self.trigger_event(event)
        if self._hooks("update") and isinstance(event.args()[0], flow.Flow):
            await self.trigger_event(hooks.UpdateHook([event.args()[0]]))

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Runs the hooks of an event in order. Nothing that any of them raises gets past this method as a pass."""
        name = event.name
        refused = self.closed
        if refused or name.startswith(_FOREIGN):
            refuse(event, failed())
            refused = True
        elif name in _GOVERNED and (known := passage.find(event.args()[0])) is not None:
            refused = known.refusal is not None
        for hook, runs_always in self._table.get(name) or self._hooks(name):
            if refused and not runs_always:
                continue
            try:
                result = hook(*event.args())
                if result is not None and inspect.isawaitable(result):
                    await result
            except BaseException as error:
                refused = True
                self._failed(event, error)
                task = asyncio.current_task()
                if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                    raise  # the connection is being torn down: the refusal is noted, the task must end
        if name == "request":
            _check_cleared(event.args()[0])

    def _hooks(self, name: str) -> list[tuple[Callable[..., Any], bool]]:
        if name not in self._table:
            self._table[name] = [
                (func, getattr(func, "always", False))
                for top in self.chain
                for addon in addonmanager.traverse([top])
                if callable(func := getattr(addon, name, None))
            ]
        return self._table[name]

    def _failed(self, event: hooks.Hook, error: BaseException) -> None:
        if isinstance(error, Refusal):
            refuse(event, error)
            return
        logger.error("%s: refused after %s", event.name, _where(error))
        refuse(event, failed())
        if event.name in ("running", "done"):
            self.master.shutdown()


def _where(error: BaseException) -> str:
    """Type and place of an error, without its message: messages may hold prompt text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "nowhere"
    return f"{type(error).__name__} at {place}"


def refuse(event: hooks.Hook, refusal: Refusal) -> None:
    """Makes an event end in a refusal, whatever kind of event it is."""
    subject = event.args()[0] if event.args() else None
    match subject:
        case http.HTTPFlow() if isinstance(event, WebsocketMessageHook):
            assert subject.websocket is not None
            subject.websocket.messages[-1].drop()
            subject.kill()
        case http.HTTPFlow():
            _refuse_http(event.name, subject, refusal)
        case server_hooks.ServerConnectionHookData():
            subject.server.error = "refused"
            if event.name == "server_connected":  # too late to stop the connect: the exchange is cut instead
                _abort(subject.client.id)
        case layer.NextLayer():
            subject.layer = Refused(subject.context)
        case flow.Flow():
            if subject.killable:
                subject.kill()
        case None:
            pass
        case _ if hasattr(subject, "error"):
            subject.error = "refused"


def _refuse_http(event: str, subject: http.HTTPFlow, refusal: Refusal) -> None:
    known = passage.find(subject)
    if known is not None:
        known.refuse(refusal)
    answer = answers.safely(known, refusal, subject.request.path)
    if event == "responseheaders" or (event == "requestheaders" and _large(subject.request)):
        # Answered now, and the connection closed: the rest of either body is nobody's business any more.
        _cut(subject, answer)
    elif event in ("requestheaders", "request"):
        subject.response = answers.bodiless(subject.request, answer)
    elif event == "response":
        _replace_reply(subject, known, answer)
    elif event.startswith(("http_connect", "websocket")) and subject.killable:
        subject.kill()


# Up to this size a refused request's body is read first, so that its connection can be used again.
_SMALL: Final = 65_536


def _large(request: http.Request) -> bool:
    length = request.headers.get("content-length", "")
    return "transfer-encoding" in request.headers or (length.isdigit() and int(length) > _SMALL)


def _cut(subject: http.HTTPFlow, answer: http.Response) -> None:
    """Ends the exchange here: `answer` goes out in place of whatever would follow (see `_send`)."""
    answers.prepare(subject.request, answer)
    if subject.killable:
        subject.kill()


def _replace_reply(subject: http.HTTPFlow, known: passage.Passage | None, answer: http.Response) -> None:
    """Puts a refusal in the place of the model's whole reply; one that is being streamed is cut."""
    if known is not None and known.streamed and known.last_byte_at:
        subject.kill()
        return
    if known is not None:
        known.local = True
    subject.response = answers.bodiless(subject.request, answer)


def _check_cleared(subject: http.HTTPFlow) -> None:
    """The last word before mitmproxy forwards: only what `dispatch` cleared, exactly as it cleared it."""
    if subject.response is not None or subject.error is not None:
        return
    known = passage.find(subject)
    if known is None or known.cleared is None or known.cleared != passage.seal(subject.request):
        if known is not None:
            known.refuse(failed())
        logger.error("request: refused, it was not cleared as it stands")
        subject.response = answers.safely(known, failed(), subject.request.path)


def _abort(client_id: str) -> None:
    from mitmproxy import ctx

    proxyserver = ctx.master.addons.get("proxyserver")
    handler = proxyserver.connections.get(client_id) if proxyserver else None
    if isinstance(handler, GovernedHandler):
        handler.abort()


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
                import sys

                error = sys.exception()
            logger.error("connection dropped after %s", _where(error) if error else "a failure")
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
        if self._body_bytes <= self.request_body + self.header_bytes + 65_535 or self._current is None:
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


def install(master: Master) -> GovernedManager:
    """Governs a master: its manager, every connection it will accept, and its error pages. Safe to call again."""
    shortcut.install()
    mode_servers.ProxyConnectionHandler = GovernedHandler  # type: ignore[misc]
    _http1.Http1Server.send = _send  # type: ignore[method-assign]
    _http1.make_error_response = lambda status, _message="": answers.page(None, status)  # type: ignore[assignment]
    if isinstance(master.addons, GovernedManager):
        return master.addons
    return GovernedManager.govern(master)
