"""vLLM's generation from token ids: nobody can read the prompt, and the reply only where it is asked for as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import ReplyReader, Route
from penstock.apis.calls.contents import Input, contents, documents, integers, media
from penstock.apis.calls.fields import ANY, BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, Table, parameter
from penstock.apis.calls.pooling import SHARED, inputs
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.calls.whole import Whole
from penstock.apis.openai.repeat import Repeat
from penstock.apis.openai.reply import OpenAiReader, nested
from penstock.apis.replies.choices import choices
from penstock.apis.replies.pieces import DOCUMENT, Holder, Place, Reading, Walk
from penstock.apis.wire import sse
from penstock.exchange import Call, JsonObject, Operation, Path

_SAMPLING: Final = Table(
    {
        "max_tokens": parameter(INT, "max_tokens", limit=True),
        "min_tokens": parameter(INT, "min_tokens"),
        "n": parameter(INT, "n", limit=True),
        "temperature": parameter(NUMBER, "temperature"),
        "top_p": parameter(NUMBER, "top_p"),
        "top_k": parameter(INT, "top_k"),
        "min_p": parameter(NUMBER, "min_p"),
        "presence_penalty": parameter(NUMBER, "presence_penalty"),
        "frequency_penalty": parameter(NUMBER, "frequency_penalty"),
        "repetition_penalty": parameter(NUMBER, "repeat_penalty"),
        "seed": parameter(INT, "seed"),
        "stop": parameter(STRING | LIST, "stop", role="other"),
        "stop_token_ids": parameter(LIST, "stop_token_ids"),
        "ignore_eos": parameter(BOOL, "ignore_eos"),
        "logprobs": parameter(INT, "logprobs"),
        "detokenize": parameter(BOOL, "detokenize"),
        "skip_special_tokens": parameter(BOOL, "skip_special_tokens"),
        "include_stop_str_in_output": parameter(BOOL, "include_stop_str_in_output"),
    },
    at=("sampling_params",),
)
_INPUTS: Final[Mapping[str, Input]] = {
    "token_ids": contents,
    "features": media("image"),
    "content_parts": contents,
    "parse_context": documents,
    "token_offsets": integers,
}


class VllmGenerate(Whole):
    """`POST /inference/v1/generate` of a server started with `--enable-scale-out`."""

    name = "vllm.tokens_generate"
    routes = (Route("POST", "/inference/v1/generate", Operation.COMPLETE),)
    table = Table(
        {
            **{key: SHARED[key] for key in ("model", "request_id", "priority", "cache_salt")},
            **inputs(*_INPUTS),
            "sampling_params": Field(OBJECT),
            "output_mode": parameter(STRING, "output_mode", role=LABEL),
            "stream": Field(BOOL),
            "stream_options": parameter(OBJECT, "stream_options", role=LABEL),
            "token_offsets": parameter(LIST, "token_offsets"),
            "return_token_ids": parameter(BOOL, "return_token_ids"),
            "reasoning_ended": parameter(BOOL, "reasoning_ended"),
            "reasoning_parser_kwargs": parameter(OBJECT, "reasoning_parser_kwargs", ordinary=False, role="other"),
            # Other servers' memory.
            "kv_transfer_params": parameter(ANY, "kv_transfer_params", ordinary=False, role="other"),
            "ec_transfer_params": parameter(ANY, "ec_transfer_params", ordinary=False, role="other"),
        }
    )
    inner = _SAMPLING
    inputs: ClassVar[Mapping[str, Input]] = _INPUTS

    def read_keys(self, turns: Turns, body: JsonObject, unknown: list[str]) -> None:
        super().read_keys(turns, body, unknown)
        # Whatever its value is, it stands for text.
        turns.uninspected.add("token_ids")
        if isinstance(sampling := body.get("sampling_params"), dict):
            _SAMPLING.check(sampling)
            for key, value in sampling.items():
                spec, here = _SAMPLING.fields.get(key), ("sampling_params", key)
                if key == "stop_token_ids" and value is not None:
                    integers(turns, value, here)
                elif value is not None and (spec is None or spec.role):
                    turns.everything("other", value, here)

    def streams(self, body: JsonObject) -> bool:
        return body.get("stream") is True

    def reader(self, call: Call) -> ReplyReader:
        return VllmGenerateReader(choices(call))


class VllmGenerateReader(OpenAiReader):
    """Choices as OpenAI's, with `text` or a `message`; beside a mask the ids of tokens are emptied like any that repeat
    a text, so that a reply of token ids alone says nothing then."""

    def __init__(self, choices: int = 1) -> None:
        super().__init__(choices)
        self._walk = _HeadWalk()
        self._repeat = Repeat(self._walk)

    def carry(self, place: Place, text: str) -> bytes:
        document: JsonObject = self._walk.head(self._last, _HEAD)
        if place.channel[0] == DOCUMENT:
            return sse.encode({**document, **nested(place.path, text)})
        choice: JsonObject = {"index": place.channel[0], **nested(place.path, text), "finish_reason": None}
        return sse.encode({**document, "choices": [choice]})


_HEAD: Final = ("request_id", "output_mode", "model", "created")


class _HeadWalk(Walk):
    """Knows what this API calls the head of a reply."""

    def string(
        self,
        reading: Reading,
        holder: Holder,
        key: str | int,
        value: str,
        index: int,
        path: Path,
        *,
        known: bool = True,
    ) -> None:
        if not (key in _HEAD and known and self.structural(value)):
            super().string(reading, holder, key, value, index, path, known=known)
