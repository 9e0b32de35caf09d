"""Attacks that once worked, each with what it must come to now."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from tests.proxy.raw_client import chat, exchange, read, request
from tests.proxy.recording_upstream import CHAT, STREAM_HEAD, RecordingUpstream, chunk, event, reply
from tests.proxy.running_gateway import Entrance, Running, free_port, start, write_rules


def send(upstream: RecordingUpstream, raw: bytes) -> None:
    upstream.behave = lambda sock, _request: sock.sendall(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"),
    ],
    ids=["early hints", "continue", "encoded and empty", "encoded stream that stalls"],
)
def test_a_head_that_is_refused_is_answered_whole_and_at_once(
    gateway: Running, upstream: RecordingUpstream, raw: bytes
) -> None:
    send(upstream, raw)
    began = time.monotonic()
    answer = gateway.ask(request(chat(), close=False))
    assert answer.status == 502
    assert answer.whole
    assert '"error"' in answer.text
    assert time.monotonic() - began < 3


def test_a_stranger_cannot_make_the_gateway_keep_his_body(gateway: Running, upstream: RecordingUpstream) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as sock:
        sock.sendall(head)
        answer = read(sock)
        assert answer.status == 401
        assert answer.whole


def test_a_body_announced_as_too_large_is_refused_before_it_is_sent(gateway: Running) -> None:
    head = request(b"{}").replace(b"Content-Length: 2", b"Content-Length: 30000000").partition(b"{}")[0]
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as sock:
        sock.sendall(head)
        answer = read(sock)
    assert answer.status == 413
    assert json.loads(answer.body)["error"]["code"] == "body_too_large"


@pytest.mark.parametrize("gap", [b"  ", b"\t", b" \t\r\n "])
def test_a_key_that_stands_twice_in_a_reply_hides_nothing(
    gateway: Running, upstream: RecordingUpstream, gap: bytes
) -> None:
    twice = b'"content"' + gap + b':"write to bob@example.com","content": "MODEL'
    send(upstream, reply(CHAT.replace(b'"content": "MODEL', twice)))
    answer = gateway.ask(request(chat()))
    assert b"bob@example.com" not in answer.body


def test_a_model_that_dies_in_mid_stream_leaves_an_error_event(gateway: Running, upstream: RecordingUpstream) -> None:
    def behave(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(STREAM_HEAD + chunk(event("one two ")))
        time.sleep(0.1)
        sock.shutdown(socket.SHUT_RDWR)

    upstream.behave = behave
    answer = gateway.ask(request(chat(stream=True)))
    assert "one" in answer.text
    assert '"upstream_unreachable"' in answer.text
    assert answer.whole


def test_a_dead_model_is_no_denial_in_the_record(gateway: Running, upstream: RecordingUpstream) -> None:
    upstream.behave = lambda sock, _request: sock.shutdown(socket.SHUT_RDWR)
    answer = gateway.ask(request(chat()))
    assert answer.status == 502
    time.sleep(0.3)
    kinds = [entry["kind"] for entry in gateway.entries() if entry["exchange"] == answer.headers["penstock-exchange"]]
    assert kinds == ["request", "abort"]


def test_a_caller_who_expects_100_continue_gets_the_error_too(gateway: Running, upstream: RecordingUpstream) -> None:
    upstream.behave = lambda sock, _request: sock.shutdown(socket.SHUT_RDWR)
    answer = gateway.ask(request(chat(), headers=[(b"Expect", b"100-continue")]))
    assert answer.status == 502


def test_what_was_delivered_is_on_disk_soon_also_when_nothing_follows(
    gateway: Running, upstream: RecordingUpstream
) -> None:
    def behave(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(STREAM_HEAD + chunk(event("one ")))
        time.sleep(0.02)
        sock.sendall(chunk(event("DELIVERED-TEXT and ")))
        time.sleep(3)

    upstream.behave = behave
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as sock:
        sock.sendall(request(chat(stream=True)))
        data = b""
        while b"DELIVERED-TEXT" not in data and (more := sock.recv(65536)):
            data += more
        time.sleep(1.0)
        journal = b"".join(path.read_bytes() for path in (gateway.directory / "data" / "journal").glob("*.ndjson"))
        assert b"DELIVERED-TEXT" in journal


def test_a_path_that_is_not_ascii_is_refused_and_recorded(gateway: Running) -> None:
    answer = gateway.ask(b"GET /\xff\xfe HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")
    assert answer.status in (400, 401)
    assert gateway.entries("request")[-1]["exchange"] == answer.headers["penstock-exchange"]


def test_neither_reason_nor_parameters_of_the_type_reach_the_caller(
    gateway: Running, upstream: RecordingUpstream
) -> None:
    raw = reply(CHAT, "application/json; note=bob@example.com", status="200 mail bob@example.com")
    send(upstream, raw)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as sock:
        sock.sendall(request(chat()))
        data = b""
        while more := sock.recv(65536):
            data += more
    assert b"HTTP/1.1 200 OK\r\n" in data
    assert b"bob@example.com" not in data


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (b"Retry-After: 30\r\n", "30"),
        (b"retry-after: 604800\r\n", "604800"),
        (b"Retry-After: 4111111111111111\r\n", None),
        (b"Retry-After: 1234567\r\n", None),
        (b"Retry-After: 411111\r\nRetry-After: 111111\r\nRetry-After: 1111\r\n", None),
        (b"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_how_long_to_wait_reaches_the_caller_and_no_number_that_is_a_value(
    gateway: Running, upstream: RecordingUpstream, given: bytes, passed: str | None, stream: bool
) -> None:
    whole = STREAM_HEAD + chunk(event("said")) + chunk(b"data: [DONE]\n\n") + chunk(b"") if stream else reply(CHAT)
    send(upstream, whole.replace(b"\r\n", b"\r\n" + given, 1))
    answer = gateway.ask(request(chat(stream=stream)))
    assert answer.status == 200
    assert answer.headers.get("retry-after") == passed


def test_an_answer_to_head_has_no_body(gateway: Running) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as sock:
        sock.sendall(request(method="HEAD", path="/v1/models", close=True))
        data = b""
        while more := sock.recv(65536):
            data += more
    assert data.startswith(b"HTTP/1.1 40")
    assert data.endswith(b"\r\n\r\n")


def test_an_empty_stream_is_an_error(gateway: Running, upstream: RecordingUpstream) -> None:
    send(upstream, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n")
    answer = gateway.ask(request(chat(stream=True)))
    assert answer.status == 502
    assert '"error"' in answer.text


@pytest.mark.parametrize("option", ["save_stream_file=flows", "hardump=flows.har"])
def test_no_dump_of_flows_can_take_the_models_credential(
    directory: Path, upstream: RecordingUpstream, option: str
) -> None:
    url = f"http://127.0.0.1:{upstream.port}"
    running = start(directory, "mitmdump", upstream=url, arguments=("--set", option), wait=False)
    assert running.process.wait(30) == 1
    assert option.partition("=")[0] in running.output()


def test_two_listeners_on_one_port_stand_for_their_own_upstreams(directory: Path, upstream: RecordingUpstream) -> None:
    other = RecordingUpstream()
    port = free_port()
    rules = write_rules(directory, port=port, upstream=f"http://127.0.0.1:{upstream.port}")
    text = (rules / "gateway.yaml").read_text()
    text = text.replace("upstreams:\n", f"upstreams:\n  two:\n    replicas: ['http://127.0.0.1:{other.port}']\n")
    text = text.replace("data:", f"  - {{mode: reverse, host: 127.0.0.2, port: {port}, upstream: two}}\ndata:")
    (rules / "gateway.yaml").write_text(text)
    access = (rules / "access.yaml").read_text()
    (rules / "access.yaml").write_text(access.replace("upstreams: [lab]", "upstreams: [lab, two]"))
    running = start(directory, "serve", upstream="", rules=rules, port=port)
    try:
        upstream.forget()
        assert exchange(port, request(chat()), host="127.0.0.2").status == 200
        assert (len(upstream.received), len(other.received)) == (0, 1)
    finally:
        running.stop()
        other.close()


def test_a_complete_reply_whose_message_stays_open_is_ended_without_a_complaint(
    directory: Path, upstream: RecordingUpstream, entrance: Entrance
) -> None:
    port, url = free_port(), f"http://127.0.0.1:{upstream.port}"
    rules = write_rules(
        directory, port=port, upstream=url, extra="    timeouts: {connect: 1s, first_byte: 1s, idle: 1s}\n"
    )
    running = start(directory, entrance, upstream=url, rules=rules, port=port)

    def behave(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(STREAM_HEAD + chunk(event("all said")) + chunk(event(None, "stop")) + chunk(b"data: [DONE]\n\n"))
        time.sleep(5)

    upstream.forget()
    upstream.behave = behave
    try:
        answer = running.ask(request(chat(stream=True)))
        assert answer.whole
        assert "error" not in answer.text
        time.sleep(0.3)
        mine = [entry for entry in running.entries() if entry["exchange"] == answer.headers["penstock-exchange"]]
        assert "verdict" not in [entry["kind"] for entry in mine]
    finally:
        upstream.forget()
        running.stop()


def test_an_error_does_not_repeat_the_path(gateway: Running) -> None:
    assert "no-such-place-4711" not in gateway.ask(request(chat(), path="/v1/no-such-place-4711")).text
