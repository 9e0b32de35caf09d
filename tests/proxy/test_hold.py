"""A call that waits for people: nobody else waits with it, and only a decision lets it pass."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.proxy.raw_client import Answer, chat, exchange, read, request
from tests.proxy.recording_upstream import RecordingUpstream
from tests.proxy.running_gateway import APPROVER, OTHER, Entrance, Running, free_port, start, write_rules

HELD = chat("make a wire transfer")


@pytest.fixture(params=["serve", "mitmdump"], scope="module")
def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_upstream: RecordingUpstream
) -> Iterator[Running]:
    """A gateway that holds for three seconds only."""
    directory = tmp_path_factory.mktemp("desk")
    port, url = free_port(), f"http://127.0.0.1:{shared_upstream.port}"
    rules = write_rules(directory, port=port, upstream=url, more="hold: 3s\n")
    running = start(directory, request.param, upstream=url, rules=rules, port=port)
    yield running
    running.stop()


def later(gateway: Running, raw: bytes) -> Future[Answer]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(exchange, gateway.port, raw, timeout=15)
    pool.shutdown(wait=False)
    return future


def approvals(gateway: Running, key: str = APPROVER) -> list[dict[str, object]]:
    answer = gateway.ask(request(method="GET", path="/.penstock/approvals", key=key))
    assert answer.status == 200
    found = json.loads(answer.body)["approvals"]
    assert isinstance(found, list)
    return [item for item in found if item["state"] == "open"]


def ticket(gateway: Running, prompt: str) -> str:
    """The id of the open ticket whose prompt holds `prompt`."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        for item in approvals(gateway):
            if prompt in json.dumps(item):
                return str(item["id"])
        time.sleep(0.02)
    raise AssertionError(f"no open ticket for {prompt!r}")


def decide(gateway: Running, name: str, decision: str, key: str = APPROVER) -> Answer:
    body = json.dumps({"decision": decision, "reason": "because"}).encode()
    return gateway.ask(request(body, path=f"/.penstock/approvals/{name}", key=key))


def test_an_approved_call_is_forwarded_once(desk: Running, upstream: RecordingUpstream) -> None:
    waiting = later(desk, request(HELD))
    name = ticket(desk, "make a wire")
    assert upstream.bytes == 0
    assert decide(desk, name, "approve").status == 200
    assert waiting.result().status == 200
    assert len(upstream.received) == 1
    identity = waiting.result().headers["penstock-exchange"]
    deadline = time.monotonic() + 3
    kinds: list[object] = []
    while "response" not in kinds and time.monotonic() < deadline:
        kinds = [entry["kind"] for entry in desk.entries() if entry["exchange"] == identity]
    assert kinds[0] == "request"
    assert kinds[-2:] == ["verdict", "response"]


def test_a_denied_call_is_never_forwarded(desk: Running, upstream: RecordingUpstream) -> None:
    waiting = later(desk, request(HELD))
    assert decide(desk, ticket(desk, "make a wire"), "deny").status == 200
    answer = waiting.result()
    assert answer.status == 403
    assert json.loads(answer.body)["error"]["code"] == "approval_denied"
    upstream.settle()
    assert upstream.bytes == 0
    assert desk.ask(request(HELD)).status == 403, "the denial stands for the same request"


def test_others_are_served_while_a_call_waits(desk: Running, upstream: RecordingUpstream) -> None:
    waiting = later(desk, request(chat("a wire transfer for others")))
    name = ticket(desk, "for others")
    began = time.monotonic()
    assert desk.ask(request(chat())).status == 200
    assert time.monotonic() - began < 1.0
    assert not waiting.done()
    decide(desk, name, "deny")
    waiting.result()


def test_nobody_decides_and_the_same_call_sent_again_uses_the_later_approval(
    desk: Running, upstream: RecordingUpstream
) -> None:
    raw = request(chat("a wire transfer, twice sent"))
    answer = desk.ask(raw)
    assert answer.status == 403
    assert json.loads(answer.body)["error"]["code"] == "approval_pending"
    assert answer.headers["x-should-retry"] == "false"
    name = answer.headers["penstock-approval"]
    assert upstream.bytes == 0
    assert decide(desk, name, "approve").status == 200
    assert desk.ask(raw).status == 200
    assert len(upstream.received) == 1
    third = later(desk, raw)
    decide(desk, ticket(desk, "twice sent"), "deny")
    assert third.result().status == 403, "a grant serves one call"
    assert len(upstream.received) == 1


def test_an_approval_is_bound_to_exactly_what_was_sent_and_to_the_caller(
    desk: Running, upstream: RecordingUpstream
) -> None:
    raw = request(chat("a wire transfer of 10"))
    name = desk.ask(raw).headers["penstock-approval"]
    decide(desk, name, "approve")
    other_body = later(desk, request(chat("a wire transfer of 10,000")))
    other_caller = later(desk, request(chat("a wire transfer of 10"), key=OTHER))
    assert {other_body.result().status, other_caller.result().status} == {403}
    assert upstream.bytes == 0
    assert desk.ask(raw).status == 200


def test_a_caller_cannot_approve_his_own_call(desk: Running, upstream: RecordingUpstream) -> None:
    waiting = later(desk, request(chat("my own wire transfer")))
    name = ticket(desk, "my own")
    assert decide(desk, name, "approve", key=OTHER).status in (403, 404)
    from tests.proxy.raw_client import KEY

    assert decide(desk, name, "approve", key=KEY).status == 403
    decide(desk, name, "deny")
    assert waiting.result().status == 403
    assert upstream.bytes == 0


def test_a_caller_who_hangs_up_is_never_forwarded(desk: Running, upstream: RecordingUpstream) -> None:
    with socket.create_connection(("127.0.0.1", desk.port)) as sock:
        sock.sendall(request(chat("a wire transfer, given up")))
        name = ticket(desk, "given up")
    time.sleep(0.2)
    decide(desk, name, "approve")
    upstream.settle(0.3)
    assert upstream.bytes == 0


def test_a_held_stream_that_is_approved_streams(desk: Running, upstream: RecordingUpstream) -> None:
    waiting = later(desk, request(chat("stream a wire transfer", stream=True)))
    decide(desk, ticket(desk, "stream a"), "approve")
    answer = waiting.result()
    assert answer.status == 200
    assert answer.text.rstrip().endswith("[DONE]")


def test_without_a_credential_nothing_is_seen_or_decided(desk: Running) -> None:
    assert desk.ask(request(method="GET", path="/.penstock/approvals", key=None)).status == 401
    assert desk.ask(request(b"{}", path="/.penstock/approvals/X", key=None)).status == 401


def test_a_stop_denies_what_waits(entrance: Entrance, directory: Path, upstream: RecordingUpstream) -> None:
    gateway = start(directory, entrance, upstream=f"http://127.0.0.1:{upstream.port}")
    waiting = later(gateway, request(HELD))
    name = ticket(gateway, "make a wire")
    assert gateway.stop(signal.SIGTERM) == 0
    assert waiting.result().status in (0, 403, 503)
    assert upstream.bytes == 0
    again = start(
        directory, entrance, upstream=f"http://127.0.0.1:{upstream.port}", rules=directory / "rules", port=gateway.port
    )
    try:
        assert decide(again, name, "approve").status == 404
    finally:
        again.stop()
    assert upstream.bytes == 0


def test_two_identical_calls_that_wait_need_two_approvals(desk: Running, upstream: RecordingUpstream) -> None:
    raw = request(chat("one wire transfer for two"))
    first, second = later(desk, raw), later(desk, raw)
    name = ticket(desk, "for two")
    time.sleep(0.2)
    decide(desk, name, "approve")
    assert sorted([first.result().status, second.result().status]) == [200, 403]
    assert len(upstream.received) == 1


def test_pipelined_behind_a_held_call_nothing_passes(desk: Running, upstream: RecordingUpstream) -> None:
    with socket.create_connection(("127.0.0.1", desk.port), timeout=15) as sock:
        sock.sendall(request(chat("a wire transfer in front"), close=False) + request(chat("behind")))
        threading.Event().wait(0.3)
        assert upstream.bytes == 0
        decide(desk, ticket(desk, "in front"), "deny")
        assert read(sock).status == 403
