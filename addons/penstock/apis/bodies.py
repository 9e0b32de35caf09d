"""How request bodies are written: each encoding read in exactly one way, and written again from what was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.kserve.tensors import TensorCodec
from penstock.apis.wire.body import emit, parse
from penstock.apis.wire.codec import NOTHING, Codec, Emitted
from penstock.apis.wire.forms import FormCodec, RawCodec
from penstock.errors import invalid
from penstock.exchange import Encoding, JsonObject


class JsonCodec:
    """Strict UTF-8 JSON."""

    media = frozenset({"application/json"})

    def read(self, content: bytes, content_type: str | None, headers: Mapping[str, str]) -> JsonObject:
        return parse(content, content_type)

    def emit(self, body: JsonObject) -> Emitted:
        return Emitted("application/json", (), emit(body))


CODECS: Final[dict[Encoding, Codec]] = {
    "json": JsonCodec(),
    "form": FormCodec(),
    "raw": RawCodec(),
    "tensors": TensorCodec(),
}


def choose(encodings: tuple[Encoding, ...], content_type: str | None) -> Encoding:
    """The encoding of a body, of those that its route takes.

    Raises: Refusal when the Content-Type is of none of them.
    """
    if len(encodings) == 1:
        return encodings[0]
    media = (content_type or "").partition(";")[0].strip().lower()
    for encoding in encodings:
        known = CODECS[encoding].media
        if not known or media in known:
            return encoding
    raise invalid("The request body is of a media type (Content-Type) that this endpoint does not take.")


__all__ = ["CODECS", "NOTHING", "Codec", "Emitted", "JsonCodec", "choose"]
