"""Speech and sounds by ElevenLabs' API, as LocalAI serves it: a text in, a recording out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from penstock.apis.api import ReplyReader, Route
from penstock.apis.calls.fields import BOOL, INT, NUMBER, STRING, Field, Table, parameter
from penstock.apis.calls.media import Media
from penstock.apis.calls.turns import LABEL
from penstock.apis.names import model_name
from penstock.apis.replies.media import AUDIO, MediaReader
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation

_VOICE: Final = "voice"


class LocalAiSounds(Media):
    """`POST /v1/text-to-speech/{voice}` and `POST /v1/sound-generation`."""

    name = "localai.sounds"
    routes = (
        Route("POST", "/v1/text-to-speech/{voice}", Operation.SPEAK),
        Route("POST", "/v1/sound-generation", Operation.SPEAK),
    )
    table = Table(
        {
            "model_id": Field(STRING),
            "text": Field(STRING, role="user"),
            "language_code": parameter(STRING, "language", role=LABEL),
            "duration_seconds": parameter(NUMBER, "duration"),
            "prompt_influence": parameter(NUMBER, "temperature"),
            "do_sample": parameter(BOOL, "do_sample"),
            "think": parameter(BOOL, "think"),
            "caption": Field(STRING, role="user"),
            "lyrics": Field(STRING, role="user"),
            "bpm": parameter(INT, "bpm"),
            "keyscale": parameter(STRING, "keyscale", role=LABEL),
            "language": parameter(STRING, "language", role=LABEL),
            "vocal_language": parameter(STRING, "language", role=LABEL),
            "timesignature": parameter(STRING, "timesignature", role=LABEL),
            "instrumental": parameter(BOOL, "instrumental"),
        }
    )
    answer = "audio"
    model_key = "model_id"

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        """The voice in the path is a parameter like one in the body."""
        found = super().call(route, path, body)
        voice = route.values(path).get(_VOICE)
        if voice is None:
            return found
        if _VOICE in (body or {}):
            raise invalid("/voice is said in the path of this endpoint, not in its body.")
        return replace(found, parameters={**found.parameters, _VOICE: model_name(voice, "the voice in the path")})

    def with_body(self, call: Call, body: JsonObject) -> Call:
        return _with_voice(super().with_body(call, body), call)

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        return _with_voice(super().with_parameters(call, values), call)

    def reader(self, call: Call) -> ReplyReader:
        return MediaReader("audio", media=AUDIO)


def _with_voice(made: Call, before: Call) -> Call:
    if _VOICE not in before.parameters:
        return made
    return replace(made, parameters={**made.parameters, _VOICE: before.parameters[_VOICE]})
