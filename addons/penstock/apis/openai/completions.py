"""OpenAI completions (the older, plain one), as vLLM, llama.cpp and Ollama serve it."""

from __future__ import annotations

from typing import ClassVar

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Table, wrong
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.names import model_name
from penstock.apis.openai.chat import read_parameters, with_common_limit
from penstock.apis.openai.parameters import COMPLETIONS
from penstock.apis.openai.reply import OpenAiReader
from penstock.apis.replies.choices import choices
from penstock.exchange import Call, Json, JsonObject, Operation


class OpenAiCompletions(Posted):
    """`POST /v1/completions`. `/completions` without the prefix is llama.cpp's native API, another one."""

    name = "openai.completions"
    dialect: ClassVar[Dialect] = OPENAI
    # Not `/completions`: that is llama.cpp's own API, with another body.
    routes = tuple(
        Route("POST", f"{prefix}/completions", Operation.COMPLETE) for prefix in ("/v1", "/v3", "/v3/v1", "/api/v0")
    )
    table = Table(COMPLETIONS)

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        body = with_common_limit(body)
        turns = Turns()
        read_prompt(turns, body.get("prompt"))
        if body.get("prompt_embeds") is not None:
            turns.uninspected.add("embeddings")
        read_parameters(self.table, turns, body, unknown)
        parameters = self.parameters(body)
        return Call(
            self.name,
            operation,
            model_name(body.get("model")),
            tuple(turns.found),
            parameters,
            self.unusual(parameters),
            (),
            body.get("stream") is True,
            tuple(sorted(turns.uninspected)),
            body,
        )

    def reader(self, call: Call) -> ReplyReader:
        return OpenAiReader(choices(call, "prompt", copies=("n", "n_cmpl")))


def read_prompt(turns: Turns, value: Json) -> None:
    """A string, strings, token ids, or lists of token ids; nothing mixed.

    Raises: Refusal.
    """
    match value:
        case str():
            turns.add("user", value, ("prompt",))
        case [str(), *_] if all(isinstance(item, str) for item in value):
            for index, item in enumerate(value):
                turns.add("user", str(item), ("prompt", index))
        case [_, *_] if _ids(value) or all(isinstance(item, list) and item and _ids(item) for item in value):
            turns.uninspected.add("token_ids")
        case _:
            raise wrong(("prompt",), "a string, a list of strings, or token ids")


def _ids(value: list[Json]) -> bool:
    return all(item.__class__ is int for item in value)
