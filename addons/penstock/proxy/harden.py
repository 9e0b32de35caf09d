"""First in the chain: what could mean two things to two parsers, or reach round the gateway, is refused here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mitmproxy import http
from mitmproxy.proxy.mode_specs import ReverseMode, TransparentMode

from penstock import apis
from penstock.errors import Refusal, invalid
from penstock.proxy import passage
from penstock.proxy.passage import Passage

if TYPE_CHECKING:
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

    from penstock.policy.settings import Upstream
    from penstock.proxy.gateway import Gateway

_VERSIONS: Final = frozenset({b"HTTP/1.1", b"HTTP/1.0"})
_METHOD: Final = re.compile(rb"[A-Z]{3,7}")
# Line breaks and NUL end a header for some parsers and not for others; other control characters serve nobody.
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# Headers that must not come twice: servers differ in which one they take.
_SINGLE: Final = frozenset(
    {
        b"host",
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"authorization",
        b"expect",
    }
)
_LARGEST_PATH: Final = 2048


class Harden:
    """Opens the passage of each request and checks its head; pins every connection to a model server."""

    name = "penstock_harden"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        here = passage.enter(flow, Passage(self.gateway.policy))
        request = flow.request
        host, port, *_ = flow.client_conn.peername
        here.client = f"{host}:{port}"
        here.session = flow.client_conn.id
        here.method = request.data.method.decode("ascii", "replace")
        here.path = request.data.path.decode("ascii", "backslashreplace")
        here.dialect = apis.dialect_of(here.path)
        if (handler := self.gateway.handler(flow.client_conn.id)) is not None:
            handler.begin(here)
        check_head(request)
        here.path = apis.normal_path(request.data.path)
        here.upstream = self.upstream(flow)
        check_length(request, here.policy.gateway.limits.request_body)

    def upstream(self, flow: http.HTTPFlow) -> Upstream:
        """The upstream that the listener, or in transparent mode the original destination, stands for."""
        mode = flow.client_conn.proxy_mode
        if isinstance(mode, ReverseMode):
            found = self.gateway.upstream_of_listener(mode)
        elif isinstance(mode, TransparentMode):
            found = self.gateway.upstream_of_destination(flow.request.data.host, flow.request.data.port)
        else:
            found = None
        if found is None:
            raise Refusal("not_granted", "This gateway does not serve that destination.")
        return found

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Pins: a socket is opened only to a replica of the policy, whatever any script made of the request."""
        address = data.server.address
        if address is None or not self.gateway.is_replica(address[0], address[1]):
            data.server.error = "not a replica of any upstream"


def check_head(request: http.Request) -> None:
    """Refuses a head that is not plainly one HTTP/1 request in origin form.

    Raises: Refusal (400, 413 for what is too long).
    """
    data = request.data
    if data.method == b"CONNECT":
        raise Refusal("not_served", "Tunnels (CONNECT) are not served here.")
    if data.http_version not in _VERSIONS:
        raise invalid("Only HTTP/1.0 and HTTP/1.1 are served here.")
    if data.authority:
        raise invalid("The request target must be a path, not a whole URL.")
    if not _METHOD.fullmatch(data.method):
        raise invalid("The request method is not a known one.")
    if len(data.path) > _LARGEST_PATH:
        raise invalid("The request target is too long.")
    seen: set[bytes] = set()
    for name, value in data.headers.fields:
        if _CONTROL.search(value) or _CONTROL.search(name):
            raise invalid("A request header holds a control character.")
        lower = name.lower()
        if lower in _SINGLE:
            if lower in seen:
                raise invalid(f"The header {lower.decode()} is there more than once.")
            seen.add(lower)
    check_codings(request)


def check_codings(request: http.Request) -> None:
    """Bodies come as they are: chunked or counted, never compressed."""
    headers = request.headers
    coding = headers.get("transfer-encoding")
    if coding is not None and coding.lower() != "chunked":
        raise invalid("Only the transfer coding `chunked` is accepted.")
    encoding = headers.get("content-encoding")
    if encoding is not None and encoding.lower() != "identity":
        raise invalid("Request bodies must not be compressed (no Content-Encoding).")
    if headers.get("expect", "100-continue").lower() != "100-continue":
        raise invalid("The Expect header is not understood.")
    if "trailer" in headers:
        raise invalid("Trailers are not accepted.")


def check_length(request: http.Request, limit: int) -> None:
    length = request.headers.get("content-length")
    if length is not None and int(length) > limit:
        raise Refusal("body_too_large", f"The request body is larger than {limit} bytes.")
