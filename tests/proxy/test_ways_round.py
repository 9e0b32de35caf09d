"""Byte sequences that have led round a gateway, in this engine or in another: none reaches the model unjudged."""

from __future__ import annotations

import gzip
import json
import socket
import time

import pytest

from tests.proxy.raw_client import KEY, chat, exchange, read, request
from tests.proxy.recording_upstream import RecordingUpstream
from tests.proxy.running_gateway import Running

BODY = chat()
AUTH = b"Authorization: Bearer " + KEY.encode()
JSON = b"Content-Type: application/json"


def raw(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def post(*extra: bytes, body: bytes = BODY, path: bytes = b"/v1/chat/completions", length: bool = True) -> bytes:
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: m", AUTH, JSON, *extra]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return raw(*lines, body=body)


def document(**fields: object) -> bytes:
    return json.dumps(fields).encode()


MESSAGES = [{"role": "user", "content": "hello"}]

# Name -> what is sent. Every one must be answered by the gateway (or cut), and nothing may arrive at the model.
REFUSED: dict[str, bytes] = {
    "two bytes only": b"PO",
    "leading line break": b"\r\n\x00\x01\x02binary",
    "ssdp": b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n",
    "ssh greeting": b"SSH-2.0-OpenSSH_9.6\r\n",
    "binary": bytes(range(256)) * 4,
    "tls hello": bytes.fromhex("16030100050100000100"),
    "smtp": b"EHLO example\r\nMAIL FROM:<a@b>\r\n",
    "redis": b"*1\r\n$4\r\nPING\r\n",
    "h2c prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    "h2c upgrade": post(b"Upgrade: h2c, foo", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABk")
    .replace(b"/v1/chat/completions", b"/v1/nothing"),
    "websocket on an unknown path": raw(
        b"GET /v1/realtime HTTP/1.1", b"Host: m", AUTH, b"Upgrade: websocket", b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
    "websocket version 8": raw(
        b"GET /v1/models HTTP/1.1", b"Host: m", b"Upgrade: websocket", b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 8", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
    "connect": raw(b"CONNECT 127.0.0.1:1 HTTP/1.1", b"Host: 127.0.0.1:1", AUTH),
    "absolute form": post(path=b"http://other.test/v1/chat/completions"),
    "mitm.it": raw(b"GET / HTTP/1.1", b"Host: mitm.it"),
    "no credential": raw(b"POST /v1/chat/completions HTTP/1.1", b"Host: m", JSON, b"Content-Length: %d" % len(BODY), body=BODY),
    "te and cl": post(b"Transfer-Encoding: chunked"),
    "duplicate cl": post(b"Content-Length: 3"),
    "bad te": post(b"Transfer-Encoding: xchunked", length=False),
    "te with space": post(b"Transfer-Encoding : chunked", length=False),
    "te gzip": post(b"Transfer-Encoding: gzip, chunked", length=False),
    "te in http/1.0": post(b"Transfer-Encoding: chunked", length=False).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "http/1.9": post().replace(b"HTTP/1.1", b"HTTP/1.9"),
    "http/2.0": post().replace(b"HTTP/1.1", b"HTTP/2.0"),
    "http/0.9": b"GET /v1/models\r\n\r\n",
    "folded header": post(b"X-A: 1\r\n folded"),
    "bare cr in a header": post(b"X-A: 1\rX-B: 2"),
    "nul in a header": post(b"X-A: 1\x00"),
    "two authorizations": post(b"Authorization: Bearer other"),
    "two content types": post(b"Content-Type: text/plain"),
    "differing credentials": post(b"x-api-key: other-key-that-differs-0123456789ab"),
    "credential in the query": raw(b"GET /v1/models?api_key=" + KEY.encode() + b" HTTP/1.1", b"Host: m"),
    "gzip body": post(b"Content-Encoding: gzip", body=gzip.compress(BODY)),
    "unknown encoding": post(b"Content-Encoding: foo"),
    "false gzip": post(b"Content-Encoding: gzip"),
    "form": post().replace(b"application/json", b"application/x-www-form-urlencoded"),
    "unknown expectation": post(b"Expect: the-unexpected"),
    "trailers announced": post(b"Trailer: x"),
    "encoded slash": post(path=b"/v1/chat%2Fcompletions"),
    "encoded letter": post(path=b"/v1/ch%61t/completions"),
    "dot segments": post(path=b"/v1/x/../chat/completions"),
    "double slash": post(path=b"//v1/chat/completions"),
    "backslash": post(path=b"/v1\\chat/completions"),
    "fragment": post(path=b"/v1/chat/completions#x"),
    "query": post(path=b"/v1/chat/completions?x=1"),
    "matrix parameter": post(path=b"/v1/chat/completions;x=1"),
    "case of the path": post(path=b"/V1/chat/completions"),
    "trailing slash": post(path=b"/v1/chat/completions/"),
    "unknown endpoint": post(path=b"/v1/audio/speech"),
    "admin endpoint": post(path=b"/api/pull"),
    "resumable stream": raw(b"GET /v1/stream?conv_id=1 HTTP/1.1", b"Host: m", AUTH),
    "lower case method": post().replace(b"POST", b"post", 1),
    "method override": post(path=b"/v1/models"),
    "get with a body": post().replace(b"POST /v1/chat/completions", b"GET /v1/models", 1),
    "utf-16": post(body=BODY.decode().encode("utf-16")),
    "utf-8 bom": post(body=b"\xef\xbb\xbf" + BODY),
    "invalid utf-8": post(body=BODY.replace(b"hello", b"\xff\xfe")),
    "trailing data": post(body=BODY + b'{"model":"other"}'),
    "not json": post(body=b"hello"),
    "a list": post(body=b"[" + BODY + b"]"),
    "deep nesting": post(body=b'{"model":"tiny","messages":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "nan": post(body=b'{"model":"tiny","temperature":NaN,"messages":[]}'),
    "lone surrogate": post(body=b'{"model":"tiny","messages":[{"role":"user","content":"\\ud800"}]}'),
    "case variant of model": post(body=document(model="tiny", Model="other", messages=MESSAGES)),
    "long s in stream": post(body='{"model":"tiny","ſtream":true,"messages":[]}'.encode()),
    "case variant in a message": post(body=document(model="tiny", messages=[{"role": "user", "content": "a", "Content": "b"}])),
    "stream as a string": post(body=document(model="tiny", messages=MESSAGES, stream="true")),
    "stream as a number": post(body=document(model="tiny", messages=MESSAGES, stream=1)),
    "no model": post(body=document(messages=MESSAGES)),
    "model as a list": post(body=document(model=["tiny"], messages=MESSAGES)),
    "messages as a string": post(body=document(model="tiny", messages="hello")),
    "image": post(body=document(model="tiny", messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}])),
    "unknown part": post(body=document(model="tiny", messages=[{"role": "user", "content": [{"type": "x", "x": "y"}]}])),
    "token ids": post(path=b"/v1/completions", body=document(model="tiny", prompt=[1, 2, 3])),
    "unknown parameter": post(body=document(model="tiny", messages=MESSAGES, chat_template="{{x}}")),
    "grammar": post(body=document(model="tiny", messages=MESSAGES, grammar="root ::= x")),
    "lifecycle in inference": post(path=b"/api/generate", body=document(model="tiny", keep_alive=0)),
    "forbidden word": post(body=chat("this is forbidden")),
    "forbidden word in parts": post(
        body=document(model="tiny", messages=[{"role": "user", "content": [{"type": "text", "text": "this is for"}, {"type": "text", "text": "bidden"}]}])
    ),
    "forbidden word, escaped": post(body=BODY.replace(b"hello", b"\\u0066orbidden")),
    "forbidden word in the system prompt": post(
        body=document(model="tiny", messages=[{"role": "system", "content": "forbidden"}, *MESSAGES])
    ),
    "forbidden word in tool arguments": post(
        body=document(model="tiny", messages=[
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": \"forbidden\"}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "x"},
        ])
    ),
    "chunked, refused": raw(
        b"POST /v1/chat/completions HTTP/1.1", b"Host: m", AUTH, JSON, b"Transfer-Encoding: chunked",
        body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(chat("forbidden")), chat("forbidden")),
    ),
    "chunk trailers": raw(
        b"POST /v1/chat/completions HTTP/1.1", b"Host: m", AUTH, JSON, b"Transfer-Encoding: chunked",
        body=b"%x\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(BODY), BODY),
    ),
    "huge head": raw(b"GET /v1/models HTTP/1.1", b"Host: m", b"X-A: " + b"a" * 300_000),
    "too large a body": post(b"X-A: 1", length=False).replace(b"X-A: 1", b"Content-Length: 99999999999"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_arrives_at_the_model(gateway: Running, upstream: RecordingUpstream, name: str) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=3) as sock:
        try:
            sock.sendall(REFUSED[name])
            sock.shutdown(socket.SHUT_WR) if name in ("two bytes only", "ssh greeting", "smtp", "redis") else None
        except OSError:
            pass
        sock.settimeout(1.0 if b"\r\n\r\n" not in REFUSED[name] else 5.0)
        answer = read(sock)
    upstream.settle(0.02)
    assert upstream.bytes == 0, name
    assert upstream.connections == 0, "the model was connected for a call that was refused"
    assert answer.status == 0 or 400 <= answer.status < 600
    assert b"mitmproxy" not in answer.body.lower()
    assert "mitmproxy" not in answer.headers.get("server", "")
    assert "Traceback" not in answer.text


def test_the_same_call_without_tricks_arrives(gateway: Running, upstream: RecordingUpstream) -> None:
    assert gateway.ask(request(BODY)).status == 200
    assert len(upstream.received) == 1


def test_a_chunked_call_arrives_counted(gateway: Running, upstream: RecordingUpstream) -> None:
    body = b"5\r\n" + BODY[:5] + b"\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY) - 5, BODY[5:])
    lines = (b"POST /v1/chat/completions HTTP/1.1", b"Host: m", AUTH, JSON, b"Transfer-Encoding: chunked")
    assert gateway.ask(raw(*lines, body=body)).status == 200
    assert b"transfer-encoding" not in upstream.received[0].lower()


def test_the_model_gets_only_known_headers_and_its_own_credential(
    gateway: Running, upstream: RecordingUpstream
) -> None:
    extra = [(b"X-Conversation-Id", b"1"), (b"Cookie", b"a=b"), (b"X-Forwarded-For", b"1.2.3.4"), (b"Accept", b"*/*")]
    extra += [(b"TE", b"trailers"), (b"Accept-Encoding", b"gzip"), (b"x-body-compressed", b"zstd")]
    assert gateway.ask(request(BODY, headers=extra)).status == 200
    head = upstream.received[0].partition(b"\r\n\r\n")[0]
    names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    assert names == {b"host", b"accept", b"content-type", b"accept-encoding", b"content-length", b"authorization"}
    assert b"Bearer model-secret" in head
    assert KEY.encode() not in upstream.received[0]
    assert b"identity" in head


@pytest.mark.parametrize("header", ["api-key", "x-api-key", "x-goog-api-key"])
def test_the_credential_is_taken_from_any_usual_header_and_stripped(
    gateway: Running, upstream: RecordingUpstream, header: str
) -> None:
    sent = request(BODY, key=None, headers=[(header.encode(), KEY.encode())])
    assert gateway.ask(sent).status == 200
    assert KEY.encode() not in upstream.received[0]


def test_duplicate_keys_collapse_to_what_was_judged(gateway: Running, upstream: RecordingUpstream) -> None:
    body = b'{"model":"tiny","messages":[{"role":"user","content":"forbidden"}],"messages":[{"role":"user","content":"fine"}]}'
    answer = gateway.ask(request(body))
    if answer.status == 200:
        assert b"forbidden" not in upstream.received[0]
        assert upstream.received[0].count(b'"messages"') == 1
    else:
        assert upstream.received == []


def test_a_parameter_over_its_limit_arrives_clamped(gateway: Running, upstream: RecordingUpstream) -> None:
    assert gateway.ask(request(chat(max_tokens=5000))).status == 200
    assert json.loads(upstream.received[0].partition(b"\r\n\r\n")[2])["max_tokens"] == 100


def test_requests_sent_ahead_are_judged_one_by_one(gateway: Running, upstream: RecordingUpstream) -> None:
    both = request(BODY, close=False) + request(chat("forbidden"))
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as sock:
        sock.sendall(both)
        first, second = read(sock), b""
        while data := sock.recv(65536):
            second += data
    assert first.status == 200
    assert len(upstream.received) == 1
    assert b"forbidden" not in b"".join(upstream.received)


def test_bytes_sent_ahead_without_end_are_cut(gateway: Running, upstream: RecordingUpstream) -> None:
    """During a hold nothing is read from the connection's queue: what piles up there is bounded."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as sock:
        sock.sendall(request(chat("wire transfer"), close=False))
        time.sleep(0.2)
        sent = 0
        with pytest.raises(OSError):
            while sent < 30_000_000:
                sent += sock.send(b"x" * 65536)
        assert sent < 30_000_000
    upstream.settle()
    assert upstream.received == []


def test_many_connections_of_one_client_are_bounded(gateway: Running) -> None:
    socks = []
    try:
        for _ in range(130):
            socks.append(socket.create_connection(("127.0.0.1", gateway.port), timeout=5))
        time.sleep(0.3)
        closed = 0
        for sock in socks:
            sock.setblocking(False)
            try:
                closed += sock.recv(1) == b""
            except BlockingIOError:
                continue
            except OSError:
                closed += 1
        assert closed >= 25
    finally:
        for sock in socks:
            sock.close()
    time.sleep(0.2)
    assert exchange(gateway.port, request(BODY)).status == 200
