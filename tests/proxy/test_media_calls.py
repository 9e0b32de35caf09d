"""Recordings and images through the running gateway, with the official client: forms are judged and written anew."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from penstock.apis.wire.forms import FormCodec
from penstock.exchange import Blob, JsonObject
from tests.proxy.raw_client import KEY
from tests.proxy.recording_upstream import RecordingUpstream, chunk, reply
from tests.proxy.running_gateway import Running, free_port, start, write_rules

ACCESS = """
grants:
  - id: media
    groups: [testers]
    upstreams: [lab]
    operations: [transcribe, speak, image]
    models: [whisper, tts, sd]
    uninspected: [audio, image]
    parameters: {temperature: {max: 0.5}}
guardrails:
  - id: no-forbidden
    on: [prompt]
    match: {words: [forbidden]}
    action: deny
    message: That word is not allowed here.
masking:
  - id: contact
    on: [prompt, completion]
    detect: [email]
    with: label
"""
WAV = b"RIFF\x24\x00\x00\x00WAVE\xff\xfe\r\n--\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, shared_upstream: RecordingUpstream) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("media")
    port, model = free_port(), f"http://127.0.0.1:{shared_upstream.port}"
    rules = write_rules(directory, port=port, upstream=model, access=ACCESS)
    started = start(directory, "serve", upstream=model, rules=rules, port=port)
    yield started
    started.stop()


@pytest.fixture
def client(running: Running, upstream: RecordingUpstream) -> Iterator[openai.OpenAI]:
    with httpx.Client(trust_env=False, timeout=20) as transport:
        base = f"http://127.0.0.1:{running.port}/v1"
        yield openai.OpenAI(base_url=base, api_key=KEY, http_client=transport, max_retries=0)


def received(upstream: RecordingUpstream) -> tuple[str, JsonObject]:
    """The one form that the model got."""
    upstream.settle()
    (raw,) = upstream.received
    head, _, content = raw.partition(b"\r\n\r\n")
    types = [
        line.partition(b":")[2].strip().decode()
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-type:")
    ]
    return types[0], dict(FormCodec().read(content, types[0], {}))


def test_a_transcription_goes_round(client: openai.OpenAI, upstream: RecordingUpstream, running: Running) -> None:
    text = b'{"text":"Write to alice.smith@example.com.","usage":{"type":"duration","seconds":1}}'
    upstream.behave = lambda sock, _request: sock.sendall(reply(text))
    got = client.audio.transcriptions.create(
        model="whisper", file=("call.wav", WAV, "audio/wav"), prompt="mail bob@example.com", temperature=0.25,
        timestamp_granularities=["word"],
    )  # fmt: skip
    assert got.text == "Write to [EMAIL]."
    kind, form = received(upstream)
    assert "boundary=penstock-" in kind
    assert form == {
        "model": "whisper", "prompt": "mail [EMAIL]", "temperature": "0.25", "timestamp_granularities[]": "word",
        "file": {"filename": "call.wav", "content_type": "audio/wav", "data": Blob(WAV)},
    }  # fmt: skip
    entry = running.entries("request")[-1]["body"]
    assert isinstance(entry, dict)
    assert (entry["api"], entry["uninspected"], entry["verdict"]) == ("openai.audio.transcriptions", ["audio"], "allow")
    assert entry["masked"] == {"email": 1}


def test_the_record_holds_the_form_as_json_with_digests(
    client: openai.OpenAI, upstream: RecordingUpstream, running: Running
) -> None:
    upstream.behave = lambda sock, _request: sock.sendall(reply(b'{"text":"ok"}'))
    client.audio.transcriptions.create(model="whisper", file=("call.wav", WAV, "audio/wav"))
    files = sorted((running.directory / "data" / "journal").glob("*.ndjson"), key=lambda path: path.stat().st_mtime)
    lines = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    payload = [line["payload"] for line in lines if json.loads(line["envelope"])["kind"] == "request"][-1]
    document = json.loads(payload["body"])
    assert document["file"] == {"filename": "call.wav", "content_type": "audio/wav", "data": str(Blob(WAV))}


def test_a_streamed_transcription_goes_round(client: openai.OpenAI, upstream: RecordingUpstream) -> None:
    said = ["Write to ali", "ce@example.com", " now."]
    events = [{"type": "transcript.text.delta", "delta": part} for part in said]
    events.append({"type": "transcript.text.done", "text": "".join(said)})
    data = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in events]

    def behave(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(SSE + b"".join(map(chunk, data)) + b"0\r\n\r\n")

    upstream.behave = behave
    stream = client.audio.transcriptions.create(model="whisper", file=("a.wav", WAV), stream=True)
    found = list(stream)
    assert "".join(each.delta for each in found if each.type == "transcript.text.delta") == "Write to [EMAIL] now."
    assert found[-1].type == "transcript.text.done" and found[-1].text == "Write to [EMAIL] now."


@pytest.mark.parametrize(
    ("more", "why"),
    [({"prompt": "forbidden"}, "That word is not allowed here."), ({"temperature": 0.9}, "temperature")],
)
def test_a_form_is_judged_like_any_call(
    client: openai.OpenAI, upstream: RecordingUpstream, more: dict[str, object], why: str
) -> None:
    with pytest.raises(openai.PermissionDeniedError) as refused:
        client.audio.transcriptions.create(model="whisper", file=("a.wav", WAV), extra_body=more)
    assert why in refused.value.message
    upstream.settle()
    assert not upstream.received


def test_speech_passes_unread_where_a_grant_says_so(
    client: openai.OpenAI, upstream: RecordingUpstream, running: Running
) -> None:
    upstream.behave = lambda sock, _request: sock.sendall(reply(WAV, "audio/mpeg"))
    got = client.audio.speech.create(model="tts", voice="alloy", input="Mail bob@example.com")
    assert got.content == WAV
    upstream.settle()
    assert b'"input":"Mail [EMAIL]"' in upstream.received[0]
    entry = running.entries("request")[-1]["body"]
    assert isinstance(entry, dict) and entry["uninspected"] == ["audio"]


def test_an_image_is_edited_and_its_revised_prompt_masked(client: openai.OpenAI, upstream: RecordingUpstream) -> None:
    body = json.dumps(
        {"created": 1, "data": [{"b64_json": "iVBORw0KGgo" * 9, "revised_prompt": "for bob@example.com"}]}
    )
    upstream.behave = lambda sock, _request: sock.sendall(reply(body.encode()))
    png = ("a.png", b"\x89PNG\r\n", "image/png")
    got = client.images.edit(model="sd", prompt="a fox", image=[png, png])
    assert got.data is not None and got.data[0].revised_prompt == "for [EMAIL]"
    assert got.data[0].b64_json == "iVBORw0KGgo" * 9
    _, form = received(upstream)
    assert isinstance(form["image[]"], list) and len(form["image[]"]) == 2


def test_a_recording_without_a_grant_for_it_is_refused(
    running: Running, upstream: RecordingUpstream, client: openai.OpenAI, tmp_path: Path
) -> None:
    port, model = free_port(), f"http://127.0.0.1:{upstream.port}"
    access = ACCESS.replace("uninspected: [audio, image]", "uninspected: [image]")
    rules = write_rules(tmp_path, port=port, upstream=model, access=access)
    other = start(tmp_path, "serve", upstream=model, rules=rules, port=port)
    try:
        with pytest.raises(openai.PermissionDeniedError) as refused:
            client.with_options(base_url=f"http://127.0.0.1:{port}/v1").audio.speech.create(
                model="tts", voice="alloy", input="hi"
            )
        assert "audio" in refused.value.message
    finally:
        other.stop()
    upstream.settle()
    assert not upstream.received
