"""A body that each API takes, as small as can be; and each route of each API as a request that it accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from penstock import apis
from penstock.apis import Api, Route
from penstock.apis.bodies import CODECS
from penstock.apis.calls.media import is_file
from penstock.apis.orders import Orders
from penstock.exchange import Blob, Call, Encoding, Json, JsonObject

WAV: Final[Json] = {"filename": "a.wav", "content_type": "audio/wav", "data": Blob(b"RIFF\x24\x00\x00\x00WAVE")}
PNG: Final[Json] = {"filename": "a.png", "content_type": "image/png", "data": Blob(b"\x89PNG\r\n\x1a\n")}
TALK: Final[Json] = [{"role": "user", "content": "hi"}]
TENSOR: Final[Json] = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["hi"]}

SMALLEST: Final[Mapping[str, JsonObject]] = {
    "openai.chat": {"model": "tiny", "messages": TALK},
    "openai.completions": {"model": "tiny", "prompt": "hi"},
    "openai.responses": {"model": "tiny", "input": "hi"},
    "openai.responses_count": {"model": "tiny", "input": "hi"},
    "ollama.chat": {"model": "tiny", "messages": TALK},
    "ollama.generate": {"model": "tiny", "prompt": "hi"},
    "ollama.show": {"model": "tiny"},
    "anthropic.messages": {"model": "tiny", "messages": TALK, "max_tokens": 5},
    "anthropic.count_tokens": {"model": "tiny", "messages": TALK},
    "cohere.chat": {"model": "tiny", "messages": TALK},
    "cohere.embed": {"model": "tiny", "texts": ["hi"], "input_type": "classification", "embedding_types": ["float"]},
    "lm_studio.chat": {"model": "tiny", "input": "hi"},
    "openai.embeddings": {"model": "tiny", "input": "hi"},
    "openai.moderations": {"input": "hi"},
    "ollama.embed": {"model": "tiny", "input": "hi"},
    "ollama.embeddings": {"model": "tiny", "prompt": "hi"},
    "llama_cpp.embedding": {"content": "hi"},
    "llama_cpp.tools": {"messages": TALK},
    "infinity.images": {"model": "tiny", "input": ["data:image/png;base64,AAAA"]},
    "infinity.audio": {"model": "tiny", "input": ["data:audio/wav;base64,AAAA"]},
    "rerank": {"query": "hi", "documents": ["a", "b"]},
    "tei.embed": {"inputs": "hi"},
    "tokenize": {"prompt": "hi"},
    "tei.tokenize": {"inputs": "hi"},
    "detokenize": {"tokens": [1]},
    "xinference.tokens": {"model": "tiny", "input": [[1]]},
    "tgi.chat_tokenize": {"messages": TALK},
    "decisions": {"input": "hi", "questions": [{"id": "q"}]},
    "vllm.pooling": {"text_1": "hi", "text_2": "ho"},
    "vllm.tokens_generate": {"model": "tiny", "token_ids": [1], "sampling_params": {"max_tokens": 5}},
    "vllm.render": {"messages": TALK},
    "vllm.render_completion": {"prompt": "hi"},
    "vllm.render_messages": {"messages": TALK, "max_tokens": 5},
    "vllm.render_responses": {"input": "hi"},
    "vllm.render_cohere": {"messages": TALK},
    "vllm.derender": {"model": "tiny", "generate_response": {"token_ids": [1]}},
    "sglang.encode": {"text": "hi"},
    "sglang.text": {"text": "hi"},
    "openai.audio.transcriptions": {"model": "tiny", "file": WAV},
    "openai.audio.translations": {"model": "tiny", "file": WAV},
    "openai.audio.speech": {"model": "tiny", "input": "hi", "voice": "alloy"},
    "openai.images": {"model": "tiny", "prompt": "hi"},
    "openai.images.edits": {"model": "tiny", "prompt": "hi", "image": PNG},
    "localai.sounds": {"model_id": "tiny", "text": "hi"},
    "localai.diarization": {"model": "tiny", "file": WAV},
    "localai.videos": {"model": "tiny", "prompt": "hi"},
    "xinference.videos": {"model": "tiny", "prompt": "hi"},
    "xinference.ocr": {"model": "tiny", "image": PNG},
    "koboldcpp.images": {"prompt": "hi"},
    "koboldcpp.interrogate": {"image": "data:image/png;base64,AAAA"},
    "koboldcpp.transcribe": {"audio_data": "data:audio/wav;base64,AAAA"},
    "kserve.v1.predict": {"instances": ["hi"]},
    "kserve.v2.infer": {"inputs": [TENSOR]},
    "triton.generate": {"text_input": "hi"},
    "mlserver.stream": {"inputs": [TENSOR]},
    "torchserve.predictions": {"prompt": "hi"},
    "llama_cpp.completion": {"prompt": "hi"},
    "llama_cpp.infill": {"input_prefix": "hi", "input_suffix": "ho"},
    "tgi.generate": {"inputs": "hi"},
    "tgi.generate_stream": {"inputs": "hi"},
    "sglang.generate": {"text": "hi"},
    "lmdeploy.generate": {"prompt": "hi"},
    "koboldcpp.generate": {"prompt": "hi"},
    "koboldcpp.generate_stream": {"prompt": "hi"},
    "localai.edits": {"model": "tiny", "input": "hi", "instruction": "ho"},
    "sagemaker.invocations": {"model": "tiny", "messages": TALK},
    "vertex.predict": {"instances": [{"prompt": "hi"}]},
}
ELSEWHERE: Final[Mapping[tuple[str, str], JsonObject]] = {
    ("tokenize", "/v1/token/encode"): {"text": "hi"},
    ("tei.embed", "/similarity"): {"inputs": {"source_sentence": "hi", "sentences": ["ho"]}},
    ("vllm.pooling", "/classify"): {"input": "hi"},
    ("vllm.derender", "/v1/completions/derender"): {"model": "tiny", "generate_responses": [{"token_ids": [1]}]},
    ("sglang.text", "/separate_reasoning"): {"text": "hi", "reasoning_parser": "qwen3"},
    ("xinference.videos", "/v1/video/generations/image"): {"model": "tiny", "prompt": "hi", "image": PNG},
    ("xinference.videos", "/v1/video/generations/flf"): {"model": "tiny", "prompt": "hi", "first_frame": PNG},
    ("localai.sounds", "/v1/sound-generation"): {"model_id": "tiny", "text": "hi"},
}
_QUERIES: Final = {("DELETE", "/models"): "model=tiny", ("DELETE", "/v1/cache/models"): "model_version=tiny"}


@dataclass(frozen=True, slots=True)
class Asking:
    """One route of an API, and a request that it takes."""

    api: Api
    route: Route
    path: str
    body: JsonObject | None
    encoding: Encoding

    def __str__(self) -> str:
        return f"{self.api.name} {self.route.method} {self.route.path} {self.encoding}"

    def sent(self, body: JsonObject | None) -> tuple[bytes, str | None]:
        """The bytes of a body and their type, as a client writes them.

        Raises: Refusal for what a form cannot hold.
        """
        if body is None:
            return b"", None
        if self.encoding in ("json", "tensors"):
            return json.dumps(body, ensure_ascii=False).encode(), "application/json"
        made = CODECS[self.encoding].emit(body)
        return made.content, made.content_type

    def call(self, body: JsonObject | None) -> Call:
        """The call that a body makes here.

        Raises: Refusal.
        """
        found = apis.recognise(self.route.method, apis.normal_path(self.path))
        content, content_type = self.sent(body)
        return apis.asked(found, self.path, content, content_type)

    def known(self) -> list[str]:
        """The keys that the API knows."""
        return sorted({key for table in (self._table(), getattr(self.api, "inner", None)) for key in _names(table)})

    def _table(self) -> Any:
        if isinstance(self.api, Orders):
            return next(each.table() for each in self.api.orders if each.route() == self.route)
        return getattr(self.api, "table", None)


def _names(table: Any) -> list[str]:
    return [] if table is None else sorted(table.names)


def path_of(route: Route) -> str:
    """A path of a route, with the query without which it says too little."""
    if (route.method, route.path) in _QUERIES:
        return f"{route.path}?{_QUERIES[route.method, route.path]}"
    if route.path.startswith("/api/blobs/"):
        return "/api/blobs/sha256:" + "0" * 64
    return re.sub(r"\{(\w+)\}", lambda found: "tiny" if found[1] == "model" else "1", route.path)


def _smallest(api: Api, route: Route, encoding: Encoding) -> JsonObject | None:
    if isinstance(api, Orders):
        order = next(each for each in api.orders if each.route() == route)
        table = order.table()
        if encoding == "raw":
            scales = b'[{"id":0,"scale":1}]'
            return {"content_type": "application/octet-stream", "data": Blob(scales)}
        given = {key: "tiny" for key in order.model[:1] if key not in order.query}
        other = {key: "other" for key in order.others if key in ("destination",)}
        return {**given, **other} if table.fields else None
    if encoding == "raw":
        return {"content_type": "application/octet-stream", "data": Blob(b"\0\1")}
    return ELSEWHERE.get((api.name, route.path), SMALLEST[api.name])


def _askings() -> list[Asking]:
    found: list[Asking] = []
    for api in apis.APIS:
        for route in api.routes:
            encodings = route.encodings or ("json",)
            for encoding in encodings:
                body = _smallest(api, route, encoding) if route.encodings else None
                if encoding in ("json", "tensors") and body is not None and any(map(is_file, body.values())):
                    continue
                found.append(Asking(api, route, path_of(route), body, encoding))
    return found


ASKINGS: Final = _askings()
WITH_BODY: Final = [asking for asking in ASKINGS if asking.body is not None]
