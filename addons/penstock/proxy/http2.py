"""HTTP/2 by prior knowledge, which gRPC needs: every request of such a connection is refused, none is forwarded."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, RequestReceived, StreamEnded
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from mitmproxy import http
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import HttpLayer
from mitmproxy.proxy.layers.http import HTTPMode

from penstock import apis
from penstock.apis.dialects import said
from penstock.errors import Refusal, failed
from penstock.proxy import answers, grpc

if TYPE_CHECKING:
    from mitmproxy.proxy.context import Context


PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""RFC 9113, section 3.4."""
_TELLING: Final = 5
"""Bytes of the preface that no HTTP/1 request of ours begins with."""

# One connection gets so much, then it is closed: whoever is here will not be served.
SECONDS: Final = 10.0
MAX_BYTES: Final = 131_072
MAX_REQUESTS: Final = 32


def begins(data: bytes) -> bool | None:
    """Whether a connection's first bytes are HTTP/2's; None while they are too few to tell."""
    if data[: len(PREFACE)] != PREFACE[: len(data)]:
        return False
    return True if len(data) >= _TELLING else None


def http2_refusal() -> Refusal:
    return Refusal("not_served", "HTTP/2 is not served here. Use HTTP/1.1.", 505)


@dataclass
class Http2Request:
    """A request that came over HTTP/2, to be recorded before it is answered."""

    flow: http.HTTPFlow
    """Made for the record alone; it never enters the chain."""
    refusal: Refusal
    exchange: str = ""
    error: str | None = None
    """Set when it could not be recorded."""


@dataclass
class Http2RequestHook(commands.StartHook):
    """A request that came over HTTP/2; the connection waits for the end of this hook."""

    data: Http2Request
    name = "http2_request"


class Http2Refusal(layer.Layer):
    """Speaks HTTP/2 as far as is needed to refuse every request of a connection; bounded in bytes, time and number."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._h2.local_settings = Settings(
            client=False,
            initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: 8, SettingCodes.MAX_HEADER_LIST_SIZE: 16_384},
        )
        self._bytes = 0
        self._requests = 0
        self._over = False

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._over:
            return
        match event:
            case events.Start():
                self._h2.initiate_connection()
                yield from self._send()
                yield commands.RequestWakeup(SECONDS)
            case events.DataReceived():
                yield from self._received(event.data)
            case _:  # time is up, or the client has left
                yield from self._close(ErrorCodes.NO_ERROR)

    def _received(self, data: bytes) -> layer.CommandGenerator[None]:
        self._bytes += len(data)
        if self._bytes > MAX_BYTES:
            yield from self._close(ErrorCodes.ENHANCE_YOUR_CALM)
            return
        try:
            found = self._h2.receive_data(data)
        except H2Error:  # it has put a GOAWAY of its own into what is to be sent
            yield from self._close(None)
            return
        ended = {event.stream_id for event in found if isinstance(event, StreamEnded)}
        for event in found:
            if isinstance(event, ConnectionTerminated):
                yield from self._close(ErrorCodes.NO_ERROR)
                return
            if isinstance(event, RequestReceived):
                self._requests += 1
                if self._requests > MAX_REQUESTS:
                    yield from self._close(ErrorCodes.ENHANCE_YOUR_CALM)
                    return
                yield from self._refuse(event, ended=event.stream_id in ended)
        yield from self._send()

    def _refuse(self, event: RequestReceived, *, ended: bool) -> layer.CommandGenerator[None]:
        assert event.stream_id is not None
        flow = recorded(self.context, event.headers)
        kind = flow.request.headers.get("content-type", "")
        is_call = grpc.is_grpc(kind)
        request = Http2Request(flow, grpc.refusal() if is_call else http2_refusal())
        yield Http2RequestHook(request)
        try:
            if is_call:
                self._trailers_only(event.stream_id, request)
            else:
                self._answer(event.stream_id, request)
            if not ended:
                self._h2.reset_stream(event.stream_id, ErrorCodes.NO_ERROR)  # RFC 9113, section 8.1: stop sending
        except H2Error:
            pass  # the client has given this request up in the meantime
        yield from self._send()

    def _trailers_only(self, stream: int, request: Http2Request) -> None:
        fine = request.error is None
        message = said(request.refusal, request.exchange) if fine else "The gateway cannot record calls."
        fields = [(":status", "200"), ("content-type", "application/grpc")]
        fields += grpc.status_headers(message, grpc.UNIMPLEMENTED if fine else grpc.UNAVAILABLE)
        self._h2.send_headers(stream, [*fields, *_exchange(request)], end_stream=True)

    def _answer(self, stream: int, request: Http2Request) -> None:
        refusal = request.refusal if request.error is None else failed()
        path = request.flow.request.path
        kind, body = apis.dialect_of(path).error(refusal, request.exchange)
        fields = [(":status", str(refusal.status)), ("content-type", kind), ("cache-control", "no-store")]
        room = self._h2.local_flow_control_window(stream) >= len(body)
        self._h2.send_headers(stream, [*fields, *_exchange(request)], end_stream=not room)
        if room:
            self._h2.send_data(stream, body, end_stream=True)

    def _send(self) -> layer.CommandGenerator[None]:
        if data := self._h2.data_to_send():
            yield commands.SendData(self.context.client, data)

    def _close(self, code: ErrorCodes | None) -> layer.CommandGenerator[None]:
        """Says goodbye (None: it is said already) and closes."""
        self._over = True
        if code is not None:
            with contextlib.suppress(H2Error):  # closed already
                self._h2.close_connection(code)
        yield from self._send()
        yield commands.CloseConnection(self.context.client)


def _exchange(request: Http2Request) -> list[tuple[str, str]]:
    return [(answers.EXCHANGE_HEADER.decode().lower(), request.exchange)] if request.exchange else []


def recorded(context: Context, fields: list[tuple[bytes, bytes]]) -> http.HTTPFlow:
    """A flow for the record, of a request's head."""
    pseudo = {name: value for name, value in fields if name.startswith(b":")}
    plain = [(name, value) for name, value in fields if not name.startswith(b":")]
    host, port = context.server.address[:2] if context.server.address else ("", 0)
    now = time.time()
    flow = http.HTTPFlow(context.client, context.server)
    flow.request = http.Request(
        host,
        port,
        pseudo.get(b":method", b"")[:16],
        pseudo.get(b":scheme", b"http"),
        b"",
        pseudo.get(b":path", b"")[:2048],
        b"HTTP/2.0",
        http.Headers(plain),
        b"",
        None,
        now,
        now,
    )
    return flow


class Opening(layer.Layer):
    """Waits for the bytes that tell HTTP/2 from HTTP/1, then is one of the two."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._data = b""
        self._waiting: list[events.Event] = []

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        self._waiting.append(event)
        if isinstance(event, events.DataReceived):
            self._data += event.data
            if (found := begins(self._data)) is None:
                return
            chosen = Http2Refusal(self.context) if found else HttpLayer(self.context, HTTPMode.transparent)
            self._handle_event = chosen.handle_event  # type: ignore[method-assign]
            for each in self._waiting:
                yield from chosen.handle_event(each)
        elif isinstance(event, events.ConnectionClosed):
            yield commands.CloseConnection(self.context.client)
