"""A recorded exchange as a mitmproxy flow: to look at, to search, to send again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from mitmproxy import connection, flow, http
from mitmproxy.io import FlowWriter
from mitmproxy.net.http.status_codes import RESPONSES

from penstock import apis
from penstock.errors import ConfigurationError, Refusal
from penstock.store.recorded import Recorded

# What a flow is marked with in mitmproxy's list, by its outcome.
MARKS: Final = {
    "refused": ":no_entry:",
    "aborted": ":warning:",
    "waiting": ":hourglass:",
    "lost": ":boom:",
}
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "host"})

type Place = tuple[str, str, int]
"""Scheme, host, port."""


def write(exchanges: Iterable[Recorded], file: BinaryIO, *, to: str | None = None) -> int:
    """Writes flows for `mitmproxy -nr`; how many. `to`: URL of the server that a replay is sent to."""
    writer = FlowWriter(file)
    place = target(to) if to is not None else None
    count = 0
    for exchange in exchanges:
        writer.add(flow_of(exchange, place))
        count += 1
    return count


def target(url: str) -> Place:
    """The server in a URL. Raises: ConfigurationError."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    raise ConfigurationError(f"{url!r} is not the address of a server", advice="as in http://127.0.0.1:11434")


def flow_of(exchange: Recorded, place: Place | None = None) -> http.HTTPFlow:
    """The flow of an exchange. Its target is `place`, else the model server, else the upstream's name."""
    scheme, host, port = place or _server(exchange)
    client = connection.Client(
        peername=_address(exchange.address),
        sockname=("", 0),
        timestamp_start=exchange.started,
        state=connection.ConnectionState.CLOSED,
    )
    server = connection.Server(address=(host, port), timestamp_start=exchange.started)
    made = http.HTTPFlow(client, server)
    made.id = exchange.id
    made.timestamp_created = exchange.started
    made.request = _request(exchange, scheme, host, port)
    made.response = _response(exchange)
    made.error = _error(exchange)
    made.marked = MARKS.get(exchange.outcome, ":no_entry:" if exchange.verdict == "deny" else "")
    made.comment = comment(exchange)
    made.metadata["penstock"] = _metadata(exchange)
    return made


def comment(exchange: Recorded) -> str:
    """What was decided, in a line."""
    by = f" by {exchange.rule}" if exchange.rule else ""
    who = exchange.caller or "nobody known"
    what = f"{exchange.verdict}{by}, {exchange.outcome}: {who} on {exchange.model or exchange.path} [{exchange.id}]"
    return f"{what}: {exchange.message}" if exchange.message else what


def _metadata(exchange: Recorded) -> dict[str, object]:
    """Only what a flow file can hold: text, numbers, lists, maps."""
    return {
        "exchange": exchange.id,
        "session": exchange.session,
        "caller": exchange.caller,
        "groups": list(exchange.groups),
        "upstream": exchange.upstream,
        "operation": exchange.operation,
        "model": exchange.model,
        "verdict": exchange.verdict,
        "outcome": exchange.outcome,
        "rule": exchange.rule,
        "policy": exchange.policy,
        "approval": exchange.approval,
        "masked": dict(exchange.masked),
    }


def _request(exchange: Recorded, scheme: str, host: str, port: int) -> http.Request:
    body = exchange.request_body or b""
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == (443 if scheme == "https" else 80) else f"{shown}:{port}"
    headers = [("Host", authority), *_kept(exchange.request_headers)]
    if body:
        headers.append(("Content-Length", str(len(body))))
    return http.Request(
        host=host,
        port=port,
        method=exchange.method.encode(),
        scheme=scheme.encode(),
        authority=b"",
        path=exchange.path.encode(),
        http_version=b"HTTP/1.1",
        headers=_fields(headers),
        content=body,
        trailers=None,
        timestamp_start=exchange.started,
        timestamp_end=exchange.started,
    )


def _response(exchange: Recorded) -> http.Response | None:
    """The model's answer as it was delivered, or the text of it where only that was kept; the gateway's own, made again
    as its dialect has it; or None."""
    if exchange.reply_body is not None:
        headers, body = list(_kept(exchange.reply_headers)), exchange.reply_body
    elif exchange.verdict == "deny" and exchange.code is not None and exchange.status is not None:
        refusal = Refusal(exchange.code, exchange.message or "", exchange.status)
        content_type, body = apis.dialect_of(exchange.path).error(refusal, exchange.id)
        headers = [("Content-Type", content_type), ("x-should-retry", "false")]
    elif exchange.completion:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Penstock-Recorded", "text-only")]
        body = exchange.completion.encode()
    elif exchange.outcome == "answered":
        headers, body = list(_kept(exchange.reply_headers)), b""
    else:
        return None
    status = exchange.status or 0
    headers += [("Content-Length", str(len(body))), ("Penstock-Exchange", exchange.id)]
    return http.Response(
        http_version=b"HTTP/1.1",
        status_code=status,
        reason=RESPONSES.get(status, "").encode(),
        headers=_fields(headers),
        content=body,
        trailers=None,
        timestamp_start=exchange.first_byte or exchange.ended or exchange.started,
        timestamp_end=exchange.ended or exchange.started,
    )


def _error(exchange: Recorded) -> flow.Error | None:
    match exchange.outcome:
        case "aborted":
            return flow.Error(exchange.error or exchange.message or "aborted", exchange.ended or exchange.started)
        case "lost":
            return flow.Error("no answer was recorded: the gateway ended before there was one", exchange.started)
        case _:
            return None


def _kept(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Headers without those that say how a body came: here it is in one piece."""
    return (pair for pair in headers if pair[0].lower() not in _FRAMING)


def _fields(headers: Iterable[tuple[str, str]]) -> http.Headers:
    return http.Headers([(name.encode("ascii", "replace"), value.encode("utf-8")) for name, value in headers])


def _server(exchange: Recorded) -> Place:
    if exchange.server:
        return target(exchange.server)
    return "http", exchange.upstream or "unknown", 80


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdigit() else (text, 0)
