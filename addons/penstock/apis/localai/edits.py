"""LocalAI's edits: OpenAI's of old, which only it still serves."""

from __future__ import annotations

from typing import ClassVar

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import LIST, STRING, Field, Table, parameter, wrong
from penstock.apis.calls.generating import Generating, read_texts
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.openai.chat import with_common_limit
from penstock.apis.openai.messages import numbers, strings
from penstock.apis.openai.parameters import SHARED
from penstock.apis.openai.reply import OpenAiReader
from penstock.exchange import Call, JsonObject, Operation


class LocalAiEdits(Generating):
    """`POST /v1/edits` and `/edits`: an instruction, and one text or more to follow it on."""

    name = "localai.edits"
    dialect: ClassVar[Dialect] = OPENAI
    routes = (Route("POST", "/v1/edits", Operation.COMPLETE), Route("POST", "/edits", Operation.COMPLETE))
    table = Table(
        {
            **SHARED,
            "instruction": Field(STRING),
            "input": Field(STRING | LIST),
            "reasoning_effort": parameter(STRING, "reasoning_effort", role=LABEL),
        }
    )

    def adjusted(self, body: JsonObject) -> JsonObject:
        return with_common_limit(body)

    def texts(self, turns: Turns, body: JsonObject) -> None:
        if not isinstance(body.get("model"), str):
            raise wrong(("model",), "the name of a model")
        instruction = body.get("instruction")
        if not isinstance(instruction, str):
            raise wrong(("instruction",), "a string")
        turns.add("user", instruction, ("instruction",))
        if body.get("input") is not None:
            read_texts(turns, body["input"], ("input",))
        strings(body.get("stop"), ("stop",))
        numbers(body.get("logit_bias"), ("logit_bias",))

    def reader(self, call: Call) -> ReplyReader:
        return OpenAiReader()
