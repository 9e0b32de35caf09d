"""Replies in a form of their own, through the running gateway: KServe's binary tensors, subtitles, a bare string."""

from __future__ import annotations

import hashlib
import json
import struct
import time
from collections.abc import Iterator

import pytest

from penstock.apis.wire.forms import FormCodec
from tests.apis.forms import file
from tests.proxy.raw_client import Answer, request
from tests.proxy.recording_upstream import RecordingUpstream, chunk, reply
from tests.proxy.running_gateway import Running, free_port, start, write_rules

ACCESS = """
grants:
  - id: models
    groups: [testers]
    upstreams: [lab]
    operations: [infer, transcribe]
    models: [echo, whisper, ocr]
    uninspected: [audio, image]
masking:
  - id: contact
    on: [prompt, completion]
    detect: [email, credit_card]
    with: label
"""
HEADER = "inference-header-content-length"
MAIL = "alice@example.com"
SRT = "1\r\n00:00:00,000 --> 00:00:02,000\r\ncard 4111 1111\r\n\r\n2\r\n00:00:02,000 --> 00:00:04,000\r\n1111 1111\r\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, shared_upstream: RecordingUpstream) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("packed")
    port, model = free_port(), f"http://127.0.0.1:{shared_upstream.port}"
    rules = write_rules(directory, port=port, upstream=model, access=ACCESS)
    started = start(directory, "serve", upstream=model, rules=rules, port=port)
    yield started
    started.stop()


def tensors(*texts: str) -> tuple[bytes, int]:
    """A binary reply of one output, and the length of its JSON."""
    raw = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)
    output = {"name": "SAID", "datatype": "BYTES", "shape": [len(texts)], "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"model_name": "echo", "outputs": [output]}).encode()
    return head + raw, len(head)


def infer(running: Running, upstream: RecordingUpstream, raw: bytes) -> Answer:
    upstream.behave = lambda sock, _request: sock.sendall(raw)
    body = {
        "inputs": [{"name": "TEXT", "shape": [1], "datatype": "BYTES", "data": [f"mail {MAIL}"]}],
        "parameters": {"binary_data_output": True},
    }
    return running.ask(request(json.dumps(body).encode(), path="/v2/models/echo/infer"))


def recorded(running: Running, answer: Answer) -> dict[str, object]:
    """The entry of a reply, which says the size and the digest of what was delivered."""
    deadline = time.monotonic() + 5
    while True:
        found = [
            entry["body"]
            for entry in running.entries("response")
            if entry["exchange"] == answer.headers["penstock-exchange"]
        ]
        if found or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    (body,) = found
    assert isinstance(body, dict)
    assert body["bytes"] == len(answer.body) == int(answer.headers["content-length"])
    assert body["sha256"] == hashlib.sha256(answer.body).hexdigest() and body["complete"] is True
    return body


def test_a_binary_reply_is_masked_in_its_own_form(running: Running, upstream: RecordingUpstream) -> None:
    body, length = tensors(f"mail {MAIL}", "plain")
    extra = f"Inference-Header-Content-Length: {length}\r\nX-More: {MAIL}\r\n".encode()
    answer = infer(running, upstream, reply(body, "application/octet-stream", extra=extra))
    assert answer.status == 200 and answer.headers["content-type"] == "application/octet-stream"
    assert "x-more" not in answer.headers
    head, raw = answer.body[: int(answer.headers[HEADER])], answer.body[int(answer.headers[HEADER]) :]
    assert raw == struct.pack("<I", 12) + b"mail [EMAIL]" + struct.pack("<I", 5) + b"plain"
    assert json.loads(head)["outputs"][0]["parameters"] == {"binary_data_size": len(raw)}
    upstream.settle()
    assert b'"binary_data_output":true' in upstream.received[0] and b"mail [EMAIL]" in upstream.received[0]
    assert recorded(running, answer)["masked"] == {"email": 1}


@pytest.mark.parametrize(
    "extra", ["", "{h}: 1\r\n", "{h}: 99999\r\n", "{h}: x{n}\r\n", "{h}: {n}\r\n{h}: {n}\r\n", "{h}: \u0661\r\n"]
)
def test_a_binary_reply_that_cannot_be_read_is_refused(
    running: Running, upstream: RecordingUpstream, extra: str
) -> None:
    body, length = tensors(f"mail {MAIL}")
    head = extra.format(h="Inference-Header-Content-Length", n=length).encode()
    answer = infer(running, upstream, reply(body, "application/octet-stream", extra=head))
    assert answer.status == 502 and MAIL not in answer.text and HEADER not in answer.headers


def test_the_header_is_dropped_where_it_means_nothing(running: Running, upstream: RecordingUpstream) -> None:
    extra = b"Inference-Header-Content-Length: 5\r\n"
    answer = infer(running, upstream, reply(b'{"error":"no"}', status="400 Bad Request", extra=extra))
    assert answer.status == 400 and HEADER not in answer.headers and json.loads(answer.body) == {"error": "no"}
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + extra + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = infer(running, upstream, head + chunk(b'data: {"outputs":[]}\n\n') + b"0\r\n\r\n")
    assert answer.status == 200 and HEADER not in answer.headers


@pytest.mark.parametrize("media", ["text/plain; charset=utf-8", "application/x-subrip"])
def test_subtitles_are_masked_across_their_cues(running: Running, upstream: RecordingUpstream, media: str) -> None:
    made = FormCodec().emit({"model": "whisper", "response_format": "srt", "file": file()})
    upstream.behave = lambda sock, _request: sock.sendall(reply(SRT.encode(), media))
    answer = running.ask(request(made.content, path="/v1/audio/transcriptions", content_type=made.content_type))
    assert answer.text == SRT.replace("4111 1111", "[CREDIT_CARD]").replace("1111 1111", "")
    assert answer.headers["content-type"] == media
    assert recorded(running, answer)["masked"] == {"credit_card": 1}


def test_a_bare_string_is_masked(running: Running, upstream: RecordingUpstream) -> None:
    made = FormCodec().emit({"model": "ocr", "image": file("page.png", "image/png")})
    upstream.behave = lambda sock, _request: sock.sendall(reply(json.dumps(f"to {MAIL}, \u00e9").encode()))
    answer = running.ask(request(made.content, path="/v1/images/ocr", content_type=made.content_type))
    assert json.loads(answer.body) == "to [EMAIL], \u00e9"
    assert recorded(running, answer)["masked"] == {"email": 1}
