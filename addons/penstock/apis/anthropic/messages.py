"""Anthropic's messages and the counting of their tokens, as llama.cpp, vLLM, Ollama, SGLang and others serve them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from penstock.apis.anthropic.blocks import of_server, read_content, read_tools
from penstock.apis.anthropic.errors import ANTHROPIC
from penstock.apis.anthropic.parameters import MESSAGES
from penstock.apis.anthropic.reply import AnthropicReader, CountReader
from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Keys, Table, wrong
from penstock.apis.calls.generating import no_other_name, read_table
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import Turns
from penstock.apis.names import model_name
from penstock.apis.openai.messages import strings
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation

# Claude Code sends `ctx` and `msg`, which vLLM takes for `user`.
ROLES: Final = {"user": "user", "assistant": "assistant", "system": "system", "ctx": "user", "msg": "user"}
SERVER_TOOLS: Final = "server_tools"
"""A parameter of its own for tools that run on the server: a grant must name it."""

_MESSAGE: Final = Keys(("role", "content"))
_BETA: Final = frozenset({"beta"})


class AnthropicMessages(Posted):
    """`POST /v1/messages` (https://docs.anthropic.com/en/api/messages)."""

    name = "anthropic.messages"
    dialect: ClassVar[Dialect] = ANTHROPIC
    routes: ClassVar[Sequence[Route]] = (
        Route("POST", "/v1/messages", Operation.CHAT, _BETA),
        Route("POST", "/anthropic/v1/messages", Operation.CHAT, _BETA),
        Route("POST", "/messages", Operation.CHAT, _BETA),  # LocalAI
    )
    table = Table(MESSAGES)

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        if route.asked(path).get("beta", "true") != "true":
            raise invalid("The query parameter `beta` can only be `true`.")
        return super().call(route, path, body)

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        no_other_name(self.table, None, unknown)
        turns = Turns()
        if body.get("system") is not None:
            read_content(turns, "system", body["system"], ("system",))
        _messages(turns, body.get("messages"))
        tools = read_tools(turns, body["tools"]) if body.get("tools") is not None else ()
        strings(body.get("stop_sequences"), ("stop_sequences",))
        read_table(self.table, turns, body, unknown)
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

    def parameters(self, body: JsonObject) -> dict[str, Json]:
        found = super().parameters(body)
        if isinstance(tools := body.get("tools"), list):
            kinds = {str(tool["type"]) for tool in tools if isinstance(tool, dict) and of_server(tool)}
            if kinds:
                found[SERVER_TOOLS] = [*sorted(kinds)]
        return found

    def reader(self, call: Call) -> ReplyReader:
        return AnthropicReader()


class AnthropicCount(AnthropicMessages):
    """`POST /v1/messages/count_tokens`: the same body, never answered with text."""

    name = "anthropic.count_tokens"
    routes = (
        Route("POST", "/v1/messages/count_tokens", Operation.TOKENIZE, _BETA),
        Route("POST", "/anthropic/v1/messages/count_tokens", Operation.TOKENIZE, _BETA),
    )

    def reader(self, call: Call) -> ReplyReader:
        return CountReader()


def _messages(turns: Turns, value: Json) -> None:
    if not isinstance(value, list) or not value:
        raise wrong(("messages",), "a list of at least one message")
    for index, item in enumerate(value):
        path = ("messages", index)
        message = _MESSAGE.only(item, path)
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            raise wrong((*path, "role"), "one of " + ", ".join(sorted(ROLES)))
        read_content(turns, ROLES[role], message.get("content"), (*path, "content"))
