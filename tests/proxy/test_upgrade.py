"""WebSockets, HTTP/2 upgrades and tunnels: refused before anything is forwarded, in words that the client shows."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from mitmproxy import http
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from penstock.proxy.upgrade import other_protocol
from tests.proxy.raw_client import KEY, chat, request
from tests.proxy.recording_upstream import RecordingUpstream
from tests.proxy.running_gateway import Running

HANDSHAKE = [
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    (b"Sec-WebSocket-Version", b"13"),
    (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
]


def last_request(gateway: Running) -> dict[str, Any]:
    body = gateway.entries("request")[-1]["body"]
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize("path", ["/v1/realtime?model=tiny", "/llm", "/v1/responses", "/v1/chat/completions"])
def test_a_websocket_client_is_told_why_it_cannot_connect(
    gateway: Running, upstream: RecordingUpstream, path: str
) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{gateway.port}{path}", additional_headers=headers, proxy=None).close()
    response = refused.value.response
    assert response.status_code == 403
    assert "403" in str(refused.value)
    error = json.loads(bytes(response.body or b""))["error"]
    assert error["code"] == "not_served" and "WebSockets are not served here" in error["message"]
    upstream.settle()
    assert (upstream.connections, upstream.bytes) == (0, 0)


def test_a_refused_websocket_is_recorded_with_its_caller(gateway: Running) -> None:
    answer = gateway.ask(request(method="GET", path="/v1/realtime", headers=HANDSHAKE, close=False))
    assert (answer.status, answer.headers["connection"]) == (403, "close")
    entry = last_request(gateway)
    assert (entry["verdict"], entry["code"], entry["status"]) == ("deny", "not_served", 403)
    assert entry["caller"]["subject"] == "svc:tester"
    assert entry["path"] == "/v1/realtime"


def test_a_websocket_of_a_stranger_is_asked_for_a_credential_first(gateway: Running) -> None:
    assert gateway.ask(request(method="GET", path="/v1/realtime", headers=HANDSHAKE, key=None)).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        HANDSHAKE[:2],
        [(b"Upgrade", b"WebSocket/13"), (b"Connection", b"keep-alive, UPGRADE")],
        [(b"Connection", b"upgrade")],
        [(b"Upgrade", b"foo")],
        [(b"Upgrade", b"foo"), (b"Upgrade", b"websocket")],
        [(b"Upgrade", b"h2c"), (b"Connection", b"Upgrade, HTTP2-Settings"), (b"HTTP2-Settings", b"AAMAAABk")],
        [(b"HTTP2-Settings", b"AAMAAABk")],
        [(b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==")],
    ],
)
@pytest.mark.parametrize("body", [b"", chat()])
def test_whatever_asks_for_another_protocol_is_refused_on_any_path(
    gateway: Running, upstream: RecordingUpstream, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    method, path = ("POST", "/v1/chat/completions") if body else ("GET", "/v1/models")
    answer = gateway.ask(request(body, method=method, path=path, headers=headers, close=False))
    assert answer.status == 403
    assert json.loads(answer.body)["error"]["code"] == "not_served"
    upstream.settle()
    assert (upstream.connections, upstream.bytes) == (0, 0)


def test_ollama_s_clients_read_the_refusal_in_their_own_form(gateway: Running) -> None:
    answer = gateway.ask(request(method="GET", path="/api/tags", headers=HANDSHAKE, close=False))
    assert "WebSockets are not served here" in json.loads(answer.body)["error"]


def test_a_tunnel_is_refused_with_its_reason(gateway: Running, upstream: RecordingUpstream) -> None:
    raw = f"CONNECT 127.0.0.1:{upstream.port} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    answer = gateway.ask(raw.encode())
    assert answer.status == 403
    assert "Tunnels" in json.loads(answer.body)["error"]["message"]
    assert last_request(gateway)["method"] == "CONNECT"
    upstream.settle()
    assert (upstream.connections, upstream.bytes) == (0, 0)


def test_the_gateway_s_own_pages_do_not_mind_what_a_client_offers(gateway: Running) -> None:
    headers = [(b"Upgrade", b"h2c"), (b"Connection", b"Upgrade, HTTP2-Settings"), (b"HTTP2-Settings", b"AAMAAABk")]
    assert gateway.ask(request(method="GET", path="/.penstock/health", headers=headers, close=False)).status == 200


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c", b"foo"])
def test_a_model_server_that_switches_protocols_unasked_is_not_relayed(
    gateway: Running, upstream: RecordingUpstream, protocol: bytes
) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: " + protocol + b"\r\nConnection: Upgrade\r\n\r\n"

    def lie(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(switch + b"\x81\x05MODEL")

    upstream.behave = lie
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sock:
        sock.sendall(request(chat(), close=False))
        received = b""
        while data := sock.recv(65536):
            received += data
    assert received.startswith(b"HTTP/1.1 502 ")
    assert b"MODEL" not in received and b"101" not in received.split(b"\r\n")[0]


def test_an_ordinary_request_asks_for_nothing_else() -> None:
    for headers in ([(b"Connection", b"keep-alive")], [(b"Connection", b"close")], [(b"TE", b"trailers")]):
        made = http.Request.make("POST", "http://m/", b"", http.Headers(headers))
        assert other_protocol(made) is None


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([(b"Upgrade", b"websocket")], "WebSockets"),
        ([(b"Connection", b"x, Upgrade"), (b"Sec-WebSocket-Key", b"x")], "WebSockets"),
        ([(b"Upgrade", b"h2c, foo")], "HTTP/2"),
        ([(b"HTTP2-Settings", b"AAMA")], "HTTP/2"),
        ([(b"Upgrade", b"foo/2")], "another protocol"),
        ([(b"Connection", b"upgrade")], "another protocol"),
        ([(b"Content-Type", b"application/grpc+proto")], "gRPC"),
    ],
)
def test_the_reason_names_what_was_asked_for(headers: list[tuple[bytes, bytes]], why: str) -> None:
    refusal = other_protocol(http.Request.make("POST", "http://m/", b"", http.Headers(headers)))
    assert refusal is not None and why in refusal.message
    assert (refusal.code, refusal.status) == ("not_served", 403)
