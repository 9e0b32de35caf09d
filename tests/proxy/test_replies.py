"""What the caller gets of the model's reply: masked whole and in streams, stopped when a rule says so, never raw."""

from __future__ import annotations

import json
import socket
import time

import pytest

from tests.proxy.raw_client import Answer, chat, read, request
from tests.proxy.recording_upstream import CHAT, STREAM_HEAD, RecordingUpstream, chunk, event, reply
from tests.proxy.running_gateway import Running

MAIL = "alice@example.com"


def whole(text: str) -> bytes:
    return CHAT.replace(b"MODEL-SAYS-THIS", text.encode())


def say(
    upstream: RecordingUpstream, *pieces: str, done: bool = True, pause: float = 0.0, end: bytes = b"0\r\n\r\n"
) -> None:
    """Makes the model stream these pieces, one event each."""

    def behave(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(STREAM_HEAD)
        for piece in pieces:
            sock.sendall(chunk(event(piece)))
            time.sleep(pause)
        if done:
            sock.sendall(chunk(event(None, "stop")) + chunk(b"data: [DONE]\n\n"))
        if end:
            sock.sendall(end)
        else:
            sock.shutdown(socket.SHUT_RDWR)

    upstream.behave = behave


def send(upstream: RecordingUpstream, raw: bytes) -> None:
    upstream.behave = lambda sock, _request: sock.sendall(raw)


def said(answer: Answer) -> str:
    """The text of a stream, put together as a client does."""
    text = ""
    for line in answer.text.splitlines():
        if line.startswith("data: {"):
            for choice in json.loads(line[6:]).get("choices", []):
                text += choice["delta"].get("content") or ""
    return text


def test_a_whole_reply_is_masked(gateway: Running, upstream: RecordingUpstream) -> None:
    send(upstream, reply(whole(f"write to {MAIL} now")))
    answer = gateway.ask(request(chat()))
    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "write to [EMAIL] now"


def test_a_reply_without_a_match_passes_byte_for_byte(gateway: Running, upstream: RecordingUpstream) -> None:
    body = json.dumps(json.loads(CHAT), indent=3).encode()
    send(upstream, reply(body))
    assert gateway.ask(request(chat())).body == body


def test_a_streamed_value_is_masked_however_it_is_cut(gateway: Running, upstream: RecordingUpstream) -> None:
    say(upstream, "write to ", *MAIL, " now")
    answer = gateway.ask(request(chat(stream=True)))
    assert said(answer) == "write to [EMAIL] now"
    assert answer.whole
    assert answer.text.rstrip().endswith("data: [DONE]")


def test_what_can_be_released_is_released_at_once(gateway: Running, upstream: RecordingUpstream) -> None:
    say(upstream, "first words, ", "second words, ", "end.", pause=0.6)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sock:
        began = time.monotonic()
        sock.sendall(request(chat(stream=True)))
        data = b""
        while b"first" not in data and (more := sock.recv(65536)):
            data += more
        assert b"first" in data
        assert time.monotonic() - began < 0.55


def test_a_stream_that_breaks_off_leaks_nothing_that_was_pending(gateway: Running, upstream: RecordingUpstream) -> None:
    say(upstream, "write to ", "alice@exa", done=False, end=b"")
    answer = gateway.ask(request(chat(stream=True)))
    assert "alice" not in answer.text
    assert not answer.whole or "error" in answer.text


def test_a_stream_that_ends_without_a_terminator_is_not_taken_for_complete(
    gateway: Running, upstream: RecordingUpstream
) -> None:
    say(upstream, "write to ", "alice@exa", done=False)
    answer = gateway.ask(request(chat(stream=True)))
    assert "alice" not in answer.text
    assert '"error"' in answer.text


def test_a_rule_stops_a_stream_before_the_words_are_out(gateway: Running, upstream: RecordingUpstream) -> None:
    say(upstream, "the launch", " code", " 12", "34", " is secret", pause=0.02)
    answer = gateway.ask(request(chat(stream=True)))
    assert "1234" not in answer.text
    assert "secret" not in answer.text
    assert "The reply held a launch code." in answer.text
    assert '"policy_violation"' in answer.text
    assert answer.whole, "the message to the caller ends as HTTP says"


def test_a_rule_stops_a_stream_that_arrived_in_one_piece_and_ends_it_once(
    gateway: Running, upstream: RecordingUpstream
) -> None:
    parts = [event("the launch code 1234"), event(None, "stop"), b"data: [DONE]\n\n"]
    send(upstream, STREAM_HEAD + b"".join(map(chunk, parts)) + b"0\r\n\r\n")
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sock:
        sock.sendall(request(chat(stream=True), close=False))
        answer = read(sock)
        sock.settimeout(0.3)
        try:
            rest = sock.recv(65536)
        except TimeoutError:
            rest = b""
    assert "1234" not in answer.text
    assert answer.whole
    assert rest == b""


def test_a_rule_stops_a_whole_reply(gateway: Running, upstream: RecordingUpstream) -> None:
    send(upstream, reply(whole("the launch code 1234")))
    answer = gateway.ask(request(chat()))
    assert answer.status == 403
    assert "1234" not in answer.text
    assert json.loads(answer.body)["error"]["message"].startswith("The reply held a launch code.")


BAD: dict[str, bytes] = {
    "gzip": reply(b"\x1f\x8b" + bytes(20), extra=b"Content-Encoding: gzip\r\n"),
    "unknown encoding": reply(CHAT, extra=b"Content-Encoding: foo\r\n"),
    "switching protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\nMODEL raw",
    "html": reply(b"<p>MODEL-SAYS-THIS</p>", "text/html"),
    "bytes": reply(b"MODEL" + bytes(range(256)), "application/octet-stream"),
    "no type": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nMODEL",
    "broken json": reply(CHAT[:-5]),
    "utf-16": reply(CHAT.decode().encode("utf-16")),
    "two types": reply(CHAT, extra=b"Content-Type: text/plain\r\n"),
    "trailers": STREAM_HEAD + chunk(event("MODEL-SAYS")) + b"0\r\nX-T: 1\r\n\r\n",
    "gzip stream": STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") + chunk(event("MODEL-SAYS")) + b"0\r\n\r\n",
    "not json in a stream": STREAM_HEAD + chunk(b"data: MODEL-SAYS-THIS\n\n") + b"0\r\n\r\n",
    "unknown event": STREAM_HEAD + chunk(b"event: secret\ndata: {\"x\": \"MODEL-SAYS\"}\n\n") + b"0\r\n\r\n",
    "not http": b"SSH-2.0-MODEL\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"X-A: MODEL\r\n" * 30000,
    "te and cl": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nMODEL",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_reply_that_cannot_be_read_is_not_delivered(gateway: Running, upstream: RecordingUpstream, name: str) -> None:
    send(upstream, BAD[name])
    answer = gateway.ask(request(chat(stream="stream" in name or "event" in name)))
    assert "MODEL" not in answer.text
    assert answer.status in (0, 200, 502, 503)
    assert answer.status != 200 or "error" in answer.text
    assert "mitmproxy" not in answer.text.lower()


def test_headers_of_the_model_do_not_reach_the_caller(gateway: Running, upstream: RecordingUpstream) -> None:
    send(upstream, reply(CHAT, extra=f"X-Contact: {MAIL}\r\nSet-Cookie: a=b\r\nServer: llama\r\n".encode()))
    answer = gateway.ask(request(chat()))
    assert answer.status == 200
    assert set(answer.headers) <= {"content-type", "content-length", "penstock-exchange", "connection", "date"}


def test_an_error_of_the_model_is_masked_too(gateway: Running, upstream: RecordingUpstream) -> None:
    body = json.dumps({"error": {"message": f"no such user {MAIL}", "type": "x", "param": None, "code": 400}}).encode()
    send(upstream, reply(body, status="400 Bad Request"))
    answer = gateway.ask(request(chat()))
    assert answer.status == 400
    assert MAIL not in answer.text
    assert "[EMAIL]" in answer.text


def test_an_unreachable_model_is_an_error_in_the_callers_dialect(gateway: Running, upstream: RecordingUpstream) -> None:
    def hang_up(sock: socket.socket, _request: bytes) -> None:
        sock.shutdown(socket.SHUT_RDWR)

    upstream.behave = hang_up
    answer = gateway.ask(request(chat()))
    assert answer.status == 502
    assert json.loads(answer.body)["error"]["code"] == "upstream_unreachable"
    assert "penstock-exchange" in answer.headers


def test_logprobs_do_not_tell_what_was_masked(gateway: Running, upstream: RecordingUpstream) -> None:
    document = json.loads(whole(f"write to {MAIL}"))
    tokens = [
        {"token": part, "logprob": -0.1, "bytes": list(part.encode()), "top_logprobs": []}
        for part in ("alice", "@example")
    ]
    document["choices"][0]["logprobs"] = {"content": tokens}
    send(upstream, reply(json.dumps(document).encode()))
    answer = gateway.ask(request(chat(logprobs=True)))
    assert answer.status == 200
    assert "alice" not in answer.text
    assert str(list(b"alice"))[1:-1] not in answer.text


def test_an_http_1_0_caller_gets_a_stream_that_ends_with_the_connection(
    gateway: Running, upstream: RecordingUpstream
) -> None:
    say(upstream, "write to ", MAIL)
    answer = gateway.ask(request(chat(stream=True), version="HTTP/1.0"))
    assert said(answer) == "write to [EMAIL]"
    assert "transfer-encoding" not in answer.headers


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
def test_a_stream_is_the_same_however_its_bytes_arrive(
    gateway: Running, upstream: RecordingUpstream, size: int
) -> None:
    """The first read takes mitmproxy's way, the later ones the short way, and the end mitmproxy's again."""
    parts = [event(piece) for piece in ("write to ", "ali", "ce@exa", "mple.com", " now")]
    raw = STREAM_HEAD + b"".join(map(chunk, [*parts, event(None, "stop"), b"data: [DONE]\n\n"])) + b"0\r\n\r\n"

    def behave(sock: socket.socket, _request: bytes) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(raw), size):
            sock.sendall(raw[at : at + size])

    upstream.behave = behave
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sock:
        for _ in range(2):
            sock.sendall(request(chat(stream=True), close=False))
            answer = read(sock)
            assert said(answer) == "write to [EMAIL] now"
            assert answer.whole
            assert answer.text.endswith("data: [DONE]\n\n")
