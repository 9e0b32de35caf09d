"""LMDeploy's own generate: a prompt or token ids, with all parameters beside it; replies have SGLang's form."""

from __future__ import annotations

from typing import ClassVar

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, Table, parameter, wrong
from penstock.apis.calls.generating import Generating, read_media
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.openai.messages import strings
from penstock.apis.sglang.reply import SglangReader
from penstock.exchange import Call, JsonObject, Operation


class LmdeployGenerate(Generating):
    """`POST /generate`. A body with `input_ids` alone is read as SGLang's: both take that for the prompt."""

    name = "lmdeploy.generate"
    dialect: ClassVar[Dialect] = OPENAI
    routes = (Route("POST", "/generate", Operation.COMPLETE, marks=frozenset({"prompt"})),)
    table = Table(
        {
            "model": Field(STRING),
            "prompt": Field(STRING),
            "image_data": Field(STRING | LIST | OBJECT),
            "stream": Field(BOOL),
            "max_tokens": parameter(INT, "max_tokens", limit=True),
            "temperature": parameter(NUMBER, "temperature"),
            "top_p": parameter(NUMBER, "top_p"),
            "top_k": parameter(INT, "top_k"),
            "min_p": parameter(NUMBER, "min_p"),
            "repetition_penalty": parameter(NUMBER, "repeat_penalty"),
            "repetition_ngram_size": parameter(INT, "repetition_ngram_size"),
            "repetition_ngram_threshold": parameter(INT, "repetition_ngram_threshold"),
            "stop": parameter(STRING | LIST, "stop", role="other"),
            "stop_token_ids": parameter(LIST, "stop_token_ids"),
            "ignore_eos": parameter(BOOL, "ignore_eos"),
            "skip_special_tokens": parameter(BOOL, "skip_special_tokens"),
            "spaces_between_special_tokens": parameter(BOOL, "spaces_between_special_tokens"),
            "include_stop_str_in_output": parameter(BOOL, "include_stop_str_in_output"),
            "return_logprob": parameter(BOOL, "logprobs"),
            "return_routed_experts": parameter(BOOL, "return_routed_experts", ordinary=False),
            # A session is a conversation on the server, of which the call shows only the last turn.
            "session_id": parameter(INT, "session_id", ordinary=False),
            "media_io_kwargs": parameter(OBJECT, "media_io_kwargs", ordinary=False, role="other"),
            "mm_processor_kwargs": parameter(OBJECT, "mm_processor_kwargs", ordinary=False, role="other"),
        }
    )

    def texts(self, turns: Turns, body: JsonObject) -> None:
        prompt = body.get("prompt")
        if not isinstance(prompt, str):
            raise wrong(("prompt",), "a string")
        turns.add("user", prompt, ("prompt",))
        read_media(turns, body.get("image_data"), ("image_data",), "image")
        strings(body.get("stop"), ("stop",))

    def reader(self, call: Call) -> ReplyReader:
        return SglangReader(cumulative=False)
