"""Ollama's generate: one prompt, with a system prompt, a template or an earlier context in front of it."""

from __future__ import annotations

from typing import ClassVar

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Table, wrong
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OLLAMA
from penstock.apis.names import ollama_name
from penstock.apis.ollama.parameters import (
    GENERATE,
    OPTIONS,
    check_keep_alive,
    lifecycle,
    orders,
    read_images,
    read_parameters,
)
from penstock.apis.ollama.reply import OllamaReader
from penstock.exchange import Call, Json, JsonObject, Operation


class OllamaGenerate(Posted):
    """`POST /api/generate`; without a prompt it loads the model, or with `keep_alive: 0` unloads it."""

    name = "ollama.generate"
    dialect: ClassVar[Dialect] = OLLAMA
    routes = (Route("POST", "/api/generate", Operation.COMPLETE),)
    table = Table(GENERATE)
    inner = OPTIONS

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        model = ollama_name(body.get("model"))
        body = {**body, "model": model}
        check_keep_alive(body)
        turns = Turns()
        prompt, system = body.get("prompt"), body.get("system")
        if isinstance(system, str):
            turns.add("system", system, ("system",))
        if isinstance(prompt, str):
            turns.add("user", prompt, ("prompt",))
        _context(turns, body.get("context"))
        read_images(turns, body.get("images"), ("images",))
        read_parameters(self.table, turns, body, unknown)
        parameters = self.parameters(body)
        operation = Operation.COMPLETE if prompt else lifecycle(body)
        return Call(
            self.name,
            operation,
            model,
            tuple(turns.found),
            parameters,
            self.unusual(parameters) - orders(operation),
            (),
            body.get("stream") is not False,
            tuple(sorted(turns.uninspected)),
            body,
        )

    def reader(self, call: Call) -> ReplyReader:
        return OllamaReader()


def _context(turns: Turns, value: Json) -> None:
    """An earlier conversation as token ids, which nobody can read here."""
    if isinstance(value, list) and value:
        if not all(item.__class__ is int for item in value):
            raise wrong(("context",), "a list of integers")
        turns.uninspected.add("context")
