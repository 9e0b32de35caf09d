"""Answers of the gateway's own: refusals in the caller's dialect, and the few documents it serves itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from mitmproxy import http
from mitmproxy.net.http import http1
from mitmproxy.net.http.status_codes import RESPONSES

from penstock import apis
from penstock.errors import Refusal, failed
from penstock.proxy.passage import Passage

if TYPE_CHECKING:
    from collections.abc import Iterable

EXCHANGE_HEADER = b"Penstock-Exchange"

# Used where even rendering a refusal failed: no part of it can raise.
LAST_RESORT = (
    b'{"error":{"message":"The gateway could not process this request.",'
    b'"type":"api_error","param":null,"code":"gateway_error"}}'
)


def response(
    status: int, content_type: str, body: bytes, headers: Iterable[tuple[str, str]] = (), *, exchange: str = ""
) -> http.Response:
    fields = [(b"Content-Type", content_type.encode()), (b"Content-Length", b"%d" % len(body))]
    fields.append((b"Cache-Control", b"no-store"))
    if exchange:
        fields.append((EXCHANGE_HEADER, exchange.encode()))
    fields.extend((name.encode(), value.encode("ascii", "replace")) for name, value in headers)
    reason = RESPONSES.get(status, "").encode()
    return http.Response(b"HTTP/1.1", status, reason, http.Headers(fields), body, None, 0.0, 0.0)


def refused(passage: Passage | None, refusal: Refusal, path: str = "") -> http.Response:
    """A refusal as the caller's SDK expects it."""
    dialect = passage.dialect if passage is not None else None
    exchange = passage.id if passage is not None else ""
    content_type, body = (dialect or apis.dialect_of(path)).error(refusal, exchange)
    headers = (*refusal.headers, ("x-should-retry", "false"))
    return response(refusal.status, content_type, body, headers, exchange=exchange)


def last_resort() -> http.Response:
    return response(503, "application/json", LAST_RESORT, (("x-should-retry", "false"),))


def safely(passage: Passage | None, refusal: Refusal, path: str = "") -> http.Response:
    """`refused`, or the last resort when that fails: this is where a failure must not fail again."""
    try:
        return refused(passage, refusal, path)
    except Exception:  # noqa: BLE001 - the gateway refuses here
        return last_resort()


# mitmproxy writes its own page for errors below the hooks (no flow, a dead upstream). These bytes replace it.
_pending: WeakKeyDictionary[http.Request, tuple[bytes, bytes]] = WeakKeyDictionary()


def prepare(request: http.Request, answer: http.Response, tail: bytes = b"") -> None:
    """What `request`'s caller gets when mitmproxy itself ends the exchange: a whole answer, or when one has begun
    already, what ends it."""
    _pending[request] = (assembled(request, answer), tail)


def ending(request: http.Request | None, status: int | None, *, begun: bool) -> bytes:
    """The bytes to send before a connection is closed on an error; `status` as mitmproxy has it (None: just close)."""
    ready = _pending.pop(request, None) if request is not None else None
    if begun:
        return ready[1] if ready is not None else b""
    if ready is not None:
        return ready[0]
    return page(request, status) if status is not None else b""


def page(request: http.Request | None, status: int) -> bytes:
    """An error answer for what never got as far as the hooks."""
    path = request.data.path.decode("ascii", "replace") if request is not None else ""
    return assembled(request, safely(None, by_status(status), path))


def assembled(request: http.Request | None, answer: http.Response) -> bytes:
    answer.headers["Connection"] = "close"
    if request is not None:
        bodiless(request, answer)
    whole: bytes = http1.assemble_response(answer)
    return whole


def bodiless(request: http.Request, answer: http.Response) -> http.Response:
    """An answer to HEAD has no body, whatever its length says."""
    if request.data.method.upper() == b"HEAD":
        answer.data.content = b""
    return answer


_BY_STATUS = {
    400: Refusal("invalid_request", "The request is not valid HTTP."),
    413: Refusal("body_too_large", "The request body is larger than this gateway accepts."),
    431: Refusal("invalid_request", "The request headers are larger than this gateway accepts.", 431),
    502: Refusal("upstream_unreachable", "The model server could not be reached."),
    504: Refusal("upstream_timeout", "The model server did not answer in time."),
}


def by_status(status: int) -> Refusal:
    return _BY_STATUS.get(status) or failed()
