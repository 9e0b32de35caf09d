"""LM Studio's own chat: it keeps the conversation on the server unless it is told not to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, STRING, Field, Keys, Table, parameter, wrong
from penstock.apis.calls.generating import no_other_name, read_table
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.lm_studio.errors import LM_STUDIO
from penstock.apis.lm_studio.reply import LmStudioReader
from penstock.apis.names import model_name
from penstock.apis.openai.messages import items, text
from penstock.exchange import Call, Json, JsonObject, Operation, Path

PARAMETERS: Final[Mapping[str, Field]] = {
    "model": Field(STRING),
    "input": Field(STRING | LIST),
    "system_prompt": Field(STRING),
    "stream": Field(BOOL),
    "max_output_tokens": parameter(INT, "max_tokens", limit=True),
    "temperature": parameter(NUMBER, "temperature"),
    "top_p": parameter(NUMBER, "top_p"),
    "top_k": parameter(INT, "top_k"),
    "min_p": parameter(NUMBER, "min_p"),
    "repeat_penalty": parameter(NUMBER, "repeat_penalty"),
    "reasoning": parameter(STRING, "reasoning_effort", role=LABEL),
    # What keeps text on the server or takes up text from there, reaches other servers, or loads the model anew.
    "store": parameter(BOOL, "store", ordinary=False),
    "previous_response_id": parameter(STRING, "previous_response_id", ordinary=False, role="other"),
    "integrations": parameter(LIST, "integrations", ordinary=False, role="other"),
    "context_length": parameter(INT, "num_ctx", ordinary=False),
    "ttl": parameter(INT, "ttl", ordinary=False),
}
# The reference calls a text `message`; its own example, `text`.
_TEXTS: Final = ("message", "text")
_TEXT: Final = Keys(("type", "content"))
_IMAGE: Final = Keys(("type", "data_url"))


class LmStudioChat(Posted):
    """`POST /api/v1/chat` (https://lmstudio.ai/docs/developer/rest/chat).

    A call that does not say `store` is forwarded with `store: false`: what LM Studio keeps, anyone who has its id can
    go on with. Whoever says `store: true` needs a grant that names it, and so does whoever goes on.
    """

    name = "lm_studio.chat"
    dialect: ClassVar[Dialect] = LM_STUDIO
    routes = (Route("POST", "/api/v1/chat", Operation.CHAT),)
    table = Table(PARAMETERS)

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        no_other_name(self.table, None, unknown)
        if body.get("store") is None:
            body = {**body, "store": False}
        turns = Turns()
        if body.get("system_prompt") is not None:
            turns.add("system", text(body["system_prompt"], ("system_prompt",)), ("system_prompt",))
        _input(turns, body.get("input"))
        read_table(self.table, turns, body, unknown)
        if body.get("previous_response_id") is not None:
            turns.uninspected.add("context")
        parameters = self.parameters(body)
        return Call(
            self.name,
            operation,
            model_name(body.get("model")),
            tuple(turns.found),
            parameters,
            self.unusual(parameters),
            stream=body.get("stream") is True,
            uninspected=tuple(sorted(turns.uninspected)),
            body=body,
        )

    def unusual(self, parameters: Mapping[str, Json]) -> frozenset[str]:
        unusual = super().unusual(parameters)
        return unusual if parameters.get("store") is True else unusual - {"store"}

    def reader(self, call: Call) -> ReplyReader:
        return LmStudioReader()


def _input(turns: Turns, value: Json) -> None:
    if isinstance(value, str):
        turns.add("user", value, ("input",))
        return
    if not isinstance(value, list) or not value:
        raise wrong(("input",), "a string, or a list of at least one item")
    for index, item in enumerate(items(value, ("input",))):
        path: Path = ("input", index)
        kind = item.get("type") if isinstance(item, dict) else None
        if kind in _TEXTS:
            here = (*path, "content")
            turns.add("user", text(_TEXT.only(item, path).get("content"), here), here)
        elif kind == "image":
            _picture(turns, text(_IMAGE.only(item, path).get("data_url"), (*path, "data_url")), (*path, "data_url"))
        else:
            raise wrong((*path, "type"), "`message`, `text` or `image`")


def _picture(turns: Turns, url: str, path: Path) -> None:
    turns.uninspected.add("image")
    if not url.startswith("data:"):
        turns.uninspected.add("url")
        turns.add("other", url, path)
