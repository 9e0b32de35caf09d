"""gRPC and HTTP/2 are refused in their own words: real clients show the reason, and nothing reaches the model."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import grpc  # type: ignore[import-untyped]
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamReset
from h2.settings import SettingCodes
from mitmproxy.connection import Client
from mitmproxy.options import Options
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context

from penstock.proxy import http2
from penstock.proxy.grpc import is_grpc, status_headers
from penstock.proxy.http2 import PREFACE, Http2Refusal, Http2RequestHook, Opening, begins
from tests.proxy.raw_client import KEY, chat, request
from tests.proxy.recording_upstream import RecordingUpstream
from tests.proxy.running_gateway import Running

INFER = "/inference.GRPCInferenceService/ModelInfer"
GRPC_HEAD = [
    (":method", "POST"), (":scheme", "http"), (":path", INFER), (":authority", "m"),
    ("content-type", "application/grpc"), ("te", "trailers"),
]  # fmt: skip


@pytest.fixture
def channel(gateway: Running) -> Iterator[grpc.Channel]:
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{gateway.port}", options=options) as made:
        yield made


def untouched(upstream: RecordingUpstream) -> bool:
    upstream.settle()
    return (upstream.connections, upstream.bytes) == (0, 0)


def last_request(gateway: Running) -> dict[str, Any]:
    body = gateway.entries("request")[-1]["body"]
    assert isinstance(body, dict)
    return body


def test_a_grpc_client_is_told_that_grpc_is_not_served(
    gateway: Running, upstream: RecordingUpstream, channel: grpc.Channel
) -> None:
    call = channel.unary_unary(INFER)
    with pytest.raises(grpc.RpcError) as refused:
        call(b"a prompt", timeout=10, metadata=[("authorization", f"Bearer {KEY}")])
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    found = re.fullmatch(r"gRPC is not served here, .* \(exchange (\w{26})\)", refused.value.details())
    assert found is not None
    assert untouched(upstream)
    entry = gateway.entries("request")[-1]
    assert entry["exchange"] == found[1]
    body = last_request(gateway)
    assert (body["verdict"], body["code"], body["path"]) == ("deny", "not_served", INFER)
    assert (body["caller"]["subject"], body["upstream"]) == ("svc:tester", "lab")


def test_calls_of_strangers_and_streams_are_refused_alike(
    gateway: Running, upstream: RecordingUpstream, channel: grpc.Channel
) -> None:
    call = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")
    for _ in range(3):
        with pytest.raises(grpc.RpcError) as refused:
            list(call(iter([b"one", b"two"]), timeout=10))
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert untouched(upstream)
    assert last_request(gateway)["caller"] is None


def test_a_large_grpc_message_is_refused_without_being_read(
    gateway: Running, upstream: RecordingUpstream, channel: grpc.Channel
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(INFER)(bytes(1_000_000), timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert untouched(upstream)


@pytest.mark.parametrize("path", ["/v1/models", "/api/tags"])
def test_curl_over_http2_is_answered_505(gateway: Running, upstream: RecordingUpstream, path: str) -> None:
    command = ["curl", "--silent", "--http2-prior-knowledge", "--include", "--noproxy", "*", "--max-time", "10"]
    done = subprocess.run([*command, f"http://127.0.0.1:{gateway.port}{path}"], capture_output=True, check=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/2 505")
    assert b"penstock-exchange: " in head
    error = json.loads(body)["error"]
    assert "HTTP/2 is not served here." in (error if isinstance(error, str) else error["message"])
    assert untouched(upstream)
    assert last_request(gateway)["path"] == path


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc-web+proto", "Application/GRPC-web-text"])
def test_grpc_over_http1_is_refused_with_its_status(gateway: Running, upstream: RecordingUpstream, kind: str) -> None:
    answer = gateway.ask(request(b"\0\0\0\0\3abc", path=INFER, content_type=kind))
    assert (answer.status, answer.headers["grpc-status"]) == (403, "12")
    assert "gRPC is not served here" in unquote(answer.headers["grpc-message"])
    assert "gRPC is not served here" in json.loads(answer.body)["error"]["message"]
    assert untouched(upstream)


# What a hostile client may do


def opened(gateway: Running, settings: dict[int, int] | None = None) -> tuple[H2Connection, socket.socket]:
    connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    if settings:
        connection.update_settings({SettingCodes(code): value for code, value in settings.items()})
    sock = socket.create_connection(("127.0.0.1", gateway.port), timeout=http2.SECONDS + 8)
    sock.sendall(connection.data_to_send())
    return connection, sock


def collected(connection: H2Connection, sock: socket.socket, *, until: type[Event] | None = None) -> list[Event]:
    """Everything that comes, to the end or to an event of a kind."""
    found: list[Event] = []
    try:
        while data := sock.recv(65536):
            found += connection.receive_data(data)
            if until is not None and any(isinstance(event, until) for event in found):
                break
            if out := connection.data_to_send():
                sock.sendall(out)
    except OSError:
        pass
    return found


def test_too_many_requests_on_one_connection_end_it(gateway: Running, upstream: RecordingUpstream) -> None:
    connection, sock = opened(gateway)
    answered = 0
    with sock:
        for at in range(http2.MAX_REQUESTS + 1):
            connection.send_headers(1 + 2 * at, GRPC_HEAD, end_stream=True)
            sock.sendall(connection.data_to_send())
            found = collected(connection, sock, until=ResponseReceived)
            answered += sum(isinstance(event, ResponseReceived) for event in found)
            if any(isinstance(event, ConnectionTerminated) for event in found):
                break
    assert answered == http2.MAX_REQUESTS
    assert untouched(upstream)
    assert len([each for each in gateway.entries("request") if each["body"]["path"] == INFER]) >= answered  # type: ignore[index]


def test_requests_that_are_reset_at_once_count_as_requests(gateway: Running, upstream: RecordingUpstream) -> None:
    connection, sock = opened(gateway)
    with sock:
        for at in range(http2.MAX_REQUESTS + 10):
            connection.send_headers(1 + 2 * at, GRPC_HEAD)
            connection.reset_stream(1 + 2 * at)
        sock.sendall(connection.data_to_send())
        found = collected(connection, sock)
    assert any(isinstance(event, ConnectionTerminated) for event in found)
    assert untouched(upstream)


def test_a_flood_of_bytes_ends_the_connection(gateway: Running) -> None:
    connection, sock = opened(gateway)
    with sock:
        try:
            for _ in range(20_000):
                connection.ping(bytes(8))
                sock.sendall(connection.data_to_send())
        except OSError:
            return  # closed while we were still sending, as it should be
        found = collected(connection, sock)
    assert any(isinstance(event, ConnectionTerminated) for event in found) or not found


@pytest.mark.parametrize(
    "tail",
    [
        bytes(9) + b"\xff" * 50,
        b"\0\0\4\1\4\0\0\0\1\x82\x84\xff\xff",
        b"\0\0\1\1\4\0\0\0\1\x82",
        b"\xff\xff\xff\0\0\0\0\0\1" + bytes(140_000),
    ],
)
def test_what_is_no_http2_ends_the_connection(gateway: Running, upstream: RecordingUpstream, tail: bytes) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sock:
        sock.sendall(PREFACE + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)) + tail)
        received = b""
        try:
            while data := sock.recv(65536):
                received += data
        except OSError:
            pass
    assert b"MODEL" not in received
    assert untouched(upstream)
    assert gateway.ask(request(chat())).status == 200


def test_the_preface_may_come_byte_by_byte(gateway: Running, upstream: RecordingUpstream) -> None:
    connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    connection.send_headers(1, GRPC_HEAD)
    data = connection.data_to_send()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data[:30]:
            sock.sendall(bytes((byte,)))
            time.sleep(0.002)
        sock.sendall(data[30:])
        found = collected(connection, sock, until=StreamReset)
    head = next(event for event in found if isinstance(event, ResponseReceived))
    assert ("grpc-status", "12") in (head.headers or [])  # type: ignore[comparison-overlap]
    assert untouched(upstream)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_an_ordinary_request_may_begin_as_slowly(gateway: Running, cut: int) -> None:
    raw = request(chat())
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(raw[:cut])
        time.sleep(0.05)
        sock.sendall(raw[cut:])
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_says_one_letter_and_leaves_is_let_go(gateway: Running) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sock:
        sock.sendall(b"P")
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(10) == b""


def test_a_client_without_a_window_gets_the_status_alone(gateway: Running) -> None:
    connection, sock = opened(gateway, {SettingCodes.INITIAL_WINDOW_SIZE: 0})
    with sock:
        head = [(":method", "GET"), (":scheme", "http"), (":path", "/v1/models"), (":authority", "m")]
        connection.send_headers(1, head, end_stream=True)
        sock.sendall(connection.data_to_send())
        found = collected(connection, sock, until=ResponseReceived)
    heads = [event for event in found if isinstance(event, ResponseReceived)]
    assert (":status", "505") in (heads[0].headers or [])  # type: ignore[comparison-overlap]
    assert not any(isinstance(event, DataReceived) for event in found)


@pytest.mark.parametrize("error", ["RuntimeError", "CancelledError"])
def test_a_refusal_that_cannot_be_recorded_says_so(gateway: Running, channel: grpc.Channel, error: str) -> None:
    gateway.order(hook="http2_request", error=error)
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(INFER)(b"x", timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    command = ["curl", "--silent", "--http2-prior-knowledge", "--noproxy", "*", "--write-out", "%{http_code}"]
    done = subprocess.run([*command, f"http://127.0.0.1:{gateway.port}/v1/models"], capture_output=True, check=True)
    assert done.stdout.endswith(b"503")


# The layer by itself


def layer() -> tuple[Http2Refusal, Client]:
    client = Client(peername=("127.0.0.1", 40000), sockname=("127.0.0.1", 8080), timestamp_start=0.0)
    made = Http2Refusal(Context(client, Options()))
    assert isinstance(next(made.handle_event(events.Start())), commands.SendData)
    return made, client


def told(made: Http2Refusal, event: events.Event) -> list[commands.Command]:
    """What the layer wants done; its hooks are answered as if all was recorded."""
    waiting, found = [event], []
    while waiting:
        for command in made.handle_event(waiting.pop(0)):
            found.append(command)
            if isinstance(command, Http2RequestHook):
                command.data.exchange = "01TEST"
                waiting.append(events.HookCompleted(command))
    return found


def said(found: list[commands.Command]) -> bytes:
    return b"".join(command.data for command in found if isinstance(command, commands.SendData))


def hello() -> H2Connection:
    connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    return connection


def test_time_ends_a_connection_with_a_goodbye() -> None:
    made, client = layer()
    caller = hello()
    told(made, events.DataReceived(client, caller.data_to_send()))
    found = told(made, events.Wakeup(commands.RequestWakeup(http2.SECONDS)))
    assert isinstance(found[-1], commands.CloseConnection)
    assert any(isinstance(event, ConnectionTerminated) for event in caller.receive_data(said(found)))
    assert told(made, events.DataReceived(client, b"more")) == []


def test_a_client_that_says_goodbye_is_let_go() -> None:
    made, client = layer()
    caller = hello()
    caller.close_connection()
    found = told(made, events.DataReceived(client, caller.data_to_send()))
    assert isinstance(found[-1], commands.CloseConnection)


def test_bytes_and_requests_of_a_connection_are_bounded() -> None:
    made, client = layer()
    assert isinstance(told(made, events.DataReceived(client, bytes(http2.MAX_BYTES + 1)))[-1], commands.CloseConnection)
    made, client = layer()
    caller = hello()
    for at in range(http2.MAX_REQUESTS + 1):
        caller.send_headers(1 + 2 * at, GRPC_HEAD)
        caller.reset_stream(1 + 2 * at)
    found = told(made, events.DataReceived(client, caller.data_to_send()))
    assert len([each for each in found if isinstance(each, Http2RequestHook)]) == http2.MAX_REQUESTS
    assert isinstance(found[-1], commands.CloseConnection)


def test_a_request_is_answered_only_when_it_is_recorded() -> None:
    made, client = layer()
    caller = hello()
    caller.send_headers(1, GRPC_HEAD)
    *before, hook = made.handle_event(events.DataReceived(client, caller.data_to_send()))
    assert isinstance(hook, Http2RequestHook) and b"grpc" not in said(before)
    assert hook.data.flow.request.path == INFER
    after = list(made.handle_event(events.HookCompleted(hook)))
    heads = [event for event in caller.receive_data(said(after)) if isinstance(event, ResponseReceived)]
    assert ("grpc-status", "12") in (heads[0].headers or [])  # type: ignore[comparison-overlap]


def test_a_request_that_was_given_up_meanwhile_is_not_answered() -> None:
    made, client = layer()
    caller = hello()
    caller.send_headers(1, GRPC_HEAD)
    caller.reset_stream(1)
    found = told(made, events.DataReceived(client, caller.data_to_send()))
    assert any(isinstance(command, Http2RequestHook) for command in found)
    assert not any(isinstance(event, ResponseReceived) for event in caller.receive_data(said(found)))
    assert not any(isinstance(command, commands.CloseConnection) for command in found)


def test_a_request_whose_record_failed_is_answered_as_a_failure() -> None:
    for head, wanted in ((GRPC_HEAD, ("grpc-status", "14")), (GRPC_HEAD[:4], (":status", "503"))):
        made, client = layer()
        caller = hello()
        caller.send_headers(1, head, end_stream=True)
        *_, hook = made.handle_event(events.DataReceived(client, caller.data_to_send()))
        assert isinstance(hook, Http2RequestHook)
        hook.data.error = "refused"
        after = said(list(made.handle_event(events.HookCompleted(hook))))
        heads = [event for event in caller.receive_data(after) if isinstance(event, ResponseReceived)]
        assert wanted in (heads[0].headers or [])  # type: ignore[comparison-overlap]


def test_a_client_that_leaves_and_bytes_that_are_no_http2_close_the_connection() -> None:
    made, client = layer()
    assert isinstance(told(made, events.ConnectionClosed(client))[-1], commands.CloseConnection)
    made, client = layer()
    found = told(made, events.DataReceived(client, PREFACE + bytes(9) + b"\xff" * 50))
    assert isinstance(found[-1], commands.CloseConnection)


def test_the_first_bytes_are_kept_until_they_tell() -> None:
    client = Client(peername=("127.0.0.1", 40000), sockname=("127.0.0.1", 8080), timestamp_start=0.0)
    opening = Opening(Context(client, Options()))
    assert list(opening.handle_event(events.Start())) == []
    assert list(opening.handle_event(events.DataReceived(client, b"PR"))) == []
    found = list(opening.handle_event(events.DataReceived(client, PREFACE[2:])))
    assert any(isinstance(command, commands.RequestWakeup) for command in found)
    leaving = Opening(Context(client, Options()))
    assert isinstance(next(leaving.handle_event(events.ConnectionClosed(client))), commands.CloseConnection)


# The small parts


@pytest.mark.parametrize(
    ("data", "found"),
    [(b"", None), (b"P", None), (b"PRI ", None), (b"PRI *", True), (PREFACE, True), (PREFACE + b"x", True),
     (b"POST", False), (b"PRI x", False), (b"PRI * HTTP/2.1", False), (b"GET / HTTP/1.1\r\n", False)],
)  # fmt: skip
def test_the_first_bytes_tell_http2_from_http1(data: bytes, found: bool | None) -> None:
    assert begins(data) is found


def test_messages_are_percent_encoded() -> None:
    assert dict(status_headers("50 % … \n")) == {"grpc-status": "12", "grpc-message": "50 %25 %E2%80%A6 %0A"}


def test_grpc_is_told_by_its_content_type() -> None:
    assert is_grpc("application/grpc") and is_grpc(" Application/gRPC-Web+proto")
    assert not is_grpc("application/json") and not is_grpc("")
