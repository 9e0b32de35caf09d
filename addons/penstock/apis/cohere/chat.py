"""Cohere's chat, version 2, as Cohere and vLLM serve it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, Table, parameter
from penstock.apis.calls.generating import no_other_name, read_table
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.cohere.errors import COHERE
from penstock.apis.cohere.messages import read_documents, read_messages
from penstock.apis.cohere.reply import CohereReader
from penstock.apis.names import model_name
from penstock.apis.openai.messages import read_tools, strings
from penstock.exchange import Call, JsonObject, Operation

PARAMETERS: Final[Mapping[str, Field]] = {
    "model": Field(STRING),
    "messages": Field(LIST),
    "stream": Field(BOOL),
    "max_tokens": parameter(INT, "max_tokens", limit=True),
    "temperature": parameter(NUMBER, "temperature"),
    "p": parameter(NUMBER, "top_p"),
    "k": parameter(INT, "top_k"),
    "seed": parameter(INT, "seed"),
    "frequency_penalty": parameter(NUMBER, "frequency_penalty"),
    "presence_penalty": parameter(NUMBER, "presence_penalty"),
    "stop_sequences": parameter(LIST, "stop", role="other"),
    "logprobs": parameter(BOOL, "logprobs"),
    "tools": parameter(LIST, "tools"),
    "strict_tools": parameter(BOOL, "strict_tools"),
    "tool_choice": parameter(STRING, "tool_choice", role=LABEL),
    "documents": parameter(LIST, "documents"),
    "citation_options": parameter(OBJECT, "citation_options", role=LABEL),
    "response_format": parameter(OBJECT, "response_format", role="schema"),
    "safety_mode": parameter(STRING, "safety_mode", role=LABEL),
    "thinking": parameter(OBJECT, "thinking", role=LABEL),
    # What overtakes others, or puts text where nobody looks for it.
    "priority": parameter(INT, "priority", ordinary=False),
    "chat_template_kwargs": parameter(OBJECT, "chat_template_kwargs", ordinary=False, role="other"),
    "kv_transfer_params": parameter(OBJECT, "kv_transfer_params", ordinary=False, role="other"),
}


class CohereChat(Posted):
    """`POST /v2/chat` (https://docs.cohere.com/reference/chat)."""

    name = "cohere.chat"
    dialect: ClassVar[Dialect] = COHERE
    routes = (
        Route("POST", "/v2/chat", Operation.CHAT),
        Route("POST", "/cohere/v2/chat", Operation.CHAT),
    )
    table = Table(PARAMETERS)

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        no_other_name(self.table, None, unknown)
        turns = Turns()
        read_messages(turns, body.get("messages"))
        if body.get("documents") is not None:
            read_documents(turns, body["documents"])
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

    def reader(self, call: Call) -> ReplyReader:
        return CohereReader()
