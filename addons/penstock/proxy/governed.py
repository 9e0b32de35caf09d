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
    if event in ("requestheaders", "request"):
        subject.response = answers.safely(known, refusal, subject.request.path)
    elif event in ("responseheaders", "response"):
        replace_reply(subject, known, refusal)
    elif event.startswith(("http_connect", "websocket")) and subject.killable:
        subject.kill()


def replace_reply(subject: http.HTTPFlow, known: passage.Passage | None, refusal: Refusal) -> None:
    """Puts a refusal in the place of the model's reply; a stream that has begun is cut instead."""
    answer = answers.safely(known, refusal, subject.request.path)
    if subject.response is not None and subject.response.stream and known is not None and known.first_byte_at:
        subject.kill()
        return
    if known is not None:
        known.local = True
    body = answer.raw_content or b""
    # The model's body still arrives under this head: it is swallowed, ours goes out once.
    left = [body]
    answer.stream = lambda _data: [left.pop()] if left else []
    subject.response = answer


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
    counts: dict[str, int] = {}
    _shortcuts: dict[Connection, Shortcut]
    _parsers: dict[Connection, _http1.Http1Connection]
    head_since: float = 0.0
    """When the first byte of a request head that is not complete yet arrived; 0: none is pending."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)  # type: ignore[no-untyped-call]
        self._shortcuts = {}
        self._parsers = {}

    def log(self, message: str, level: int = logging.INFO, exc_info: Any = None) -> None:
        if level >= logging.ERROR:
            error = exc_info[1] if isinstance(exc_info, tuple) else None
            if error is None and exc_info:
                import sys

                error = sys.exception()
            logger.error("connection dropped after %s", _where(error) if error else "a failure")
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

    def write_chunks(self, parts: list[bytes]) -> None:
        """Writes parts of a chunked message to the caller from outside a hook (a stream that the watchdog ends)."""
        io = self.transports.get(self.client)
        if io is not None and io.writer is not None and not io.writer.is_closing():
            for part in parts:
                io.writer.write(b"%x\r\n%s\r\n" % (len(part), part))

    async def handle_client(self) -> None:
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

    def _bound_buffers(self, event: events.DataReceived) -> None:
        """mitmproxy bounds neither heads nor what a client sends ahead of its turn; both are what is left in `buf`."""
        http1 = self._parser(event.connection)
        if http1 is None:
            return
        pending = len(http1.buf)
        if not pending:
            self.head_since = 0.0 if event.connection is self.client else self.head_since
            return
        if event.connection is self.client:
            waiting = http1.state.__name__ == "read_headers"
            self.head_since = (self.head_since or event_time()) if waiting else 0.0
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


def event_time() -> float:
    return asyncio.get_running_loop().time()


def _send(self: _http1.Http1Server, event: Any) -> Generator[commands.Command, Any, None]:
    """`Http1Server.send`, with our error answers in place of mitmproxy's HTML page (which names its version)."""
    if isinstance(event, ResponseProtocolError):
        status = event.code.http_status_code()
        if self.conn.state & ConnectionState.CAN_WRITE:
            if not self.response and status is not None:
                yield commands.SendData(self.conn, answers.page(self.request, status))
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
