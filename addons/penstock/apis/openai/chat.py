"""OpenAI chat completions, as vLLM, llama.cpp, Ollama, SGLang, TGI and others serve it."""

from __future__ import annotations

from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Keys, Table, wrong
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.names import model_name
from penstock.apis.openai.messages import numbers, read_messages, read_parts, read_tools, strings
from penstock.apis.openai.parameters import CHAT
from penstock.apis.openai.paths import everywhere
from penstock.apis.openai.reply import OpenAiReader
from penstock.apis.replies.choices import choices
from penstock.exchange import Call, JsonObject, Operation

_STREAM_OPTIONS: Final = Keys(("include_usage", "include_obfuscation", "continuous_usage_stats"))
_PREDICTION: Final = Keys(("type", "content"))
_FORMAT: Final = Keys(("type", "json_schema", "schema"))


class OpenAiChat(Posted):
    """`POST /v1/chat/completions` (https://platform.openai.com/docs/api-reference/chat/create)."""

    name = "openai.chat"
    dialect: ClassVar[Dialect] = OPENAI
    routes = (
        *everywhere("/chat/completions", Operation.CHAT),
        Route("POST", "/api/v0/chat/completions", Operation.CHAT),  # LM Studio
    )
    table = Table(CHAT)

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        body = with_common_limit(body)
        turns = Turns()
        read_messages(turns, body.get("messages"))
        tools = self._tools(turns, body)
        if isinstance(prediction := body.get("prediction"), dict):
            _prediction(turns, prediction)
        if isinstance(form := body.get("response_format"), dict):
            _FORMAT.unknown(form, ("response_format",))
        read_parameters(self.table, turns, body, unknown)
        parameters = self.parameters(body)
        return Call(
            self.name,
            operation,
            model_name(body.get("model")),
            tuple(turns.found),
            parameters,
            self.unusual(parameters),
            tools,
            body.get("stream") is True,
            tuple(sorted(turns.uninspected)),
            body,
        )

    def _tools(self, turns: Turns, body: JsonObject) -> tuple[str, ...]:
        names: tuple[str, ...] = ()
        for key in ("tools", "functions"):
            if body.get(key) is not None:
                names += read_tools(turns, body[key], key)
        return names

    def reader(self, call: Call) -> ReplyReader:
        return OpenAiReader(choices(call, copies=("n", "n_cmpl")))


def with_common_limit(body: JsonObject) -> JsonObject:
    """The body with `max_tokens` beside `max_completion_tokens`.

    Ollama and older servers know `max_tokens` alone: the bound that was judged would not bind them.
    """
    bound = body.get("max_completion_tokens")
    if bound is None or body.get("max_tokens") is not None:
        return body
    return {**body, "max_tokens": bound}


def read_parameters(table: Table, turns: Turns, body: JsonObject, unknown: list[str]) -> None:
    """Checks the shapes of the shared parameters, and makes turns of the strings in them and in unknown keys."""
    fields = table.fields
    for key, value in body.items():
        spec = fields.get(key)
        if spec is not None and spec.role and value is not None:
            turns.everything(spec.role, value, (key,))
    for key in unknown:
        turns.everything("other", body[key], (key,))
    strings(body.get("stop"), ("stop",))
    numbers(body.get("logit_bias"), ("logit_bias",))
    if (options := body.get("stream_options")) is not None:
        for key, value in _STREAM_OPTIONS.only(options, ("stream_options",)).items():
            if value is not None and not isinstance(value, bool):
                raise wrong(("stream_options", key), "a boolean")


def _prediction(turns: Turns, value: JsonObject) -> None:
    path = ("prediction",)
    _PREDICTION.only(value, path)
    if value.get("type") != "content":
        raise wrong((*path, "type"), "`content`")
    content, here = value.get("content"), (*path, "content")
    if isinstance(content, str):
        turns.add("assistant", content, here)
    else:
        read_parts(turns, "assistant", content, here)
