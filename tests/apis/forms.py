"""Calls made from forms, for tests: through the bytes as a client sends them."""

from __future__ import annotations

from penstock import apis
from penstock.apis.wire.forms import FormCodec
from penstock.exchange import Blob, Call, JsonObject

WAV = b"RIFF\x24\x00\x00\x00WAVE"


def file(filename: str = "a.wav", content_type: str = "audio/wav", data: bytes = WAV) -> JsonObject:
    return {"filename": filename, "content_type": content_type, "data": Blob(data)}


def sent(path: str, body: JsonObject) -> Call:
    """The call that a form makes."""
    made = FormCodec().emit(body)
    found = apis.recognise("POST", apis.normal_path(path))
    return apis.asked(found, path, made.content, made.content_type)


def forwarded(call: Call) -> JsonObject:
    """The form that is forwarded for a call, as the next reader reads it."""
    made = apis.emitted(call)
    return dict(FormCodec().read(made.content, made.content_type, {}))
