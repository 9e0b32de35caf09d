"""Ollama's chat: Go's parser takes keys in any case, replies stream unless told not to, tool arguments are objects."""

from __future__ import annotations

from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Keys, Table, wrong
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OLLAMA
from penstock.apis.names import ollama_name
from penstock.apis.ollama.parameters import (
    CHAT,
    OPTIONS,
    check_keep_alive,
    lifecycle,
    orders,
    read_images,
    read_parameters,
)
from penstock.apis.ollama.reply import OllamaReader
from penstock.apis.openai.messages import items, text
from penstock.exchange import Call, Json, JsonObject, Operation, Path

# Ollama lowers the case of a role before it reads it; here only the lower one exists.
ROLES: Final = frozenset({"system", "user", "assistant", "tool"})

_MESSAGE: Final = Keys(("role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"))
_CALL: Final = Keys(("id", "type", "function"))
_FUNCTION_CALL: Final = Keys(("index", "name", "arguments"))
_TOOL: Final = Keys(("type", "items", "function"))
_FUNCTION: Final = Keys(("name", "description", "parameters", "strict"))


class OllamaChat(Posted):
    """`POST /api/chat`; without messages it loads the model, or with `keep_alive: 0` unloads it."""

    name = "ollama.chat"
    dialect: ClassVar[Dialect] = OLLAMA
    routes = (Route("POST", "/api/chat", Operation.CHAT),)
    table = Table(CHAT)
    inner = OPTIONS

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        model = ollama_name(body.get("model"))
        body = {**body, "model": model}
        check_keep_alive(body)
        turns = Turns()
        messages = body.get("messages")
        for index, message in enumerate(items(messages, ("messages",)) if messages is not None else ()):
            _message(turns, message, ("messages", index))
        tools = _tools(turns, body.get("tools"))
        read_parameters(self.table, turns, body, unknown)
        parameters = self.parameters(body)
        operation = Operation.CHAT if messages else lifecycle(body)
        return Call(
            self.name,
            operation,
            model,
            tuple(turns.found),
            parameters,
            self.unusual(parameters) - orders(operation),
            tools,
            body.get("stream") is not False,
            tuple(sorted(turns.uninspected)),
            body,
        )

    def reader(self, call: Call) -> ReplyReader:
        return OllamaReader()


def _message(turns: Turns, value: Json, path: Path) -> None:
    message = _MESSAGE.only(value, path)
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise wrong((*path, "role"), "one of " + ", ".join(sorted(ROLES)))
    for key, inner in message.items():
        here = (*path, key)
        if inner is None or key == "role":
            continue
        match key:
            case "content" | "thinking":
                turns.add(role, text(inner, here), here)
            case "tool_name":
                turns.add("other", text(inner, here), here)
            case "tool_call_id":
                turns.label(text(inner, here), here)
            case "images":
                read_images(turns, inner, here)
            case _:
                for index, call in enumerate(items(inner, here)):
                    _tool_call(turns, role, call, (*here, index))


def _tool_call(turns: Turns, role: str, value: Json, path: Path) -> None:
    call = _CALL.only(value, path)
    for key in ("id", "type"):
        if call.get(key) is not None:
            turns.label(text(call[key], (*path, key)), (*path, key), "tool_call")
    here = (*path, "function")
    function = _FUNCTION_CALL.only(call.get("function"), here)
    turns.add(role, text(function.get("name"), (*here, "name")), (*here, "name"), "tool_call")
    if function.get("index") is not None and function["index"].__class__ is not int:
        raise wrong((*here, "index"), "an integer")
    arguments = function.get("arguments")
    if arguments is None:
        return
    if not isinstance(arguments, dict):
        raise wrong((*here, "arguments"), "an object")
    turns.everything(role, arguments, (*here, "arguments"), "tool_call")


def _tools(turns: Turns, value: Json) -> tuple[str, ...]:
    """Names of the tools offered; their descriptions and schemas are turns of the role `schema`."""
    names: list[str] = []
    for index, item in enumerate(items(value, ("tools",)) if value is not None else ()):
        path: Path = ("tools", index)
        tool = _TOOL.only(item, path)
        here = (*path, "function")
        function = _FUNCTION.only(tool.get("function"), here)
        name = text(function.get("name"), (*here, "name"))
        if not name:
            raise wrong((*here, "name"), "a name")
        names.append(name)
        turns.everything("schema", tool, path)
    return tuple(names)
