"""Reversible tokens and masks by field, through a whole gateway: what the model sees, the caller, and the audit."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proxy.raw_client import request
from tests.proxy.recording_upstream import STREAM_HEAD, RecordingUpstream, chunk, event, reply
from tests.proxy.running_gateway import Entrance, Running, free_port, start, write_rules

ACCESS = """
grants:
  - id: everyone
    groups: [testers]
    upstreams: [lab]
    operations: [chat]
    models: ["*"]
masking:
  - id: hide
    on: [prompt]
    detect: [email]
    with: {token: {}}
  - id: contact
    on: [completion]
    detect: [email]
  - id: secrets
    on: [completion, prompt]
    fields: ["/**/password"]
"""
BOB = "bob.jones@example.org"


@pytest.fixture(scope="module", params=["serve", "mitmdump"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_upstream: RecordingUpstream
) -> Iterator[Running]:
    entrance: Entrance = request.param
    directory = tmp_path_factory.mktemp("vault")
    port = free_port()
    target = f"http://127.0.0.1:{shared_upstream.port}"
    rules = write_rules(directory, port=port, upstream=target, access=ACCESS)
    running = start(directory, entrance, upstream=target, rules=rules, port=port)
    yield running
    running.stop()


def ask(prompt: str, *, stream: bool = False) -> bytes:
    body = {"model": "tiny", "messages": [{"role": "user", "content": prompt}], "stream": stream}
    return request(json.dumps(body).encode())


def journal(gateway: Running, answers: int) -> str:
    """Everything recorded, once so many replies are."""
    until = time.monotonic() + 10
    while len(gateway.entries("response")) < answers and time.monotonic() < until:
        time.sleep(0.02)
    return "".join(path.read_text() for path in Path(gateway.directory / "data" / "journal").glob("*.ndjson"))


def test_a_streamed_reply_gives_the_value_back_that_the_model_never_saw(
    gateway: Running, upstream: RecordingUpstream
) -> None:
    parts = ["Dear [EM", "AIL_1", "], not eve@exa", "mple.org. [EMAIL_", "2]"]
    upstream.behave = lambda sock, _: sock.sendall(
        STREAM_HEAD
        + b"".join(chunk(event(part)) for part in parts)
        + chunk(event(None, "stop") + b"data: [DONE]\n\n")
        + b"0\r\n\r\n"
    )
    answer = gateway.ask(ask(f"Write to {BOB}, please.", stream=True))
    documents = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    said = "".join(each["choices"][0]["delta"].get("content", "") for each in documents)
    assert said == f"Dear {BOB}, not [EMAIL]. [EMAIL_2]"
    assert b"Write to [EMAIL_1], please." in upstream.received[0] and BOB.encode() not in upstream.received[0]
    recorded = journal(gateway, 1)
    assert "Dear [EMAIL_1], not [EMAIL]" in recorded and BOB not in recorded


def test_a_whole_reply_gives_the_value_back_and_hides_fields(gateway: Running, upstream: RecordingUpstream) -> None:
    said = json.dumps({"to": "[EMAIL_1]", "login": {"password": "hunter2"}})
    message = {"role": "assistant", "content": said}
    document = {"model": "tiny", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    upstream.behave = lambda sock, _: sock.sendall(reply(json.dumps(document).encode()))
    answer = gateway.ask(ask(json.dumps({"mail": BOB, "password": "s3cret"})))
    content = json.loads(json.loads(answer.text)["choices"][0]["message"]["content"])
    assert content == {"to": BOB, "login": {"password": "[PASSWORD]"}}
    assert b"s3cret" not in upstream.received[0] and BOB.encode() not in upstream.received[0]
    recorded = journal(gateway, 2)
    assert not any(value in recorded for value in (BOB, "hunter2", "s3cret"))
