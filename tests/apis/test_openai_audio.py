"""Transcriptions, translations and speech: what is said is read and masked, what is recorded is named uninspected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import apis
from penstock.apis.openai.speech import OpenAiSpeech
from penstock.apis.openai.transcript import TranscriptReader
from penstock.apis.replies.pieces import UnreadableError
from penstock.errors import Refusal
from penstock.exchange import Blob, Call, Json, JsonObject, Operation, Reply
from tests.apis.calls import call
from tests.apis.forms import WAV, file, forwarded, sent
from tests.masking.replies import MASK, documents, event, leaks, reply_mask, streamed, texts

TRANSCRIBE = "/v1/audio/transcriptions"
SPEECH = "/v1/audio/speech"


def transcribe(path: str = TRANSCRIBE, /, **more: Any) -> Call:
    return sent(path, {"file": file(), "model": "whisper", **more})


def turns(made: Call) -> dict[tuple[str | int, ...], tuple[str, str]]:
    return {turn.path: (turn.role, turn.text) for turn in made.turns}


@pytest.mark.parametrize("prefix", ["/v1", "", "/v3", "/v3/v1"])
@pytest.mark.parametrize("what", ["transcriptions", "translations"])
def test_a_recording_is_transcribed_wherever_a_server_does_so(prefix: str, what: str) -> None:
    made = transcribe(f"{prefix}/audio/{what}")
    assert (made.api, made.operation, made.model) == (f"openai.audio.{what}", Operation.TRANSCRIBE, "whisper")
    assert (made.encoding, made.uninspected, made.stream) == ("form", ("audio",), False)
    assert turns(made) == {("file", "filename"): ("other", "a.wav")}


def test_the_texts_of_a_form_are_read_and_its_numbers_are_numbers() -> None:
    made = transcribe(
        prompt="Call Bob", hotwords="Alice", language="en", temperature="0.20", stream="True", n="2",
        max_completion_tokens="100", **{"timestamp_granularities[]": ["word", "segment"], "keywords[]": "Carol"},
    )  # fmt: skip
    found = turns(made)
    assert found["prompt",] == ("user", "Call Bob")
    assert found["hotwords",] == ("user", "Alice")
    assert found["keywords[]",] == ("user", "Carol")
    assert made.parameters == {
        "language": "en", "temperature": 0.2, "n": 2, "max_tokens": 100, "timestamp_granularities": ["word", "segment"]
    }  # fmt: skip
    assert made.stream and not made.unusual
    assert forwarded(made)["temperature"] == "0.2" and forwarded(made)["stream"] == "true"


def test_what_is_forwarded_is_what_was_judged_with_its_prompt_masked() -> None:
    made = transcribe(prompt="mail bob@example.com")
    masked = apis.with_texts(made, {("prompt",): "mail [EMAIL]", ("file", "filename"): "[NAME].wav"})
    assert masked.encoding == "form"
    body = forwarded(masked)
    assert body["prompt"] == "mail [EMAIL]"
    assert body["file"] == file("[NAME].wav")
    limited = apis.by_name(made.api).with_parameters(made, {"max_tokens": 50, "temperature": 0})
    assert (forwarded(limited)["max_completion_tokens"], forwarded(limited)["temperature"]) == ("50", "0")


@pytest.mark.parametrize("name", ["kwargs", "vllm_xargs", "other"])
def test_what_an_api_does_not_know_is_text_that_a_grant_must_name(name: str) -> None:
    made = transcribe(**{name: '{"prompt": "hi"}'})
    assert made.unusual == {name}
    assert turns(made)[name,] == ("other", '{"prompt": "hi"}')


def test_unknown_files_are_named_as_such() -> None:
    made = transcribe(extra=file("b.bin", "", b"x"), **{"more[]": [file("c.bin", "", b"y"), file("d.bin", "", b"z")]})
    assert made.uninspected == ("audio", "file")
    assert made.unusual == {"extra", "more[]"}
    assert turns(made)["more[]", 1, "filename"] == ("other", "d.bin")
    assert made.parameters["extra"] == Blob(b"x")


def test_a_speaker_s_sample_may_be_a_data_url() -> None:
    made = transcribe(
        **{"known_speaker_references[]": "data:audio/wav;base64,UklGRg==", "known_speaker_names[]": "agent"}
    )
    assert made.uninspected == ("audio",)
    assert ("known_speaker_references[]",) not in turns(made)
    led = transcribe(**{"known_speaker_references[]": ["http://other/a.wav", "data:,"]})
    assert led.uninspected == ("audio", "url")
    assert turns(led)["known_speaker_references[]", 0] == ("other", "http://other/a.wav")


@pytest.mark.parametrize(
    "more",
    [
        {"model": None},
        {"model": ["a", "b"]},
        {"model": "a b"},
        {"file": "text"},
        {"file": [file(), file()]},
        {"prompt": ["a", "b"]},
        {"temperature": "warm"},
        {"temperature": "1e999"},
        {"temperature": " 1"},
        {"temperature": "0x1"},
        {"temperature": "\u0661"},
        {"n": "1.0"},
        {"n": ""},
        {"stream": "yes"},
        {"language": file()},
        {"Model": "other"},
        {"timestamp_granularities": ["word", "segment"]},
    ],
)
def test_a_field_that_is_not_what_the_api_has_there_is_refused(more: JsonObject) -> None:
    with pytest.raises(Refusal) as refused:
        transcribe(**more)
    assert refused.value.code == "invalid_request"


def test_a_transcription_is_no_json() -> None:
    with pytest.raises(Refusal):
        call(TRANSCRIBE, {"model": "whisper", "file": "UklGRg=="})


# Replies


def test_segments_are_masked_as_the_one_text_that_they_are() -> None:
    parts = [" the card is 4111 11", "11 1111", " 1111, and all that came after it."]
    document = {
        "text": "".join(parts),
        "segments": [{"id": at, "text": text, "tokens": [1]} for at, text in enumerate(parts)],
    }
    reply = reply_mask(TranscriptReader())
    out = json.loads(reply.whole(200, "application/json", json.dumps(document).encode()))
    assert out["text"] == " the card is [CREDIT_CARD], and all that came after it."
    assert "".join(segment["text"] for segment in out["segments"]) == out["text"]
    assert [segment["tokens"] for segment in out["segments"]] == [None] * 3
    assert reply.reply.masked == {"credit_card": 1}


def test_segments_without_the_whole_text_are_counted() -> None:
    document = {"segments": [{"text": "4111 1111 ", "words": ["4111"]}, {"text": "1111 1111", "speaker": None}]}
    reply = reply_mask(TranscriptReader())
    out = json.loads(reply.whole(200, "application/json", json.dumps(document).encode()))
    assert out["segments"][0] == {"text": "[CREDIT_CARD]", "words": None}
    assert reply.reply.masked == {"credit_card": 1}
    assert texts(reply) == {(0, "segments.text"): "[CREDIT_CARD]"}


def stream(*events: Any) -> bytes:
    return b"".join(map(event, events))


def delta(text: str) -> JsonObject:
    return {"type": "transcript.text.delta", "delta": text}


def test_a_held_back_end_is_said_before_the_last_event() -> None:
    data = stream(delta("mail to bob@example.com"), {"type": "transcript.text.done", "text": "mail to bob@example.com"})
    out = documents(streamed(reply_mask(TranscriptReader()), data))
    assert "".join(each.get("delta", "") for each in out) == "mail to [EMAIL]"
    assert out[-1] == {"type": "transcript.text.done", "text": "mail to [EMAIL]"}


def test_a_text_that_only_the_last_event_says_is_counted() -> None:
    reply = reply_mask(TranscriptReader())
    streamed(reply, stream({"type": "transcript.text.done", "text": "bob@example.com"}))
    assert reply.reply.masked == {"email": 1} and reply.reply.complete


def test_segments_of_a_stream_hide_a_value_that_goes_from_one_to_the_next() -> None:
    segments = [{"type": "transcript.text.segment", "id": f"s{at}", "speaker": "A", "text": text} for at, text in
                enumerate(["card 4111 1111 ", "1111 1111"])]  # fmt: skip
    data = stream(*segments, {"type": "transcript.text.done", "text": "card 4111 1111 1111 1111"})
    reply = reply_mask(TranscriptReader())
    out = streamed(reply, data)
    assert leaks(out) == []
    said = [each for each in documents(out) if each["type"] == "transcript.text.segment"]
    assert "".join(each["text"] for each in said) == "card [CREDIT_CARD]"
    assert all(each["speaker"] == "A" for each in said)


def test_an_unknown_event_is_refused_and_so_are_odd_shapes() -> None:
    reply = reply_mask(TranscriptReader())
    assert b'"error"' in streamed(reply, stream({"type": "transcript.text.guess", "text": "x"}))
    shapes: list[Json] = [[], {"segments": ["text"]}]
    for document in shapes:
        with pytest.raises(UnreadableError):
            TranscriptReader().read(document, Reply(), strip=True)


@given(st.lists(st.integers(0, 400), max_size=6))
def test_a_stream_of_chunks_is_masked_in_any_cut(cuts: list[int]) -> None:
    chunks = [
        {"object": "transcription.chunk", "choices": [{"delta": {"content": text}}]}
        for text in ("a 4111 ", "1111 1111", " 1111")
    ]
    last = {"object": "transcription.chunk", "choices": [{"delta": {"content": ""}, "finish_reason": "stop"}]}
    data = stream(*chunks, last) + b"data: [DONE]\n\n"
    reply = reply_mask(TranscriptReader())
    out = streamed(reply, data, [cut for cut in cuts if cut <= len(data)])
    assert leaks(out) == [] and reply.reply.complete
    assert texts(reply)[0, "content"] == "a [CREDIT_CARD]"


# Speech


def speak(path: str = SPEECH, /, **more: Any) -> Call:
    return call(path, {"model": "tts", "input": "Hello", "voice": "alloy", **more})


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/audio/speech", "/v3/audio/speech", "/tts"])
def test_speech_is_text_in_and_a_recording_out(path: str) -> None:
    made = speak(path, instructions="Whisper it.", speed=1.5)
    assert (made.api, made.operation, made.uninspected) == ("openai.audio.speech", Operation.SPEAK, ("audio",))
    assert turns(made) == {("input",): ("user", "Hello"), ("instructions",): ("system", "Whisper it.")}
    assert made.parameters == {"voice": "alloy", "speed": 1.5}
    assert not made.stream


def test_speech_may_stream() -> None:
    assert speak(stream_format="sse").stream and speak(stream=True).stream


def test_a_voice_to_imitate_comes_in_a_form() -> None:
    body: JsonObject = {"model": "tts", "input": "Hello", "voice": "a", "speed": "1.5", "prompt_speech": file()}
    made = sent(SPEECH, body)
    assert (made.encoding, made.uninspected, made.parameters["speed"]) == ("form", ("audio",), 1.5)
    assert forwarded(made)["prompt_speech"] == file()


@pytest.mark.parametrize("more", [{"stream": "true"}, {"speed": "1.5"}, {"input": ["a"]}, {"model": None}])
def test_json_has_the_types_that_the_api_has(more: JsonObject) -> None:
    with pytest.raises(Refusal):
        speak(**more)


@pytest.mark.parametrize("kind", ["audio/mpeg", "audio/x-wav", "application/octet-stream"])
def test_a_recording_passes_as_it_is_and_is_noted(kind: str) -> None:
    reply = reply_mask(OpenAiSpeech().reader(speak()))
    assert reply.whole(200, kind, WAV + b"\xff\xfe") == WAV + b"\xff\xfe"
    assert reply.reply.uninspected == {kind}


@pytest.mark.parametrize("kind", ["text/html", "video/mp4", "application/zip"])
def test_anything_else_in_place_of_a_recording_is_refused(kind: str) -> None:
    with pytest.raises(Refusal):
        reply_mask(OpenAiSpeech().reader(speak())).whole(200, kind, b"bytes")


def test_an_error_in_place_of_a_recording_is_masked() -> None:
    reply = reply_mask(OpenAiSpeech().reader(speak()))
    out = reply.whole(500, "application/json", b'{"error":{"message":"no voice of bob@example.com"}}')
    assert json.loads(out)["error"]["message"] == "no voice of [EMAIL]"


def test_a_streamed_recording_is_left_alone_but_text_in_its_place_is_not() -> None:
    base64 = "UklGRiQAAABXQVZF" * 8
    events = stream(
        {"type": "speech.audio.delta", "audio": base64}, {"type": "speech.audio.done", "usage": {"input_tokens": 3}}
    )
    reply = reply_mask(OpenAiSpeech().reader(speak()))
    assert streamed(reply, events) == events
    assert (reply.reply.uninspected, reply.reply.complete, reply.reply.prompt_tokens) == ({"audio"}, True, 3)
    for text in ("4111111111111111", "4111111111111111" * 4, "bob@example.com"):
        out = streamed(
            reply_mask(OpenAiSpeech().reader(speak())), stream({"type": "speech.audio.delta", "audio": text})
        )
        assert leaks(out) == []


def test_masks_are_for_texts_only() -> None:
    assert MASK.whole(Blob(WAV)).text.startswith("sha256:")
