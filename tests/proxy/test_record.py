"""What is on disk: a call before the model sees it, a denial before it is answered, also when the process is killed."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.proxy.raw_client import KEY, chat, exchange, request
from tests.proxy.recording_upstream import RecordingUpstream, answer
from tests.proxy.running_gateway import Entrance, Running, start


def last(gateway: Running, kind: str) -> dict[str, object]:
    deadline = time.monotonic() + 3
    while not (found := gateway.entries(kind)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found[-1]


def body_of(entry: dict[str, object]) -> dict[str, object]:
    body = entry["body"]
    assert isinstance(body, dict)
    return body


def test_a_call_is_on_disk_before_it_reaches_the_model(gateway: Running, upstream: RecordingUpstream) -> None:
    seen: list[int] = []

    def behave(sock: object, raw: bytes) -> None:
        seen.append(len(gateway.entries("request")))
        answer(sock, raw)  # type: ignore[arg-type]

    before = len(gateway.entries("request"))
    upstream.behave = behave
    reply = gateway.ask(request(chat("remember me")))
    assert seen == [before + 1]
    entry = gateway.entries("request")[-1]
    assert entry["exchange"] == reply.headers["penstock-exchange"]
    body = body_of(entry)
    assert (body["verdict"], body["rule"], body["operation"], body["model"]) == ("allow", "everyone", "chat", "tiny")


def test_a_denial_is_on_disk_when_it_is_answered(gateway: Running) -> None:
    reply = gateway.ask(request(chat("forbidden")))
    entry = gateway.entries("request")[-1]
    assert entry["exchange"] == reply.headers["penstock-exchange"]
    body = body_of(entry)
    assert (body["verdict"], body["rule"], body["status"]) == ("deny", "no-forbidden", 403)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (request(chat(), key=None), 401),
        (request(chat(), key="psk-wrong"), 401),
        (request(chat(), path="/v1/unknown"), 404),
        (request(b"not json"), 400),
        (request(chat(), headers=[(b"X-A", b"1\x00")]), 400),
    ],
)
def test_every_refusal_is_recorded(gateway: Running, raw: bytes, status: int) -> None:
    reply = gateway.ask(raw)
    assert reply.status == status
    entry = gateway.entries("request")[-1]
    assert entry["exchange"] == reply.headers["penstock-exchange"]
    assert body_of(entry)["status"] == status


def test_no_credential_is_ever_on_disk(gateway: Running) -> None:
    gateway.ask(request(chat()))
    gateway.ask(request(chat(), key="psk-some-wrong-key"))
    for path in (gateway.directory / "data").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert KEY.encode() not in data
            assert b"psk-some-wrong-key" not in data
            assert b"model-secret" not in data
    assert KEY not in gateway.output()


def test_a_stream_is_recorded_as_it_was_delivered(gateway: Running, upstream: RecordingUpstream) -> None:
    reply = gateway.ask(request(chat(stream=True)))
    time.sleep(0.2)
    identity = reply.headers["penstock-exchange"]
    entries = [entry for entry in gateway.entries() if entry["exchange"] == identity]
    assert [entry["kind"] for entry in entries] == ["request", "chunk", "response"]
    body = body_of(entries[-1])
    assert body["bytes"] == len(reply.body)
    assert (body["complete"], body["streamed"], body["finish"]) == (True, True, "stop")


def test_a_caller_who_hangs_up_in_mid_stream_leaves_an_abort(gateway: Running, upstream: RecordingUpstream) -> None:
    import socket

    from tests.proxy.recording_upstream import STREAM_HEAD, chunk, event

    def behave(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(STREAM_HEAD)
        for _ in range(200):
            sock.sendall(chunk(event("word ")))
            time.sleep(0.01)

    upstream.behave = behave
    before = len(gateway.entries("abort"))
    with socket.create_connection(("127.0.0.1", gateway.port)) as sock:
        sock.sendall(request(chat(stream=True)))
        sock.recv(1000)
        time.sleep(0.1)
    deadline = time.monotonic() + 3
    while len(gateway.entries("abort")) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert body_of(gateway.entries("abort")[-1])["reason"] == "client"


def test_killed_under_load_every_call_that_reached_the_model_is_on_disk(
    entrance: Entrance, directory: Path, upstream: RecordingUpstream
) -> None:
    upstream.forget()
    gateway = start(directory, entrance, upstream=f"http://127.0.0.1:{upstream.port}")
    stop = threading.Event()

    def load(worker: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                exchange(gateway.port, request(chat(f"call-{worker}-{number}-end")), timeout=2)
            except OSError:
                return

    threads = [threading.Thread(target=load, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    gateway.stop(signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    upstream.settle(0.2)
    recorded = b"".join(path.read_bytes() for path in (directory / "data" / "journal").glob("*.ndjson"))
    sent = [raw.partition(b"call-")[2].partition(b"-end")[0] for raw in upstream.received]
    assert len(sent) > 50
    assert [name for name in sent if b"call-" + name + b"-end" not in recorded] == []


def test_after_a_kill_the_next_start_serves_and_goes_on_recording(
    entrance: Entrance, directory: Path, upstream: RecordingUpstream
) -> None:
    url = f"http://127.0.0.1:{upstream.port}"
    first = start(directory, entrance, upstream=url)
    assert first.ask(request(chat("before"))).status == 200
    first.stop(signal.SIGKILL)
    second = start(directory, entrance, upstream=url, rules=directory / "rules", port=first.port)
    try:
        assert second.ask(request(chat("after"))).status == 200
        assert [body_of(entry)["verdict"] for entry in second.entries("request")] == ["allow", "allow"]
    finally:
        assert second.stop() == 0
    assert second.entries()[-1]["kind"] == "stop"


def test_a_full_disk_forwards_nothing_and_recovers(
    entrance: Entrance, directory: Path, upstream: RecordingUpstream
) -> None:
    """A limit on the size of files stands for the full disk (a real one is in the journal's own tests)."""
    import resource

    upstream.forget()
    gateway = start(directory, entrance, upstream=f"http://127.0.0.1:{upstream.port}")
    try:
        assert gateway.ask(request(chat())).status == 200
        size = max(path.stat().st_size for path in (directory / "data" / "journal").glob("*.ndjson"))
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
        time.sleep(0.1)
        before = len(upstream.received)
        answers = [gateway.ask(request(chat("x" * 4000))) for _ in range(3)]
        assert [reply.status for reply in answers] == [503, 503, 503]
        assert json.loads(answers[0].body)["error"]["code"] == "gateway_error"
        assert gateway.ask(request(method="GET", path="/.penstock/ready", key=None)).status == 503
        upstream.settle()
        assert len(upstream.received) == before
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        deadline = time.monotonic() + 10
        while (reply := gateway.ask(request(chat()))).status != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert reply.status == 200
    finally:
        gateway.stop()
