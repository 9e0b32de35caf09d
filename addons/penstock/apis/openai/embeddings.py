"""OpenAI embeddings, as nearly every model server has them, with the inputs and parameters that each adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import Route
from penstock.apis.calls.contents import Input, contents, media, messages, vectors
from penstock.apis.calls.fields import STRING, Table, parameter
from penstock.apis.calls.pooling import OVERRIDES, SHARED, TEMPLATED, inputs
from penstock.apis.calls.turns import LABEL
from penstock.apis.calls.whole import Whole
from penstock.exchange import JsonObject, Operation

_PATHS: Final = (
    "/v1/embeddings",
    # llama.cpp's own form, TEI, infinity and LocalAI.
    "/embeddings",
    # OpenVINO (twice), LM Studio, and LocalAI for clients of Azure.
    "/v3/embeddings",
    "/v3/v1/embeddings",
    "/api/v0/embeddings",
    "/v1/engines/{model}/embeddings",
)
INPUTS: Final[Mapping[str, Input]] = {
    "input": contents,
    "messages": messages,
    "content": contents,
    "embed_overrides": vectors,
}
# infinity: the inputs are images or sounds, or addresses of them.
_MODALITIES: Final[Mapping[str, Input]] = {"image": media("image"), "audio": media("audio")}
NUMBERS: Final = frozenset({"embedding", "embeddings", ""})


class OpenAiEmbeddings(Whole):
    """`POST /v1/embeddings` (https://platform.openai.com/docs/api-reference/embeddings/create).

    `input` is text, texts, token ids, and for vLLM, SGLang and llama.cpp also messages, parts or objects with media in
    them; `content` is llama.cpp's other name of it, `messages` vLLM's form of a conversation.
    """

    name = "openai.embeddings"
    routes = (
        *(Route("POST", path, Operation.EMBED) for path in _PATHS),
        # SageMaker's one path: what a generation does not take.
        Route("POST", "/invocations", Operation.EMBED, marks=frozenset({"input"})),
    )
    table = Table(
        {**SHARED, **TEMPLATED, **OVERRIDES, **inputs(*INPUTS), "modality": parameter(STRING, "modality", role=LABEL)}
    )
    inputs: ClassVar[Mapping[str, Input]] = INPUTS
    numbers = NUMBERS

    def input(self, key: str, body: JsonObject) -> Input | None:
        modality = body.get("modality")
        if key == "input" and isinstance(modality, str) and modality in _MODALITIES:
            return _MODALITIES[modality]
        return super().input(key, body)
