"""OpenAI's speech: a text in, a recording out, which nobody can read here."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import ReplyReader, Route
from penstock.apis.calls.fields import BOOL, INT, NUMBER, OBJECT, STRING, Field, Table, parameter
from penstock.apis.calls.media import REFERENCE, Media
from penstock.apis.calls.turns import LABEL
from penstock.apis.openai.paths import everywhere
from penstock.apis.replies.media import AUDIO, MediaReader
from penstock.exchange import Call, JsonObject, Operation

_DELTA: Final = "speech.audio.delta"
_DONE: Final = "speech.audio.done"


class OpenAiSpeech(Media):
    """`POST /v1/audio/speech` (https://platform.openai.com/docs/api-reference/audio/createSpeech); LocalAI's `/tts`
    takes the same. Xinference takes a form when a voice to imitate comes with it."""

    name = "openai.audio.speech"
    routes = (
        *everywhere("/audio/speech", Operation.SPEAK, "json", "form"),
        Route("POST", "/tts", Operation.SPEAK),
    )
    table = Table(
        {
            "model": Field(STRING),
            "input": Field(STRING, role="user"),
            "instructions": Field(STRING, role="system"),
            "voice": parameter(STRING | OBJECT, "voice", role=LABEL),
            "response_format": parameter(STRING, "response_format", role=LABEL),
            "speed": parameter(NUMBER, "speed"),
            "stream_format": parameter(STRING, "stream_format", role=LABEL),
            "stream": Field(BOOL),
            "user": parameter(STRING, "user", role="other"),
            "kwargs": parameter(STRING, "kwargs", ordinary=False),
            "prompt_speech": REFERENCE,
            "prompt_latent": REFERENCE,
            # LocalAI
            "language": parameter(STRING, "language", role=LABEL),
            "sample_rate": parameter(INT, "sample_rate"),
            "backend": parameter(STRING, "backend", ordinary=False, role=LABEL),
            "params": parameter(OBJECT, "params", ordinary=False, role="other"),
        }
    )
    uploads = {"prompt_speech": "audio", "prompt_latent": "file"}
    answer = "audio"

    def streams(self, body: JsonObject) -> bool:
        return body.get("stream") is True or body.get("stream_format") == "sse"

    def reader(self, call: Call) -> ReplyReader:
        return MediaReader(
            "audio", keys=frozenset({"audio"}), events=frozenset({_DELTA}), last=frozenset({_DONE}), media=AUDIO
        )
