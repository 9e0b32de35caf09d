"""Requests for another protocol than HTTP/1.1 calls (WebSockets, HTTP/2, tunnels, gRPC): recorded and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mitmproxy import http

from penstock.errors import Refusal
from penstock.proxy import grpc, passage
from penstock.proxy.entries import request_entry
from penstock.proxy.harden import Harden
from penstock.proxy.passage import Passage

if TYPE_CHECKING:
    from penstock.proxy.gateway import Gateway
    from penstock.proxy.http2 import Http2Request

_CLOSE: Final = (("Connection", "close"),)
_WEBSOCKET: Final = "WebSockets are not served here, because their messages cannot be judged. Use the HTTP API."
_HTTP2: Final = "HTTP/2 is not served here, nor an upgrade to it. Have the client use HTTP/1.1 alone."
_OTHER: Final = "Connections cannot be upgraded to another protocol here."


class Upgrades:
    """Stands behind the identification, so that the record says who asked; before anything is forwarded."""

    name = "penstock_upgrade"

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        refusal = other_protocol(flow.request)
        if refusal is not None and not passage.of(flow).reserved:
            raise refusal


class Http2Requests:
    """Writes the `request` entry of what is refused here, with who asked as far as a credential tells."""

    name = "penstock_http2"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._harden = Harden(gateway)

    async def http2_request(self, request: Http2Request) -> None:
        flow, here = request.flow, Passage(self.gateway.policy)
        host, port, *_ = flow.client_conn.peername
        here.client, here.session = f"{host}:{port}", flow.client_conn.id
        here.method = flow.request.data.method.decode("ascii", "replace")
        here.path = flow.request.data.path.decode("ascii", "backslashreplace")
        headers = flow.request.data.headers.fields
        identity = self.gateway.identity
        try:
            here.upstream = self._harden.upstream(flow)
            here.caller = identity.recall(headers) or await identity.authenticate(headers)
        except Refusal:
            pass  # it is refused in any case; the record says what is known
        here.refuse(request.refusal)
        await self.gateway.journal.append("request", here.id, *request_entry(flow, here))
        request.exchange = here.id


def other_protocol(request: http.Request) -> Refusal | None:
    """Why a request is refused that wants more than an answer to a call; None when it does not."""
    headers = request.headers
    if grpc.is_grpc(headers.get("content-type", "")):
        refusal = grpc.refusal()
        refusal.headers = grpc.status_headers(refusal.message)
        return refusal
    wanted = _tokens(headers.get_all("upgrade"))
    options = _tokens(headers.get_all("connection"))
    if not wanted and "upgrade" not in options and not _names(request, b"http2-settings", b"sec-websocket-"):
        return None
    if "websocket" in wanted or _names(request, b"sec-websocket-"):
        return Refusal("not_served", _WEBSOCKET, headers=_CLOSE)
    if "h2c" in wanted or _names(request, b"http2-settings"):
        return Refusal("not_served", _HTTP2, headers=_CLOSE)
    return Refusal("not_served", _OTHER, headers=_CLOSE)


def _tokens(values: list[str]) -> set[str]:
    """Members of a comma-separated header, lower case, without their versions (`websocket/13`)."""
    return {token.strip().lower().partition("/")[0] for value in values for token in value.split(",")} - {""}


def _names(request: http.Request, *prefixes: bytes) -> bool:
    return any(name.lower().startswith(prefixes) for name, _ in request.data.headers.fields)
