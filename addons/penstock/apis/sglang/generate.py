"""SGLang's own generate: texts, token ids or embeddings, one or many, each with parameters of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import (
    ANY,
    BOOL,
    INT,
    LIST,
    NUMBER,
    OBJECT,
    STRING,
    Field,
    Table,
    parameter,
    written,
    wrong,
)
from penstock.apis.calls.generating import Generating, merged, read_ids, read_media, read_object, read_texts
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.openai.messages import strings
from penstock.apis.replies.choices import choices
from penstock.apis.sglang.reply import SglangReader
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation

MARKS: Final = frozenset({"text", "input_ids", "input_embeds"})
_MEDIA: Final = {"image_data": "image", "video_data": "video", "audio_data": "audio"}

_GENERATE: Final = Table(
    {
        "model": Field(STRING),
        "text": Field(STRING | LIST),
        "input_ids": Field(LIST),
        "input_embeds": Field(LIST),
        **{key: Field(STRING | LIST | OBJECT) for key in _MEDIA},
        "sampling_params": Field(OBJECT | LIST),
        "stream": Field(BOOL),
        "rid": parameter(STRING | LIST, "rid", role=LABEL),
        "return_logprob": parameter(BOOL | LIST, "logprobs"),
        "logprob_start_len": parameter(INT | LIST, "logprob_start_len"),
        "top_logprobs_num": parameter(INT | LIST, "top_logprobs"),
        "token_ids_logprob": parameter(LIST, "token_ids_logprob"),
        "return_text_in_logprobs": parameter(BOOL, "return_text_in_logprobs"),
        "modalities": parameter(LIST, "modalities", role=LABEL),
        # Another adapter is another model; a session is a text that nobody sees here; a processor is code.
        "lora_path": parameter(STRING | LIST, "lora_path", ordinary=False, role="other"),
        "session_params": parameter(OBJECT, "session_params", ordinary=False, role="other"),
        "session_id": parameter(STRING, "session_id", ordinary=False, role=LABEL),
        "custom_logit_processor": parameter(STRING | LIST, "custom_logit_processor", ordinary=False, role="other"),
        "return_hidden_states": parameter(ANY, "return_hidden_states", ordinary=False, role=LABEL),
        "priority": parameter(INT, "priority", ordinary=False),
    }
)

_SAMPLING: Final = Table(
    {
        "max_new_tokens": parameter(INT, "max_tokens", limit=True),
        "n": parameter(INT, "n", limit=True),
        "min_new_tokens": parameter(INT, "min_tokens"),
        "temperature": parameter(NUMBER, "temperature"),
        "top_p": parameter(NUMBER, "top_p"),
        "top_k": parameter(INT, "top_k"),
        "min_p": parameter(NUMBER, "min_p"),
        "frequency_penalty": parameter(NUMBER, "frequency_penalty"),
        "presence_penalty": parameter(NUMBER, "presence_penalty"),
        "repetition_penalty": parameter(NUMBER, "repeat_penalty"),
        "stop": parameter(STRING | LIST, "stop", role="other"),
        "stop_token_ids": parameter(LIST, "stop_token_ids"),
        "ignore_eos": parameter(BOOL, "ignore_eos"),
        "skip_special_tokens": parameter(BOOL, "skip_special_tokens"),
        "spaces_between_special_tokens": parameter(BOOL, "spaces_between_special_tokens"),
        "no_stop_trim": parameter(BOOL, "no_stop_trim"),
        "sampling_seed": parameter(INT, "seed"),
        "stream_interval": parameter(INT, "stream_interval"),
        "logit_bias": parameter(OBJECT, "logit_bias", role="other"),
        "stop_regex": parameter(STRING | LIST, "stop_regex", ordinary=False, role="other"),
        "json_schema": parameter(STRING, "json_schema", ordinary=False, role="schema"),
        "regex": parameter(STRING, "regex", ordinary=False, role="schema"),
        "ebnf": parameter(STRING, "ebnf", ordinary=False, role="schema"),
        "structural_tag": parameter(STRING, "structural_tag", ordinary=False, role="schema"),
        "custom_params": parameter(OBJECT, "custom_params", ordinary=False, role="other"),
        "beam_width": parameter(INT, "beam_width", ordinary=False),
    },
    at=("sampling_params",),
)


class SglangGenerate(Generating):
    """`POST` and `PUT /generate`."""

    name = "sglang.generate"
    dialect: ClassVar[Dialect] = OPENAI
    routes = (
        Route("POST", "/generate", Operation.COMPLETE, marks=MARKS),
        Route("PUT", "/generate", Operation.COMPLETE),
    )
    table = _GENERATE
    inner = _SAMPLING

    def texts(self, turns: Turns, body: JsonObject) -> None:
        given = [key for key in ("text", "input_ids", "input_embeds") if body.get(key) is not None]
        if len(given) != 1:
            raise invalid("The body must have one of /text, /input_ids and /input_embeds.")
        read_input(turns, body)

    def read_inner(self, turns: Turns, body: JsonObject) -> None:
        sampling = body.get("sampling_params")
        for index, item in enumerate(sampling) if isinstance(sampling, list) else ():
            if not isinstance(item, dict):
                raise wrong(("sampling_params", index), "an object")
            read_object(_SAMPLING, turns, item, ("sampling_params", index))
            strings(item.get("stop"), ("sampling_params", index, "stop"))
        super().read_inner(turns, body)
        if isinstance(sampling, dict):
            strings(sampling.get("stop"), ("sampling_params", "stop"))

    def parameters(self, body: JsonObject) -> dict[str, Json]:
        found = super().parameters(body)
        sampling = body.get("sampling_params")
        if isinstance(sampling, list):
            parts = [_SAMPLING.parameters(item) for item in sampling if isinstance(item, dict)]
            found.update(merged(parts, ("sampling_params",)))
        return found

    def _write_keys(self, body: JsonObject, table: Table, keys: Sequence[str], value: Json) -> None:
        sampling = body.get("sampling_params")
        if not table.at or not isinstance(sampling, list):
            super()._write_keys(body, table, keys, value)
            return
        items: list[Json] = []
        for item in sampling:
            own = dict(item) if isinstance(item, dict) else {}
            for key in [key for key in keys if own.get(key) is not None] or keys[:1]:
                spec = table.fields.get(key)
                own[key] = written(value, own.get(key), limit=spec is not None and spec.limit)
            items.append(own)
        body["sampling_params"] = items

    def reader(self, call: Call) -> ReplyReader:
        return SglangReader(choices=choices(call, "text", "input_ids"))


def read_input(turns: Turns, body: JsonObject) -> None:
    """What the model is to go on from, and the media in it."""
    if body.get("text") is not None:
        read_texts(turns, body["text"], ("text",))
    if body.get("input_ids") is not None:
        read_ids(turns, body["input_ids"], ("input_ids",))
    if body.get("input_embeds") is not None:
        turns.uninspected.add("embeddings")
    for key, kind in _MEDIA.items():
        read_media(turns, body.get(key), (key,), kind)
