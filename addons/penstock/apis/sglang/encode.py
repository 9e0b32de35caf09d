"""SGLang's own endpoints for vectors and classes, with the input that its generate has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import Route
from penstock.apis.calls.contents import Input, contents, media, vectors
from penstock.apis.calls.fields import BOOL, LIST, Table, parameter
from penstock.apis.calls.pooling import OVERRIDES, SHARED, inputs
from penstock.apis.calls.turns import LABEL
from penstock.apis.calls.whole import Whole
from penstock.exchange import Operation

_INPUTS: Final[Mapping[str, Input]] = {
    "text": contents,
    "input_ids": contents,
    "input_embeds": vectors,
    "image_data": media("image"),
    "video_data": media("video"),
    "audio_data": media("audio"),
}
_MARKS: Final = frozenset(_INPUTS)


class SglangEncode(Whole):
    """`/encode`, and `/classify` with one of its own keys."""

    name = "sglang.encode"
    routes = (
        Route("POST", "/encode", Operation.EMBED),
        Route("PUT", "/encode", Operation.EMBED),
        Route("POST", "/classify", Operation.SCORE, marks=_MARKS),
        Route("PUT", "/classify", Operation.SCORE),
    )
    table = Table(
        {
            **SHARED,
            **OVERRIDES,
            **inputs(*_INPUTS),
            "modalities": parameter(LIST, "modalities", role=LABEL),
            "is_cross_encoder_request": parameter(BOOL, "is_cross_encoder_request"),
        }
    )
    inputs: ClassVar[Mapping[str, Input]] = {**_INPUTS, "embed_overrides": vectors}
    numbers = frozenset({"embedding", "pooled_hidden_state", "pooled_hidden_states", ""})
