"""OpenAI's Responses API, as llama.cpp, vLLM, Ollama, LM Studio, transformers serve and OpenVINO serve it."""

from __future__ import annotations

from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Keys, Table, wrong
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.names import model_name
from penstock.apis.openai.chat import read_parameters
from penstock.apis.openai.responses.errors import RESPONSES as DIALECT
from penstock.apis.openai.responses.input import read_input
from penstock.apis.openai.responses.parameters import KEPT, RESPONSES, STATE
from penstock.apis.openai.responses.reply import ResponsesReader
from penstock.apis.openai.responses.tools import HOSTED, hosted, read_tools
from penstock.exchange import Call, Json, JsonObject, Operation

_TEXT: Final = Keys(("format", "verbosity"))
_FORMAT: Final = Keys(("type", "name", "description", "schema", "strict"))
_OFFERING: Final = frozenset({"additional_tools", "tool_search_output"})


class OpenAiResponses(Posted):
    """`POST /v1/responses` (https://platform.openai.com/docs/api-reference/responses/create).

    What a server keeps between requests (earlier responses, conversations, prompts, items by reference) is text that
    nobody reads here, so all of it needs a grant; so does every tool that the server runs by itself.
    """

    name: ClassVar[str] = "openai.responses"
    dialect: ClassVar[Dialect] = DIALECT
    routes: ClassVar[tuple[Route, ...]] = (
        Route("POST", "/v1/responses", Operation.CHAT),
        Route("POST", "/responses", Operation.CHAT),
        Route("POST", "/v3/responses", Operation.CHAT),
    )
    table = Table(RESPONSES)

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        turns = Turns()
        self._input(turns, body)
        tools = read_tools(turns, body["tools"]) if body.get("tools") is not None else ()
        if isinstance(form := body.get("text"), dict):
            _form(turns, form)
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

    def _input(self, turns: Turns, body: JsonObject) -> None:
        given, kept = body.get("input"), any(body.get(key) is not None for key in KEPT)
        if kept:
            turns.uninspected.add("context")
        says = read_input(turns, given) if given is not None else False
        # Ollama takes a request without a message for an order to load the model.
        if not (says or kept or body.get("instructions")):
            raise wrong(("input",), "a text or a list of items, and not empty")

    def parameters(self, body: JsonObject) -> dict[str, Json]:
        found = super().parameters(body)
        for name in STATE:
            if found.get(name) is False:
                del found[name]
        found.update(hosted(body.get("tools")))
        given = body.get("input")
        for item in given if isinstance(given, list) else ():
            if isinstance(item, dict) and item.get("type") in _OFFERING:
                found.update(hosted(item.get("tools")))
        return found

    def _write(self, body: JsonObject, name: str, value: Json) -> None:
        # A hosted tool stands where it is offered; there is nothing to fill in.
        if not name.startswith(HOSTED):
            super()._write(body, name, value)

    def reader(self, call: Call) -> ReplyReader:
        return ResponsesReader(call)


def _form(turns: Turns, value: JsonObject) -> None:
    """`text`: how the answer is to be written."""
    _TEXT.only(value, ("text",))
    if (verbosity := value.get("verbosity")) is not None:
        turns.everything(LABEL, verbosity, ("text", "verbosity"))
    if (form := value.get("format")) is not None:
        turns.everything("schema", _FORMAT.only(form, ("text", "format")), ("text", "format"))
